package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
)

// offsets are the times of calls after the first one.
func offsets(calls []*call) (all []time.Duration) {
	for _, c := range calls {
		all = append(all, c.at.Sub(calls[0].at))
	}
	return all
}

// bubble runs a test with a clock of its own.
func bubble(t *testing.T, customers int, f func(v *env)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newEnv(t, customers)) })
}

// settle lets d pass.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestDelivers(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.tell(0, 1, 0) // before the start
		v.start()
		settle(time.Second)
		v.tell(2, 0)
		settle(0)
		calls := v.sink.got()
		if len(calls) != 5 {
			t.Fatalf("%d requests, want 5", len(calls))
		}
		c := calls[0]
		for name, want := range map[string]string{"Content-Type": "application/json", "User-Agent": "Kabar/1.2.3",
			"Webhook-Timestamp": fmt.Sprint(c.at.Unix())} {
			if got := c.header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if !strings.HasPrefix(c.id, "evt_") || len(c.id) != 30 || strings.Contains(c.id, ".") || c.url != hook {
			t.Errorf("id %q at %q", c.id, c.url)
		}
		v.wantDone(5)
	})
}

func TestBackoff(t *testing.T) {
	bubble(t, 1, func(v *env) {
		v.set(func(s *kabar.Settings) { s.BackoffCap = 20 * time.Second })
		v.sink.respond(always(500))
		v.tell(0, 0)
		v.start()
		settle(150 * time.Second)
		calls := v.sink.got()
		var want []time.Duration
		for _, s := range []int{0, 3, 9, 18, 30, 45, 63, 83, 103, 123, 143} {
			want = append(want, time.Duration(s)*time.Second)
		}
		if got := offsets(calls); !slices.Equal(got, want) {
			t.Errorf("attempts after %v, want %v", got, want)
		}
		if len(v.sink.of(2)) != 0 {
			t.Error("the customer's second event did not wait for the first one")
		}
		b := v.backlog()
		if b.Pending != 2 || !b.Failing || b.Parked != 0 || b.LastStatus != 500 || b.LastError == "" || !b.Oldest.Equal(calls[0].at) {
			t.Errorf("backlog %+v", b)
		}
		v.sink.respond(always(200))
		settle(20 * time.Second)
		v.wantDone(2)
	})
}

func TestBackoffToTheContractsCap(t *testing.T) {
	bubble(t, 1, func(v *env) {
		v.sink.respond(always(500))
		v.tell(0)
		v.start()
		settle(48 * time.Hour)
		calls := v.sink.got()
		for n := 1; n < len(calls); n++ {
			want := min(time.Duration(n)*3*time.Second, 15*time.Minute)
			if got := calls[n].at.Sub(calls[n-1].at); got != want {
				t.Fatalf("failure %d waited %v, want %v", n, got, want)
			}
		}
		if len(calls) < 340 {
			t.Errorf("%d attempts in two days", len(calls))
		}
	})
}

func TestOnly200IsSuccess(t *testing.T) {
	for _, status := range []int{201, 202, 204, 206, 226, 301, 302, 307, 308, 400, 401, 404, 429, 500, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			bubble(t, 1, func(v *env) {
				v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
					if c.n > 1 {
						return response(200, ""), nil
					}
					r := response(status, "")
					r.Header.Set("Location", "https://elsewhere.example/")
					return r, nil
				})
				v.tell(0)
				v.start()
				settle(time.Second)
				if b := v.backlog(); b.LastStatus != status || b.LastError != fmt.Sprintf("answered %d", status) || b.Pending != 1 {
					t.Errorf("backlog %+v", b)
				}
				settle(3 * time.Second)
				if got := v.sink.got(); len(got) != 2 || got[1].url != hook {
					t.Errorf("%d requests, want 2", len(got))
				}
				v.wantDone(1)
			})
		})
	}
}

// dribble is a body that gives a byte every second, forever or until it breaks.
type dribble struct {
	ctx  context.Context
	left int
}

func (d *dribble) Read(p []byte) (int, error) {
	if d.left--; d.left < 0 {
		return 0, errors.New("connection reset")
	}
	select {
	case <-time.After(time.Second):
		p[0] = 'x'
		return 1, nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

func (d *dribble) Close() error { return nil }

// flood is an endless body; it counts what was read.
type flood struct{ read int }

func (f *flood) Read(p []byte) (int, error) { f.read += len(p); return len(p), nil }
func (f *flood) Close() error               { return nil }

func TestBadAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body  func(ctx context.Context) io.ReadCloser // of a 200
		after time.Duration                           // of the second attempt; 0: the first one is a success
	}{
		"slow body":     {func(ctx context.Context) io.ReadCloser { return &dribble{ctx, 1000} }, 8 * time.Second},
		"broken body":   {func(ctx context.Context) io.ReadCloser { return &dribble{ctx, 2} }, 5 * time.Second},
		"no answer":     {func(ctx context.Context) io.ReadCloser { <-ctx.Done(); return nil }, 8 * time.Second},
		"endless body":  {func(context.Context) io.ReadCloser { return &flood{} }, 0},
		"body in 4.9 s": {func(context.Context) io.ReadCloser { time.Sleep(4900 * time.Millisecond); return http.NoBody }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 1, func(v *env) {
				var body io.ReadCloser
				v.sink.respond(func(ctx context.Context, a *call) (*http.Response, error) {
					r := response(200, "")
					if a.n > 1 {
						return r, nil
					}
					if body = c.body(ctx); body == nil {
						return nil, ctx.Err()
					}
					r.Body, r.ContentLength = body, -1
					return r, nil
				})
				v.tell(0)
				v.start()
				settle(20 * time.Second)
				got := offsets(v.sink.got())
				switch {
				case c.after == 0 && len(got) != 1:
					t.Errorf("attempts after %v, want one", got)
				case c.after != 0 && (len(got) != 2 || got[1] != c.after):
					t.Errorf("attempts after %v, want the second one after %v", got, c.after)
				}
				if f, ok := body.(*flood); ok && f.read > 128<<10 {
					t.Errorf("%d bytes of the answer were read", f.read)
				}
				v.wantDone(1)
			})
		})
	}
}
