package forward_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kabar/internal/forward"
	"kabar/internal/signature"
)

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// application answers as its test says, and remembers what it was posted.
type application struct {
	mu     sync.Mutex
	posts  []string
	answer func(body string) (int, error)
}

func (a *application) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.posts = append(a.posts, string(b))
	a.mu.Unlock()
	status, err := a.answer(string(b))
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
}

func (a *application) all() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.posts, " ")
}

// record is what a Forwarder has told and saved.
type record struct {
	outcomes []string
	mu       sync.Mutex
	all      []string
}

func (r *record) saved() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.all, " ")
}

func newForwarder(app http.RoundTripper) (*forward.Forwarder, *record) {
	r := &record{}
	return forward.NewForwarder(forward.Options{URL: "http://app.example/hook", Secret: secret, HTTP: &http.Client{Transport: app}, Agent: "test",
		Told: func(o forward.Outcome) {
			r.outcomes = append(r.outcomes, fmt.Sprintf("%s %d %v %s", o.Entry.Body, o.Status, o.Err != nil, o.Again))
		},
		Save: func(cursor string) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.all = append(r.all, cursor)
			return nil
		}}), r
}

func event(customer, body string) *forward.Entry {
	return &forward.Entry{ID: "evt_" + body, Type: "message.received", Number: "1", Customer: customer, Body: []byte(body)}
}

// TestOrder: events of a customer are posted in order, each after the answer to the one before; another customer does not wait; and what is
// saved never goes beyond what is not finished.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &application{answer: func(body string) (int, error) {
			if body == "a1" {
				time.Sleep(time.Second)
			}
			return 200, nil
		}}
		f, r := newForwarder(app)
		for i, e := range []*forward.Entry{nil, event("ana", "a1"), event("ana", "a2"), event("budi", "b1"), event("", "n1")} {
			if err := f.Take(t.Context(), fmt.Sprint(i), e); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if app.all() != "a1 b1 n1" || r.saved() != "0" {
			t.Errorf("while Ana's first is under way: posted %s, saved %s", app.all(), r.saved())
		}
		time.Sleep(2 * time.Second)
		sum, err := f.Close()
		if app.all() != "a1 b1 n1 a2" || r.saved() != "0 1 4" || err != nil || sum != (forward.Summary{Taken: 4}) {
			t.Errorf("posted %s, saved %s, %v, %v", app.all(), r.saved(), sum, err)
		}
	})
}

// TestAttempts: what nobody answers is tried again and then given up; an answer is an answer.
func TestAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := map[string]int{}
		app := &application{answer: func(body string) (int, error) {
			calls[body]++
			switch {
			case body == "never", body == "later" && calls[body] < 3:
				return 0, errors.New("connection refused")
			case body == "wrong":
				return 500, nil
			}
			return 204, nil
		}}
		f, r := newForwarder(app)
		began := time.Now()
		for i, body := range []string{"never", "later", "wrong"} {
			if err := f.Take(t.Context(), fmt.Sprint(i), event("ana", body)); err != nil {
				t.Fatal(err)
			}
		}
		sum, err := f.Close()
		want := "never 0 true 500ms|never 0 true 1s|never 0 true 2s|never 0 true 4s|never 0 true 0s|later 0 true 500ms|later 0 true 1s|later 204 false 0s|wrong 500 false 0s"
		if got := strings.Join(r.outcomes, "|"); got != want || sum != (forward.Summary{Taken: 1, Refused: 1, GivenUp: 1}) || err != nil {
			t.Errorf("%s\nwant %s\n%v, %v", got, want, sum, err)
		}
		if took := time.Since(began); took != 9*time.Second {
			t.Errorf("it took %s", took)
		}
		if sum.String() != "1 taken, 1 answered with an error, 1 given up" {
			t.Error(sum)
		}
	})
}

// TestUntold: an event that the server cannot tell is passed, and told of.
func TestUntold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &application{answer: func(string) (int, error) { return 200, nil }}
		f, r := newForwarder(app)
		e := event("ana", "")
		e.Error, e.Body = "it says nothing", nil
		if err := errors.Join(f.Take(t.Context(), "0", e), f.Take(t.Context(), "1", event("ana", "a1"))); err != nil {
			t.Fatal(err)
		}
		sum, err := f.Close()
		if app.all() != "a1" || r.saved() != "0 1" || sum != (forward.Summary{Taken: 1, GivenUp: 1}) || err != nil {
			t.Errorf("posted %q, saved %s, %v, %v", app.all(), r.saved(), sum, err)
		}
		if e.Line() != "message.received ana (cannot be told: it says nothing)" {
			t.Error(e.Line())
		}
	})
}

