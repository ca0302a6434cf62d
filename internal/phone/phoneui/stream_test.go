package phoneui

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/patience"
	"kabar/internal/phone"
)

// event is a server-sent event.
type event struct{ id, data string }

// listen opens a stream and returns its events.
func listen(t *testing.T, f *fake, query, lastEvent string) <-chan event {
	t.Helper()
	srv := httptest.NewServer(New(f, Options{}).Handler())
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/stream"+query, nil)
	if lastEvent != "" {
		r.Header.Set("Last-Event-ID", lastEvent)
	}
	res, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("stream: %s, %v", res.Status, res.Header)
	}
	events := make(chan event, 100)
	go func() {
		defer close(events)
		defer res.Body.Close()
		var e event
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "id: "):
				e.id = line[4:]
			case strings.HasPrefix(line, "data: "):
				e.data += line[6:] + "\n"
			case line == "" && e.data != "":
				events <- e
				e = event{}
			}
		}
	}()
	return events
}

func next(t *testing.T, events <-chan event) event {
	t.Helper()
	e := patience.Next(t, "an event", events)
	if e == (event{}) {
		t.Fatal("the stream has ended")
	}
	return e
}

// collect waits until an event has every one of the wanted pieces, and returns all up to it.
func collect(t *testing.T, events <-chan event, want ...string) event {
	t.Helper()
	var all event
	for range 50 {
		e := next(t, events)
		all = event{e.id, all.data + e.data}
		missing := 0
		for _, w := range want {
			if !strings.Contains(all.data, w) {
				missing++
			}
		}
		if missing == 0 {
			return all
		}
	}
	t.Fatalf("not all of %q in\n%s", want, all.data)
	return all
}

func wantNot(t *testing.T, e event, not ...string) {
	t.Helper()
	for _, n := range not {
		if strings.Contains(e.data, n) {
			t.Errorf("%q is in\n%s", n, e.data)
		}
	}
}

func TestStream(t *testing.T) {
	f := newFake()
	f.customer(ana, "Ana")
	f.customer("6281234567890", "Budi")
	old := f.add(ana, phone.Message{ID: "old", Mine: true, Content: &kabar.Text{Body: "old text"}})
	events := listen(t, f, "?c="+ana+"&after=1", "")

	first := collect(t, events, `id="people"`, `id="header"`, `id="details"`, `id="m-old"`)
	wantNot(t, first, `id="m-old" class="msg out" data-id="old" data-into`) // it is on the page already

	f.edit(ana, old, func(m *phone.Message) { m.Status = kabar.Read })
	e := collect(t, events, `id="m-old"`, `ticks read`, `id="p-`+ana)
	wantNot(t, e, "data-into=\"thread\"", "Budi")

	f.add(ana, phone.Message{ID: "new", Content: &kabar.Text{Body: "new text"}})
	e = collect(t, events, `id="m-new"`, `data-into="thread"`, `data-unread`, `id="day-2026-11-23"`, `class="badge">1`)
	if e.id != "2" {
		t.Errorf("the cursor is %q after message 2", e.id)
	}

	f.tell(phone.Change{Customer: ana, Typing: true})
	collect(t, events, `class="dots"`)
	f.tell(phone.Change{Customer: ana})
	wantNot(t, collect(t, events, `id="typing"`), `class="dots"`)

	f.add("6281234567890", phone.Message{ID: "theirs", Content: &kabar.Text{Body: "for Budi"}})
	wantNot(t, collect(t, events, "for Budi", `id="p-6281234567890"`), `id="m-theirs"`)

	f.customer("6285712345678", "Citra")
	collect(t, events, `id="people"`, "Citra")
}

// Whoever comes back with the id of the last event gets all that came after it, and the changes of what came before.
func TestStreamResumes(t *testing.T) {
	f := newFake()
	f.customer(ana, "Ana")
	for range 3 * pageSize {
		f.add(ana, phone.Message{Mine: true, Content: &kabar.Text{Body: "x"}})
	}
	f.edit(ana, "gBGG0290/=", func(m *phone.Message) { m.Status = kabar.Delivered })
	for name, from := range map[string]struct{ query, header string }{
		"header":              {"?c=" + ana + "&after=300", "20"},
		"query":               {"?c=" + ana + "&after=300&last=20", ""},
		"header before query": {"?c=" + ana + "&after=300&last=250", "20"},
	} {
		e := next(t, listen(t, f, from.query, from.header))
		if n := strings.Count(e.data, `data-into="thread" data-action`); n != 280 || e.id != "300" {
			t.Errorf("%s: %d new bubbles up to %s, want 280 up to 300", name, n, e.id)
		}
		wantNot(t, e, `id="m-gBGG0020`, `id="m-gBGG0005`)
	}
	e := next(t, listen(t, f, "?c="+ana+"&after=300", "300"))
	if strings.Count(e.data, `data-into="thread"`) > 0 || !strings.Contains(e.data, `id="m-gBGG0290/=" class="msg out" data-id="gBGG0290/="`) || !strings.Contains(e.data, "ticks delivered") {
		t.Errorf("nothing new and one change, but %d new: %.2000s", strings.Count(e.data, `data-into="thread"`), e.data)
	}
}

// A watcher that was too slow for single changes sees everything all the same.
func TestStreamCatchesUp(t *testing.T) {
	f := newFake()
	f.customer(ana, "Ana")
	events := listen(t, f, "?c="+ana+"&after=0", "")
	next(t, events)
	for range 20 * room {
		f.add(ana, phone.Message{Content: &kabar.Text{Body: "x"}})
	}
	f.add(ana, phone.Message{ID: "end", Content: &kabar.Text{Body: "x"}})
	all := collect(t, events, `id="m-end"`)
	if n := strings.Count(all.data, `data-into="thread" data-unread`); n != 20*room+1 {
		t.Errorf("%d bubbles of %d are new", n, 20*room+1)
	}
}

func TestStreamEndsWithItsRequest(t *testing.T) {
	f := newFake()
	f.customer(ana, "Ana")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/stream", nil)
		New(f, Options{}).Handler().ServeHTTP(httptest.NewRecorder(), r)
	}()
	cancel()
	patience.Next(t, "the stream ends", done)
}
