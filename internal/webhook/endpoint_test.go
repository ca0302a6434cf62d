package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/patience"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/webhook"
)

func TestEventsWaitForAURL(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.aim("")
		v.tell(0, 1)
		began := v.now()
		v.start()
		settle(time.Hour)
		v.tell(2)
		settle(time.Hour)
		if b := v.backlog(); b.Pending != 3 || !b.Oldest.Equal(began) || b.Failing || len(v.sink.got()) != 0 {
			t.Errorf("without a URL: %+v", b)
		}
		v.aim(hook)
		settle(time.Second)
		v.wantDone(3)
	})
}

// TestAnotherURL has events on their way to an application that is down when the URL changes.
func TestAnotherURL(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.sink.respond(by(func(c *call) int {
			if c.url == hook {
				return 500
			}
			return 200
		}))
		v.start()
		v.tell(0, 0, 1)
		settle(time.Hour)
		old := v.sink.of(1)
		v.sink.reset()
		v.aim("https://new.example/")
		settle(time.Second)
		for _, c := range v.sink.got() {
			if c.url != "https://new.example/" {
				t.Errorf("a request still went to %s", c.url)
			}
			if c.Seq == 1 && (c.id != old[0].id || c.body != old[0].body) {
				t.Errorf("the new URL got %s %s, the old one %s %s", c.id, c.body, old[0].id, old[0].body)
			}
		}
		v.wantDone(3)
	})
}

// TestURLRemoved has requests under way that never end.
func TestURLRemoved(t *testing.T) {
	bubble(t, 3, func(v *env) {
		ended := 0
		v.sink.respond(func(ctx context.Context, _ *call) (*http.Response, error) {
			<-ctx.Done()
			v.sink.mu.Lock()
			ended++
			v.sink.mu.Unlock()
			return nil, ctx.Err()
		})
		v.start()
		v.tell(0, 1, 2)
		settle(500 * time.Millisecond)
		v.aim("")
		settle(1500 * time.Millisecond)
		v.sink.mu.Lock()
		if ended != 3 || len(v.sink.calls) != 3 {
			t.Errorf("%d of %d requests have ended", ended, len(v.sink.calls))
		}
		v.sink.mu.Unlock()
		settle(time.Hour)
		if b := v.backlog(); b.Pending != 3 || len(v.sink.got()) != 3 {
			t.Errorf("without a URL: %+v and %d requests", b, len(v.sink.got()))
		}
		if _, rows := v.disk(); len(rows) != 0 {
			t.Errorf("an ended request counts as a failure: %q", states(rows))
		}
		v.sink.respond(always(200))
		v.aim(hook)
		settle(time.Second)
		v.wantDone(3)
	})
}

// TestEndsWithRequestsUnderWay lets them finish when they are quick.
func TestEndsWithRequestsUnderWay(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.sink.respond(func(ctx context.Context, c *call) (*http.Response, error) {
			if c.Conversation == v.customers[0] {
				time.Sleep(500 * time.Millisecond)
				return response(200, ""), ctx.Err()
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		v.start()
		v.tell(0, 1)
		settle(time.Millisecond)
		began := time.Now()
		v.stop()
		if d := time.Since(began); d != time.Second {
			t.Errorf("it took %v to end", d)
		}
		if mark, rows := v.disk(); mark != 1 || len(rows) != 0 {
			t.Errorf("mark %d with rows %q, want 1 and none", mark, states(rows))
		}
	})
}

func TestNotWanted(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.render = func(ev *kabar.Event, n *kabar.Number, s kabar.Settings) ([]byte, bool, error) {
			body, _, err := render(ev, n, s)
			return body, s.SentEvents || ev.Seq%2 == 0, err
		}
		v.start()
		v.tell(0, 1, 2, 0, 1, 2)
		settle(time.Second)
		v.set(func(s *kabar.Settings) { s.SentEvents = true })
		v.tell(0)
		settle(time.Second)
		var got []int64
		for _, c := range v.sink.got() {
			got = append(got, c.Seq)
		}
		slices.Sort(got)
		if want := []int64{2, 4, 6, 7}; !slices.Equal(got, want) {
			t.Errorf("requests for %v, want %v", got, want)
		}
		v.wantDone(7)
	})
}

