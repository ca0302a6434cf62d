package webhook_test

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
)

// replay has the events above since up to until told once more.
func (v *env) replay(since, until int64) *store.Replay {
	v.t.Helper()
	r := &store.Replay{Account: v.number.Account, Number: v.number.ID, Endpoint: v.endpoint.ID, Since: since, Until: until}
	v.write(func(tx *store.Tx) error {
		tx.After(func() { v.d.Wake(v.number.ID) })
		return tx.AddReplay(r, v.now())
	})
	return r
}

func (v *env) replayed(r *store.Replay) *store.Replay {
	v.t.Helper()
	now, err := v.DB.Replay(v.t.Context(), r.ID)
	if err != nil {
		v.t.Fatal(err)
	}
	return now
}

func TestAReplayTellsOnceMoreTheSameUnderTheSameIDs(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.start()
		v.tell(0, 1, 2, 0, 1, 2, 0, 1)
		settle(time.Second)
		first := v.sink.got()
		v.sink.reset()
		r := v.replay(2, 6)
		v.tell(2) // what happens now goes its own way
		settle(time.Second)
		var seqs []int64
		for _, c := range v.sink.got() {
			if c.Seq == 9 {
				if c.header.Get("Kabar-Replay") != "" {
					t.Error("a new event is marked as replayed")
				}
				continue
			}
			seqs = append(seqs, c.Seq)
			i := slices.IndexFunc(first, func(f *call) bool { return f.Seq == c.Seq })
			if c.id != first[i].id || c.body != first[i].body || c.header.Get("Kabar-Replay") != "true" {
				t.Errorf("event %d came as %s %s with kabar-replay %q, and first as %s %s", c.Seq, c.id, c.body, c.header.Get("Kabar-Replay"), first[i].id, first[i].body)
			}
		}
		slices.Sort(seqs)
		if !slices.Equal(seqs, []int64{3, 4, 5, 6}) {
			t.Errorf("replayed were %v, want 3 to 6", seqs)
		}
		v.wantDone(9)
		if now := v.replayed(r); now.State != store.ReplayDone || now.Ended.IsZero() {
			t.Errorf("the replay is %+v, want done", now)
		}
		if log, err := v.DB.Taken(v.t.Context(), v.number.ID, v.endpoint.ID, 0, 100); len(log) != 9 || err != nil {
			t.Errorf("the log of the endpoint has %d events (%v), want each of the 9 once", len(log), err)
		}
	})
}

func TestAReplayKeepsEachCustomersOrderThroughFailuresAndRestarts(t *testing.T) {
	bubble(t, 4, func(v *env) {
		v.start()
		var all []int
		for range 50 {
			all = append(all, 0, 1, 2, 3)
		}
		v.tell(all...)
		settle(time.Second)
		v.sink.reset()
		var n atomic.Int64
		v.sink.respond(by(func(*call) int {
			if n.Add(1)%3 == 0 {
				return 500
			}
			return 200
		}))
		r := v.replay(0, 200)
		for range 6 {
			settle(2 * time.Second)
			v.crash()
		}
		v.sink.respond(always(200))
		settle(time.Hour)
		if now := v.replayed(r); now.State != store.ReplayDone {
			t.Fatalf("the replay is %+v, want done", now)
		}
		next := map[kabar.ConversationID]int64{}
		taken := map[int64]bool{}
		for _, c := range v.sink.got() {
			if c.status != 200 || taken[c.Seq] {
				continue
			}
			taken[c.Seq] = true
			if c.Seq < next[c.Conversation] {
				t.Errorf("event %d came after %d of its customer", c.Seq, next[c.Conversation])
			}
			next[c.Conversation] = c.Seq
		}
		if len(taken) != 200 || v.sink.overlap {
			t.Errorf("%d events were taken, want 200; two of a customer at once: %v", len(taken), v.sink.overlap)
		}
		v.wantDone(200)
		rows, err := v.DB.DeliveryHeads(v.t.Context(), v.number.ID, r.ID, 0, 1000)
		if len(rows) != 0 || err != nil {
			t.Errorf("%d rows of the replay are left (%v)", len(rows), err)
		}
	})
}

