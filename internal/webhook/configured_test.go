package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/signature"
	outlet "kabar/internal/sink"
	"kabar/internal/webhook"
)

func TestAnEndpointIsToldOfWhatItsFilterWants(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.configure(func(c *kabar.EndpointConfig) { c.Filter.Types = []string{"message.deleted"} })
		v.start()
		v.tell(0)
		v.tellKind(kabar.EventDeleted, 0, 1)
		v.tell(1)
		settle(time.Second)
		if calls := v.sink.got(); len(calls) != 2 || calls[0].Kind != kabar.EventDeleted || calls[1].Kind != kabar.EventDeleted {
			t.Errorf("%d requests, want the two of deleted messages", len(calls))
		}
		v.wantDone(4)
		if log, err := v.DB.Taken(v.t.Context(), v.number.ID, v.endpoint.ID, 0, 10); len(log) != 2 || err != nil {
			t.Errorf("the log has %d events (%v), want the two that were sent", len(log), err)
		}
	})
}

func TestRequestsAreSignedUnderEverySecretThatHolds(t *testing.T) {
	bubble(t, 1, func(v *env) {
		old, next := signature.New(), signature.New()
		v.configure(func(c *kabar.EndpointConfig) {
			c.Secrets = []kabar.EndpointSecret{{Value: next}, {Value: old, Until: v.now().Add(time.Hour)}}
			c.Headers = map[string]string{"authorization": "Basic eDp5"}
		})
		v.start()
		v.tell(0)
		settle(2 * time.Hour)
		v.tell(0)
		settle(time.Second)
		calls := v.sink.got()
		if len(calls) != 2 {
			t.Fatalf("%d requests, want 2", len(calls))
		}
		for i, want := range []map[string]bool{{old: true, next: true}, {old: false, next: true}} {
			for secret, good := range want {
				if err := signature.Verify([]string{secret}, calls[i].header, []byte(calls[i].body), calls[i].at); (err == nil) != good {
					t.Errorf("request %d, under the secret that was there first %v: %v, want good %v", i+1, secret == old, err, good)
				}
			}
			if got := calls[i].header.Get("Authorization"); got != "Basic eDp5" {
				t.Errorf("the endpoint's own header is %q", got)
			}
		}
	})
}

func TestTheLogKeepsFailuresInFullAndSuccessesInShort(t *testing.T) {
	for _, redact := range []bool{false, true} {
		t.Run(fmt.Sprint("redact ", redact), func(t *testing.T) {
			bubble(t, 1, func(v *env) {
				v.configure(func(c *kabar.EndpointConfig) { c.Redact = redact })
				v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
					if c.n == 3 {
						return response(200, "fine"), nil
					}
					res := response(500, strings.Repeat("no", 4096))
					res.Header.Set("X-Trace", "77")
					return res, nil
				})
				v.start()
				v.tell(0)
				settle(time.Minute)
				v.wantDone(1)
				tries, err := v.DB.Attempts(v.t.Context(), v.number.ID, v.endpoint.ID, 1)
				if err != nil || len(tries) != 2 {
					t.Fatalf("%d failed attempts (%v), want 2", len(tries), err)
				}
				body, trace := 4096, "77"
				if redact {
					body, trace = 0, ""
				}
				for i, a := range tries {
					if a.N != i+1 || a.Status != 500 || a.Error != "HTTP 500" || len(a.Body) != body || http.Header(a.Header).Get("X-Trace") != trace {
						t.Errorf("attempt %+v with a body of %d, want 500 with the first %d bytes of the answer", a, len(a.Body), body)
					}
				}
				log, err := v.DB.Taken(v.t.Context(), v.number.ID, v.endpoint.ID, 0, 10)
				if err != nil || len(log) != 1 || log[0].Seq != 1 || log[0].Status != 200 || log[0].Failed != 2 {
					t.Errorf("log %+v (%v), want the event, taken with 200 after two failures", log, err)
				}
			})
		})
	}
}

func TestAnAnswerCanAskForQuiet(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
			if c.Seq > 1 || c.n > 1 {
				return response(200, ""), nil
			}
			res := response(429, "")
			res.Header.Set("Retry-After", "90")
			return res, nil
		})
		v.start()
		v.tell(0)
		settle(time.Second)
		v.tell(1, 2, 0)
		settle(80 * time.Second)
		if n := len(v.sink.got()); n != 1 {
			t.Errorf("%d requests in the time that the application asked for, want none but the first", n)
		}
		settle(10 * time.Second)
		v.wantDone(4)
	})
}

func TestEvery2xxIsASuccessWhereTheProfileSaysSo(t *testing.T) {
	bubble(t, 1, func(v *env) {
		v.options = func(o *webhook.Options) {
			o.Profile = map[kabar.Dialect]webhook.Profile{kabar.OnPrem: {First: time.Second, Most: time.Minute, Any2xx: true}}
		}
		status := 204
		v.sink.respond(by(func(*call) int { return status }))
		v.start()
		v.tell(0)
		settle(time.Second)
		v.wantDone(1)
		status = 302
		v.tell(0)
		settle(time.Second)
		if b := v.backlog(); b.Pending != 1 || b.LastStatus != 302 {
			t.Errorf("after a redirect: %+v, want it to have failed", b)
		}
	})
}