func TestRendererError(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.render = func(ev *kabar.Event, n *kabar.Number, s kabar.Settings) ([]byte, bool, error) {
			if ev.Seq == 1 {
				return nil, false, errors.New("cannot be told")
			}
			return render(ev, n, s)
		}
		v.start()
		v.tell(0, 0)
		v.every(time.Minute, 1)
		if b := v.backlog(); b.Pending != 2 || b.Parked != 1 || b.Failing || len(v.sink.got()) != 60 {
			t.Errorf("%+v and %d requests, want those of the other customer", b, len(v.sink.got()))
		}
		v.mu.Lock()
		v.render = render
		v.mu.Unlock()
		settle(time.Minute)
		v.wantDone(62)
	})
}

// TestNumberIsNotAttachedYet has its events wait.
func TestNumberIsNotAttachedYet(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.detached = errors.New("not attached")
		v.start()
		v.tell(0, 1)
		settle(time.Minute)
		if b := v.backlog(); b.Pending != 2 || len(v.sink.got()) != 0 {
			t.Errorf("%+v and %d requests", b, len(v.sink.got()))
		}
		v.mu.Lock()
		v.detached = nil
		v.mu.Unlock()
		settle(2 * time.Second)
		v.wantDone(2)
	})
}

func TestWakeNeverBlocks(t *testing.T) {
	bubble(t, 1, func(v *env) {
		d := webhook.New(webhook.Options{Store: v.DB})
		for range 10_000 {
			d.Wake(v.number.ID)
			d.Wake(999)
		}
		d.Shifted()
		v.start()
		v.sink.respond(func(ctx context.Context, _ *call) (*http.Response, error) { <-ctx.Done(); return nil, ctx.Err() })
		v.tell(0)
		synctest.Wait()
		for range 10_000 {
			v.d.Wake(v.number.ID)
			v.d.Wake(999)
		}
	})
}

// add adds a number with an endpoint.
func (v *env) add(digits, url string) (n *kabar.Number) {
	v.t.Helper()
	v.write(func(tx *store.Tx) error {
		n = &kabar.Number{Account: v.number.Account, Digits: digits}
		if err := tx.AddNumber(n, v.settings, v.now()); err != nil {
			return err
		}
		return tx.AddEndpoint(&kabar.Endpoint{Account: n.Account, Number: n.ID, Dialect: kabar.OnPrem, EndpointConfig: kabar.EndpointConfig{URL: url}}, v.now())
	})
	return n
}

