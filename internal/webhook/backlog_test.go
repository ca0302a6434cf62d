package webhook_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"kabar/internal/egress"
	"kabar/internal/patience"
	"kabar/internal/webhook"
)

// TestBacklogCostsNoMemory queues a hundred thousand events, of which some are parked, restarts, and drains them.
func TestBacklogCostsNoMemory(t *testing.T) {
	const most = 12 << 20
	events := volume(100_000)
	v := newEnv(t, 500)
	v.sink.forget = true
	v.settings.Concurrency = 24
	v.settings.BackoffStep = time.Second
	v.sink.respond(always(500))
	v.fillLog(events)
	before := heap()
	check := func(when string) {
		t.Helper()
		if grown := int64(heap()) - int64(before); grown > most {
			t.Errorf("%s: the heap has grown by %d KiB", when, grown>>10)
		}
	}
	v.start()
	v.eventually(func(b webhook.Backlog) bool { return b.LastStatus == 500 })
	check("with an endpoint that is down")
	v.sink.respond(v.refuseSome())
	v.eventuallyMark(int64(events / 2))
	check("while it drains")
	v.restart()
	v.eventuallyMark(int64(events))
	check("when a fifth of it is parked")
	if b := v.backlog(); b.Parked < 90 || b.Pending < int64(events/5) {
		t.Errorf("backlog %+v, want a fifth of the events parked", b)
	}
	v.restart()
	v.eventually(func(b webhook.Backlog) bool { return b.Parked >= 90 })
	check("after a restart with parked customers")
	v.stop()
}

// refuseSome answers 500 to a fifth of the customers.
func (v *env) refuseSome() answer {
	return by(func(c *call) int {
		if (c.Conversation-v.customers[0])%5 == 0 {
			return 500
		}
		return 200
	})
}

func (v *env) eventuallyMark(least int64) {
	v.t.Helper()
	mark := func() int64 {
		eps, err := v.DB.Endpoints(context.Background(), v.number.ID)
		if err != nil {
			v.t.Fatal(err)
		}
		return eps[0].Mark
	}
	for now := mark(); now < least; now = mark() { // as long as it moves
		if !patience.Comes(func() bool { return mark() > now }) {
			v.t.Fatalf("the mark does not reach %d: %+v", least, v.backlog())
		}
	}
}

// TestOverHTTP is against a real server; connections are kept.
func TestOverHTTP(t *testing.T) {
	v := newEnv(t, 3)
	connections, requests := 0, 0
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		defer v.mu.Unlock()
		requests++
		if len(r.Header["Idempotency-Key"]) != 0 || r.Header.Get("Webhook-Id") == "" || r.ContentLength < 10 || r.Method != http.MethodPost {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		_, _ = w.Write(make([]byte, 10_000)) // a broken connection shows in the number of requests
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			v.mu.Lock()
			connections++
			v.mu.Unlock()
		}
	}
	srv.Start()
	defer srv.Close()
	v.client = egress.New(egress.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	v.aim(srv.URL + "/hook?token=1")
	v.start()
	for range 100 {
		v.tell(0, 1, 2)
	}
	v.eventuallyMark(300)
	v.stop()
	if requests != 300 || connections > 6 {
		t.Errorf("%d requests over %d connections", requests, connections)
	}
}
