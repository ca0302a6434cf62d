package manage_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/feed"
	"kabar/internal/manage"
	"kabar/internal/patience"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
	"kabar/internal/ui"
)

// logged is the API over a store, asked by A's account.
type logged struct {
	*storetest.Env
	feed   *feed.Feed
	server *httptest.Server
	close  func() // says that the server closes
}

func openLog(t *testing.T, s *storetest.Env) *logged {
	t.Helper()
	l := &logged{Env: s}
	l.feed = feed.New(feed.Options{Store: s.DB, Log: slog.New(slog.DiscardHandler), Settings: func(kabar.NumberID) (kabar.Settings, error) { return s.Settings, nil },
		Render: map[kabar.Dialect]feed.Renderer{kabar.Kabar: func(ev *kabar.Event, n *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
			if ev.Kind == kabar.EventCredit {
				return nil, false, errors.New("it says nothing")
			}
			return fmt.Appendf(nil, `{"seq":"%s/%d"}`, n.Digits, ev.Seq), true, nil
		}}})
	api := manage.New(manage.Options{Events: l.feed, Of: func(*http.Request) trace.Of { return trace.Of{Account: s.A.Account} }, Now: func() time.Time { return s.Now }})
	mux := http.NewServeMux()
	for pattern, h := range api.Handlers() {
		mux.Handle(pattern, h)
	}
	done := make(chan struct{})
	l.close = func() { close(done) }
	l.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(ui.Closing(r.Context(), done)))
	}))
	t.Cleanup(l.server.Close)
	return l
}

func (l *logged) happens(t *testing.T, on *kabar.Number) {
	t.Helper()
	l.add(t, on, kabar.EventSecurity)
}

func (l *logged) add(t *testing.T, on *kabar.Number, kind kabar.EventKind) {
	t.Helper()
	l.Write(t, func(tx *store.Tx) error {
		return tx.AddEvent(&kabar.Event{Account: on.Account, Number: on.ID, Kind: kind, At: l.Now})
	})
	l.feed.Wake(on.ID)
}

// follow opens the stream. next returns the id and the data of an event, or nothing once it has ended.
func (l *logged) follow(t *testing.T, query, last string) (next func() (id, data string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.server.URL+"/kabar/v1/events/stream"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", last)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(res.Status, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	return func() (id, data string) {
		for lines.Scan() {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); {
			case name == "id":
				id = value
			case name == "data":
				data = value
			case name == "" && id != "":
				return id, data
			}
		}
		return "", ""
	}
}

// TestEventStream: a stream tells what happens to the key's numbers, goes on after the last event that was seen, and ends with the server.
func TestEventStream(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		l := openLog(t, s)
		l.happens(t, s.A)
		next := l.follow(t, "", "")
		began, data := next()
		if began == "" || data != "" {
			t.Fatalf("a stream begins with %q, %q", began, data)
		}
		l.happens(t, s.B)
		l.happens(t, s.A)
		second, data := next()
		if !strings.HasSuffix(data, `"body":{"seq":"`+s.A.Digits+`/2"}}`) {
			t.Fatalf("the next event is %q", data)
		}
		l.happens(t, s.A)
		_, data = next()
		if !strings.Contains(data, `/3"`) {
			t.Fatalf("then comes %q", data)
		}
		for name, again := range map[string]func() (string, string){"in the header": l.follow(t, "?after="+began, second), "in the query": l.follow(t, "?after="+second, "")} {
			if at, _ := again(); at != second {
				t.Errorf("%s: it begins at %s, not at %s", name, at, second)
			}
			if _, data := again(); !strings.Contains(data, `/3"`) {
				t.Errorf("%s: what comes after the second event is %q", name, data)
			}
		}
		l.close()
		if id, data := next(); id != "" {
			t.Errorf("after the end: %s, %s", id, data)
		}
	})
}

// TestStreamsAreLimited: a key has so many streams at a time; one that ends makes room.
func TestStreamsAreLimited(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		l := openLog(t, s)
		const most = 20
		var ends []context.CancelFunc
		open := func() (*http.Response, error) {
			ctx, cancel := context.WithCancel(t.Context())
			ends = append(ends, cancel)
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.server.URL+"/kabar/v1/events/stream", http.NoBody)
			if err != nil {
				return nil, err
			}
			res, err := http.DefaultClient.Do(r)
			if err == nil {
				t.Cleanup(func() { _ = res.Body.Close() })
			}
			return res, err
		}
		for i := range most {
			if res, err := open(); err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(i, res, err)
			}
		}
		res, err := open()
		if err != nil || res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
			t.Fatal(res, err)
		}
		if text, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(text), "this key has 20 streams of events open") {
			t.Errorf("%s, %v", text, err)
		}
		ends[0]()
		patience.Until(t, "a place is free", func() bool {
			res, err := open()
			return err == nil && res.StatusCode == http.StatusOK
		})
		for _, end := range ends {
			end()
		}
	})
}