// TestEndpointsDoNotWaitForEachOther also shows that new numbers and new endpoints are noticed.
func TestEndpointsDoNotWaitForEachOther(t *testing.T) {
	bubble(t, 10, func(v *env) {
		v.sink.respond(func(ctx context.Context, c *call) (*http.Response, error) {
			if c.url == hook {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return response(200, ""), nil
		})
		v.start()
		for c := range 10 {
			v.tell(c, c)
		}
		settle(time.Minute)
		v.write(func(tx *store.Tx) error { // a second endpoint of the number, from the beginning of its log
			return tx.AddEndpoint(&kabar.Endpoint{Account: v.number.Account, Number: v.number.ID, Dialect: kabar.OnPrem, EndpointConfig: kabar.EndpointConfig{URL: "https://two.example/"}}, v.now())
		})
		v.d.Wake(v.number.ID)
		settle(time.Second)
		ids := map[string]int{}
		for _, c := range v.sink.got() {
			if c.status == 200 {
				ids[c.id]++
			}
		}
		for _, c := range v.sink.got() {
			if c.url == hook && ids[c.id] > 0 {
				t.Fatalf("two endpoints got the same id %s", c.id)
			}
		}
		if len(ids) != 20 {
			t.Errorf("%d events at the second endpoint, want 20", len(ids))
		}
	})
}

// TestIdleEndpointsAreCheap has a thousand of them for a day.
func TestIdleEndpointsAreCheap(t *testing.T) {
	bubble(t, 1, func(v *env) {
		endpoints := volume(1000)
		goroutines, before := runtime.NumGoroutine(), heap()
		for i := range endpoints {
			v.add(fmt.Sprint(62811000000+i), fmt.Sprintf("https://app%d.example/", i))
		}
		v.start()
		settle(24 * time.Hour)
		if n := runtime.NumGoroutine() - goroutines; n > endpoints+10 {
			t.Errorf("%d goroutines for %d endpoints", n, endpoints)
		}
		if grown := int64(heap()) - int64(before); grown > 16<<20 {
			t.Errorf("%d KiB for %d endpoints", grown>>10, endpoints)
		}
		v.tell(0)
		settle(0)
		if n := len(v.sink.got()); n != 1 {
			t.Errorf("%d requests", n)
		}
		if all, err := v.d.Backlog(context.Background()); err != nil || len(all) != endpoints+1 {
			t.Errorf("%d backlogs, %v", len(all), err)
		}
	})
}

// TestEventsThatAreGone were removed by retention, or are about a person who has been erased: there is nothing to tell.
func TestEventsThatAreGone(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.sink.respond(always(500))
		v.start()
		v.tell(0, 0, 1, 2)
		settle(time.Second)
		v.stop()
		v.exec("DELETE FROM event WHERE seq = 2")
		v.exec("DELETE FROM conversation WHERE id = $1", int64(v.customers[1]))
		v.Reopen(v.t)
		v.sink.reset()
		v.sink.respond(always(200))
		v.start()
		settle(time.Minute)
		var got []int64
		for _, c := range v.sink.got() {
			got = append(got, c.Seq)
		}
		slices.Sort(got)
		if want := []int64{1, 4}; !slices.Equal(got, want) {
			t.Errorf("requests for %v, want %v", got, want)
		}
		v.wantDone(4)
	})
}

// TestErasedWhileUnderWay has the key of a person go while an attempt is about to fail.
func TestErasedWhileUnderWay(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
			if c.Conversation == v.customers[0] && c.n == 1 {
				v.exec("DELETE FROM conversation WHERE id = $1", int64(v.customers[0]))
				return response(500, ""), nil
			}
			return response(200, ""), nil
		})
		v.start()
		v.tell(0, 1)
		settle(time.Minute)
		v.wantDone(2)
	})
}

// exec executes a statement behind the store's back.
func (v *env) exec(text string, args ...any) {
	v.t.Helper()
	if err := v.Exec(v.t, text, args...); err != nil {
		v.t.Fatal(err)
	}
}

// TestBothDatabases delivers, parks and goes on after a restart, in real time.
func TestBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		v := newEnvOn(t, s, 5)
		v.settings.BackoffStep = 20 * time.Millisecond
		v.sink.respond(v.refuse(0, 1))
		v.start()
		for c := range 200 {
			v.tell(c % 5)
		}
		v.eventually(func(b webhook.Backlog) bool { return b.Pending == 80 && b.Parked == 2 })
		v.restart()
		v.eventually(func(b webhook.Backlog) bool { return b.Pending == 80 && b.Parked == 2 })
		v.sink.respond(always(200))
		v.eventually(func(b webhook.Backlog) bool { return b.Pending == 0 && b.Parked == 0 })
		v.inOrder(200)
	})
}

// eventually waits in real time until the backlog is as it should be.
func (v *env) eventually(ok func(b webhook.Backlog) bool) {
	v.t.Helper()
	if !patience.Comes(func() bool {
		all, err := v.d.Backlog(v.t.Context())
		if err != nil {
			v.t.Fatal(err)
		}
		b, known := all[v.endpoint.ID]
		return known && ok(b)
	}) {
		v.t.Fatalf("the backlog stays %+v", v.backlog())
	}
}