func TestAReplayCanBePausedAndCancelled(t *testing.T) {
	bubble(t, 1, func(v *env) {
		v.start()
		v.tell(0, 0, 0, 0)
		settle(time.Second)
		v.sink.reset()
		v.sink.respond(always(503))
		change := func(r *store.Replay, to store.ReplayState) {
			v.write(func(tx *store.Tx) error {
				tx.After(func() { v.d.Wake(v.number.ID) })
				return tx.ChangeReplay(v.number.ID, r.ID, func(r *store.Replay) { r.State = to })
			})
		}
		r := v.replay(0, 4)
		settle(time.Second)
		change(r, store.ReplayPaused)
		settle(2 * time.Second)
		before := len(v.sink.got())
		settle(time.Hour)
		if n := len(v.sink.got()); n != before {
			t.Errorf("%d requests of a paused replay", n-before)
		}
		v.sink.respond(always(200))
		change(r, store.ReplayRunning)
		settle(time.Minute)
		if now := v.replayed(r); now.State != store.ReplayDone || len(v.sink.of(4)) != 1 {
			t.Errorf("the replay is %+v with %d requests of its last event, want it done", now, len(v.sink.of(4)))
		}
		v.sink.reset()
		v.configure(func(c *kabar.EndpointConfig) { c.Become(kabar.EndpointPaused, "", v.now()) })
		settle(time.Second)
		other := v.replay(0, 2)
		settle(time.Hour)
		change(other, store.ReplayCancelled)
		v.configure(func(c *kabar.EndpointConfig) { c.Become(kabar.EndpointActive, "", v.now()) })
		settle(time.Hour)
		if n := len(v.sink.got()); n != 0 {
			t.Errorf("%d requests of a replay that was cancelled while its endpoint was paused", n)
		}
	})
}

func TestWhatWaitsCanBeTriedAtOnce(t *testing.T) {
	bubble(t, 1, func(v *env) {
		v.set(func(s *kabar.Settings) { s.BackoffStep = time.Hour; s.BackoffCap = time.Hour })
		v.sink.respond(always(500))
		v.tell(0)
		v.start()
		settle(time.Minute)
		v.sink.respond(always(200))
		v.d.Retry(v.number.ID, v.endpoint.ID)
		settle(time.Second)
		v.wantDone(1)
	})
}

// TestAReplayOfWhatIsGoneEnds: retention has taken the events, while other events keep coming.
func TestAReplayOfWhatIsGoneEnds(t *testing.T) {
	bubble(t, 1, func(v *env) {
		v.start()
		v.tell(0, 0, 0)
		settle(time.Second)
		if _, err := v.DB.CollectEvents(v.t.Context(), v.number.ID, v.now(), v.now(), func(*kabar.Endpoint, *kabar.Event) bool { return true }); err != nil {
			t.Fatal(err)
		}
		v.tell(0)
		r := v.replay(0, 3)
		for range 10 {
			v.tell(0)
			settle(time.Second)
		}
		if now := v.replayed(r); now.State != store.ReplayDone {
			t.Errorf("the replay is %+v, want done", now)
		}
	})
}

// TestReplaysOfAnEndpointComeOneAfterAnother: two at once could mix up a customer's order.
func TestReplaysOfAnEndpointComeOneAfterAnother(t *testing.T) {
	bubble(t, 1, func(v *env) {
		v.start()
		v.tell(0, 0)
		settle(time.Second)
		v.sink.reset()
		v.sink.respond(func(context.Context, *call) (*http.Response, error) {
			time.Sleep(time.Second)
			return response(200, ""), nil
		})
		first, second := v.replay(1, 2), v.replay(0, 1)
		settle(time.Minute)
		if calls := v.sink.got(); len(calls) != 2 || calls[0].Seq != 2 || calls[1].Seq != 1 || v.sink.overlap {
			t.Errorf("%d requests, two at once: %v; want the second replay's behind the first one's", len(calls), v.sink.overlap)
		}
		if v.replayed(first).State != store.ReplayDone || v.replayed(second).State != store.ReplayDone {
			t.Error("they have not ended")
		}
	})
}