// TestBrokenEvent: the list and the stream say that an event cannot be told, and go on; who asks for it alone is told so.
func TestBrokenEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		l := openLog(t, s)
		l.add(t, s.A, kabar.EventCredit)
		l.happens(t, s.A)
		id := s.DB.EventID(s.A.ID, 1, s.Now)
		want := `"id":"` + id + `","type":"account.credit_low","time":"` + s.Now.UTC().Format("2006-01-02T15:04:05.000Z") + `","number":"` + s.A.Digits +
			`","error":"the event cannot be put into words: it says nothing"}`
		next := l.follow(t, "?since=1h", "")
		_, _ = next()
		_, first := next()
		_, second := next()
		if first != "{"+want || !strings.Contains(second, `"body":{"seq":"`+s.A.Digits+`/2"}`) {
			t.Errorf("the stream: %s\nand %s", first, second)
		}
		for target, want := range map[string]string{
			"":       `200 {"data":[{` + want + `,{"id":`,
			"/" + id: `500 {"detail":"account.credit_low, of `,
		} {
			w := httptest.NewRecorder()
			l.server.Config.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/kabar/v1/events"+target, http.NoBody))
			if got := fmt.Sprintf("%d %s", w.Code, w.Body); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s\nwant %s", target, got, want)
			}
		}
	})
}

// TestEventsAreAskedFor: parameters that are wrong are told, and none is unknown.
func TestEventsAreAskedFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		l := openLog(t, s)
		l.happens(t, s.A)
		id := s.DB.EventID(s.A.ID, 1, s.Now)
		for target, want := range map[string]string{
			"":                             `200 {"data":[{"id":"` + id,
			"?since=1h":                    `200 {"data":[{"id":"` + id,
			"?since=2000-01-01T00:00:00Z":  `200 {"data":[{"id":"` + id,
			"?type=message.*,number.*":     `200 {"data":[{"id":"` + id,
			"?type=message.*":              `200 {"data":[],"next":"cur1_`,
			"?number=%2B" + s.A.Digits:     `200 {"data":[{"id":"` + id,
			"/" + id:                       `200 {"id":"` + id,
			"/" + id + "?dialect=kabar":    `200 {"id":"` + id,
			"?number=" + s.B.Digits:        `404 {"detail":"there is no such number"`,
			"?typ=message.*":               `400 {"detail":"typ is not one of number, type, dialect, after, since, message, limit`,
			"?type=messages":               `400 {"detail":"type \"messages\" matches no type`,
			"?limit=0":                     `400 {"detail":"limit is \"0\"`,
			"?since=yesterday":             `400 {"detail":"since is \"yesterday\"`,
			"?dialect=morse":               `400 {"detail":"dialect is \"morse\"`,
			"/" + id + "?dialect=morse":    `400 {"detail":"dialect is \"morse\"`,
			"/" + id + "?number=1":         `400 {"detail":"number is not one of dialect`,
			"/evt_aaaa":                    `404 {"detail":"there is no event with this id`,
			"/stream?limit=1":              `400 {"detail":"limit is not one of`,
			"/stream?after=1":              `400 {"detail":"after is no cursor`,
			"/stream?number=" + s.B.Digits: `404 {"detail":"there is no such number"`,
		} {
			w := httptest.NewRecorder()
			l.server.Config.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/kabar/v1/events"+target, http.NoBody))
			if got := fmt.Sprintf("%d %s", w.Code, w.Body); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s\nwant %s", target, got, want)
			}
		}
	})
}

// proved is one event, with what proves it.
type proved struct{ manage.Events }

func (proved) One(context.Context, trace.Of, string, kabar.Dialect) (*feed.Entry, error) {
	return &feed.Entry{ID: "evt_x", Headers: http.Header{"X-Hub-Signature-256": {"sha256=00"}}, Body: []byte("{}")}, nil
}

func TestWhatProvesAnEventIsForWhoMaySayWhereEventsGo(t *testing.T) {
	api := manage.New(manage.Options{Events: proved{}, Of: func(*http.Request) trace.Of { return trace.Of{} },
		Proves: func(r *http.Request) bool { return r.Header.Get("As") == "developer" }})
	for who, want := range map[string]bool{"developer": true, "auditor": false} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/kabar/v1/events/evt_x?dialect=cloud", http.NoBody)
		r.Header.Set("As", who)
		r.SetPathValue("id", "evt_x")
		w := httptest.NewRecorder()
		api.Handlers()["GET /kabar/v1/events/{id}"].ServeHTTP(w, r)
		if got := strings.Contains(w.Body.String(), "sha256=00"); got != want || w.Code != http.StatusOK {
			t.Errorf("%s is answered %d %s", who, w.Code, w.Body)
		}
	}
}