func TestABatchHoldsMoreWhileTheEndpointIsBehind(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.options = func(o *webhook.Options) {
			o.Profile = map[kabar.Dialect]webhook.Profile{kabar.OnPrem: {First: time.Second, Most: time.Minute, Batch: 200}}
		}
		v.tell(slices.Repeat([]int{0, 1, 2}, 500)...)
		v.start()
		settle(time.Second)
		v.wantDone(1500)
		first, last, n := 0, 0, 0
		for _, c := range v.sink.got() {
			first, last, n = max(first, len(c.Batch)), len(c.Batch), n+1
		}
		if first != 200 || last != 1 || n < 50 {
			t.Errorf("%d requests, the largest with %d events and the last with %d; want 200 while it is behind, and one when it has caught up", n, first, last)
		}
	})
}

func TestABodyOfManyEventsIsBounded(t *testing.T) {
	bubble(t, 40, func(v *env) {
		v.render = func(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
			return fmt.Appendf(nil, `{"seq":%d,"conversation":%d,"kind":%q,"pad":%q}`, ev.Seq, ev.Conversation, ev.Kind, strings.Repeat("x", 1<<20)), true, nil
		}
		v.configure(func(c *kabar.EndpointConfig) { c.Batch, c.Concurrency = 100, 1 })
		for c := range 40 {
			v.tell(c)
		}
		v.start()
		settle(time.Second)
		v.wantDone(40)
		for _, c := range v.sink.got() {
			if len(c.body) > 3<<20+1000 {
				t.Errorf("a body of %d bytes with %d events", len(c.body), len(c.Batch))
			}
		}
		if n := len(v.sink.got()); n > 21 {
			t.Errorf("%d requests for 40 events of 1 MiB, want two or three in each", n)
		}
	})
}

// queue is a sink of another kind.
type queue struct {
	mu     sync.Mutex
	events []outlet.Event
	broken bool
	closed int
}

func (q *queue) Publish(_ context.Context, e outlet.Event) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = append(q.events, e)
	if q.broken {
		return errors.New("the stream is full")
	}
	return nil
}

func (q *queue) Close() error { q.closed++; return nil }

func TestEventsGoToASinkWithTheSameIDs(t *testing.T) {
	bubble(t, 2, func(v *env) {
		q := &queue{broken: true}
		v.options = func(o *webhook.Options) {
			o.Sinks = map[string]func(context.Context, *kabar.EndpointConfig) (webhook.Sink, error){"queue": func(_ context.Context, c *kabar.EndpointConfig) (webhook.Sink, error) {
				if c.URL != "queue://broker/events" {
					t.Errorf("opened with %s", c.URL)
				}
				return q, nil
			}}
		}
		secret := signature.New()
		v.configure(func(c *kabar.EndpointConfig) {
			c.URL, c.Secrets = "queue://broker/events", []kabar.EndpointSecret{{Value: secret}}
		})
		v.tell(0, 1)
		v.start()
		settle(time.Second)
		q.mu.Lock()
		q.broken = false
		q.mu.Unlock()
		settle(time.Minute)
		v.wantDone(2)
		if len(q.events) != 4 || len(v.sink.got()) != 0 {
			t.Fatalf("%d events published, want each of the two twice", len(q.events))
		}
		ids, keys := map[string]int{}, map[string]bool{}
		for _, e := range q.events {
			ids[e.ID]++
			keys[e.Key] = true
			if err := signature.Verify([]string{secret}, e.Header, e.Body, time.Now()); err != nil && !errors.Is(err, context.Canceled) {
				if at := e.Header.Get("Webhook-Timestamp"); at == "" {
					t.Errorf("published without a time: %v", err)
				}
			}
			if !strings.HasSuffix(e.Topic, ".message.received") {
				t.Errorf("topic %q", e.Topic)
			}
		}
		if len(ids) != 2 || len(keys) != 2 {
			t.Errorf("ids %v and %d keys, want two each", ids, len(keys))
		}
		v.stop()
		if q.closed != 1 {
			t.Errorf("the sink was closed %d times", q.closed)
		}
	})
}

// TestManyCustomersShareRequestsWhileBehind has a thousand customers with an event each: that they are many must not hide that they wait.
func TestManyCustomersShareRequestsWhileBehind(t *testing.T) {
	bubble(t, 1000, func(v *env) {
		v.options = func(o *webhook.Options) {
			o.Profile = map[kabar.Dialect]webhook.Profile{kabar.OnPrem: {First: time.Second, Most: time.Minute, Batch: 1000}}
		}
		v.tell(everyone(1000)...)
		v.start()
		settle(0)
		v.wantDone(1000)
		most := 0
		for _, c := range v.sink.got() {
			most = max(most, len(c.Batch))
		}
		if most < 500 {
			t.Errorf("the largest request has %d events, want 500 or more", most)
		}
	})
}

// TestASinkThatCannotBeOpenedIsAFailure, again and again, and nothing worse.
func TestASinkThatCannotBeOpenedIsAFailure(t *testing.T) {
	bubble(t, 1, func(v *env) {
		q := &queue{}
		var up atomic.Bool
		v.options = func(o *webhook.Options) {
			o.Sinks = map[string]func(context.Context, *kabar.EndpointConfig) (webhook.Sink, error){"queue": func(context.Context, *kabar.EndpointConfig) (webhook.Sink, error) {
				if !up.Load() {
					return (*queue)(nil), errors.New("nobody listens")
				}
				return q, nil
			}}
		}
		v.configure(func(c *kabar.EndpointConfig) { c.URL = "queue://broker/events" })
		v.tell(0)
		v.start()
		settle(time.Minute)
		if b := v.backlog(); b.Pending != 1 || !strings.Contains(b.LastError, "nobody listens") {
			t.Errorf("%+v, want the event to wait", b)
		}
		up.Store(true)
		settle(time.Minute)
		v.wantDone(1)
	})
}
