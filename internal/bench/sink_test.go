package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The sink and the generator speak HTTP by themselves; here net/http is on the other side.
func TestSinkTakesWhatAnHTTPClientPosts(t *testing.T) {
	got := make(chan string, 10)
	s, err := openSink(t.Context(), func(body []byte) { got <- string(body) })
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{}
	post := func(body string, want int) {
		t.Helper()
		res, err := client.Post(s.url(), "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("answered %d, want %d", res.StatusCode, want)
		}
	}
	body := `{"statuses":[{"timestamp":"1","conversation":{"expiration_timestamp":2}},{"timestamp":"3"}]}`
	post(body, 200)
	post(strings.Repeat(" ", 100_000), 200)
	s.down.Store(true)
	post(body, 503)
	if first := <-got; first != body {
		t.Errorf("taken %q", first)
	}
	if n := len(<-got); n != 100_000 {
		t.Errorf("taken %d bytes", n)
	}
	if s.events.Load() != 2 || s.posts.Load() != 2 {
		t.Errorf("%d events in %d posts, want 2 in 2: what is refused does not count", s.events.Load(), s.posts.Load())
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Post(s.url(), "application/json", strings.NewReader(body)); err == nil {
		t.Error("a closed sink has answered")
	}
}

func TestPressCountsAnswers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	said, in := make(chan string, 1), &announcement{to: &out}
	in.said = said
	done := make(chan error, 1)
	go func() { done <- (&Ceiling{Answer: 90, Dir: t.TempDir()}).Serve(ctx, in) }()
	addr := <-said
	self := &process{name: "ceiling", cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}}
	w, err := press(ctx, &target{addr: addr, requests: sendRequests(addr, "token"), process: self}, 3, timing{10 * time.Millisecond, 200 * time.Millisecond})
	if err != nil || w.count == 0 || len(w.times) != int(w.count) || w.took < 200*time.Millisecond {
		t.Errorf("pressed %d with %d times in %s: %v", w.count, len(w.times), w.took, err)
	}
	if _, err := press(ctx, &target{addr: addr, requests: [][]byte{[]byte("GET /none HTTP/1.1\r\nHost: x\r\n\r\n")}, process: self}, 1, timing{span: time.Minute}); err == nil {
		t.Error("a refusal is no success")
	}
	c, err := dial(ctx, addr)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := c.do(sendRequests(addr, "token")[0]); err != nil {
			t.Fatal(err)
		}
		if len(c.body) != 90 {
			t.Errorf("the answer has %d bytes, want 90: %s", len(c.body), c.body)
		}
		if id, err := messageID(c.body); err != nil || len(id) == 0 {
			t.Errorf("id %q, %v", id, err)
		}
	}
	if err := c.do([]byte("POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("a refusal: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// announcement passes on the address that a program prints.
type announcement struct {
	to   *bytes.Buffer
	said chan<- string
}

func (a *announcement) Write(p []byte) (int, error) {
	if m := announced.FindSubmatch(p); m != nil {
		a.said <- string(m[1])
	}
	return a.to.Write(p)
}

func TestFlightsEndWithTheLastWebhook(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	f := newFlights(cancel, 3)
	told := func(id string, statuses ...string) {
		for _, s := range statuses {
			f.taken(fmt.Appendf(nil, `{"statuses":[{"id":%q,"status":%q}]}`, id, s))
		}
	}
	f.room <- struct{}{}
	f.room <- struct{}{}
	f.taken([]byte(`{"contacts":[{}],"messages":[{}]}`))
	f.room <- struct{}{}
	told("earliest", "read", "delivered", "sent")
	if done, _ := f.counts(); done != 0 {
		t.Errorf("%d have come through before their POST was answered", done)
	}
	f.posted("earliest", time.Now())
	f.reset()
	told("early", "read", "sent", "sent")
	f.posted("early", time.Now())
	f.posted("late", time.Now())
	if done, _ := f.counts(); done != 0 {
		t.Errorf("%d have come through before all was told", done)
	}
	f.taken([]byte(`{"statuses":[{"id":"early","status":"delivered"},{"id":"late","status":"sent"},{"id":"late","status":"delivered"},{"id":"late","status":"read"}]}`))
	done, times := f.counts()
	open, incoming := f.under()
	if done != 2 || len(times) != 2 || open != 0 || incoming != 1 || len(f.room) != 0 {
		t.Errorf("%d done with %d times, %d open, %d incoming, %d under way", done, len(times), open, incoming, len(f.room))
	}
	told("bad", "failed")
	if ctx.Err() == nil {
		t.Error("a failed message went unnoticed")
	}
}