// TestEnd: at the end what is under way is not over, so that the next start begins before it.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &application{answer: func(body string) (int, error) {
			if body == "a2" {
				return 0, errors.New("connection refused")
			}
			return 200, nil
		}}
		f, r := newForwarder(app)
		ctx, cancel := context.WithCancel(t.Context())
		for i, e := range []*forward.Entry{event("ana", "a1"), event("ana", "a2"), event("budi", "b1")} {
			if err := f.Take(ctx, fmt.Sprint(i), e); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		cancel()
		sum, err := f.Close()
		if r.saved() != "0" || sum != (forward.Summary{Taken: 2}) || err != nil {
			t.Errorf("saved %s, %v, %v", r.saved(), sum, err)
		}
	})
}

// TestAhead: no more than so many events wait here; the rest waits at the server.
func TestAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		f, _ := newForwarder(&application{answer: func(string) (int, error) { <-open; return 200, nil }})
		taken := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 200 {
				if f.Take(t.Context(), fmt.Sprint(i), event(fmt.Sprint(i%20), "x")) == nil {
					taken++
				}
			}
		}()
		synctest.Wait()
		if taken != 64 {
			t.Errorf("%d events were taken while none is answered", taken)
		}
		close(open)
		<-done
		if sum, err := f.Close(); sum.Taken != 200 || err != nil {
			t.Error(sum, err)
		}
	})
}

// TestHeaders: a post is proved as a webhook of the server is, and carries what the server adds.
func TestHeaders(t *testing.T) {
	var got *http.Request
	var body []byte
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer app.Close()
	f := forward.NewForwarder(forward.Options{URL: app.URL + "/hook?a=b", Secret: secret, HTTP: app.Client(), Agent: "Kabar/test", Told: func(forward.Outcome) {}})
	e := event("ana", `{"body":"\u00e9"}`)
	e.Headers = http.Header{"X-Hub-Signature-256": {"sha256=00"}}
	if err := f.Take(t.Context(), "1", e); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(); err != nil {
		t.Fatal(err)
	}
	err := signature.Verify([]string{secret}, got.Header, body, time.Now())
	if err != nil || string(body) != string(e.Body) || got.Header.Get("Webhook-Id") != e.ID || got.Header.Get("X-Hub-Signature-256") != "sha256=00" ||
		got.RequestURI != "/hook?a=b" || got.UserAgent() != "Kabar/test" {
		t.Errorf("%v %v %s, %v", got.RequestURI, got.Header, body, err)
	}
}

func TestCheckURL(t *testing.T) {
	for url, ok := range map[string]bool{"http://localhost:3000/hook": true, "https://127.0.0.1": true, "HTTP://[::1]:1/": true, "ftp://localhost/": false,
		"localhost:3000": false, "file:///etc/passwd": false, "": false, "http://": false, "http://a b/": false} {
		if err := forward.CheckURL(url); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestState: the secret is made once, for its owner only, also when two begin at once; listeners are kept apart.
func TestState(t *testing.T) {
	s := forward.State{Dir: t.TempDir() + "/kabar"}
	secrets := make([]string, 8)
	var all sync.WaitGroup
	for i := range secrets {
		all.Go(func() { secrets[i], _ = s.Secret() })
	}
	all.Wait()
	for _, secret := range secrets {
		if secret == "" || secret != secrets[0] {
			t.Errorf("secrets %q", secrets)
		}
	}
	a, b := s.Place("server", "key", "x"), s.Place("server", "keyx", "")
	if cursor, err := a.Cursor(); cursor != "" || err != nil {
		t.Error(cursor, err)
	}
	if err := errors.Join(a.Save("one"), a.Save("two"), b.Save("three")); err != nil {
		t.Fatal(err)
	}
	if cursor, err := s.Place("server", "key", "x").Cursor(); cursor != "two" || err != nil {
		t.Error(cursor, err)
	}
}
