package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestCollectEvents collects the seven old of ten events, of which an endpoint has had all up to its mark, and two above it.
func TestCollectEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		c := talk(t, s, s.A, "491")
		all := func(url string, state kabar.EndpointState) *kabar.Endpoint {
			return &kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, Dialect: kabar.OnPrem, EndpointConfig: kabar.EndpointConfig{URL: url, State: state}}
		}
		behind, unset, deaf := all("https://x.example/", ""), all("", ""), all("https://y.example/", kabar.EndpointDisabled)
		picky := all("https://z.example/", kabar.EndpointSuspended)
		picky.Filter.Types = []string{"message.received"}
		s.Write(t, func(tx *store.Tx) error {
			for i := range 10 {
				at := s.Now.Add(-time.Hour)
				if i > 6 {
					at = s.Now
				}
				if err := tx.AddEvent(&kabar.Event{Account: s.A.Account, Number: s.A.ID, Conversation: c.ID, Kind: kabar.EventDeleted, At: at}); err != nil {
					return err
				}
			}
			for _, ep := range []*kabar.Endpoint{behind, unset, deaf, picky} {
				if err := tx.AddEndpoint(ep, s.Now); err != nil {
					return err
				}
			}
			for seq, state := range map[int64]store.DeliveryState{2: store.Parked, 5: store.Finished, 6: store.Retrying, 8: store.Retrying} {
				d := &store.Delivery{Endpoint: behind.ID, Seq: seq, Account: s.A.Account, Number: s.A.ID, Conversation: c.ID, State: state, Attempts: 1}
				if err := errors.Join(tx.SaveDelivery(d), tx.LogAttempt(d, &store.Attempt{N: 1, At: s.Now})); err != nil {
					return err
				}
			}
			return errors.Join(tx.Advance(s.A.ID, behind.ID, 3), tx.LogTaken(s.A.Account, s.A.ID, behind.ID, []store.Taken{{Seq: 1}, {Seq: 3}}),
				tx.LogTaken(s.A.Account, s.A.ID, behind.ID, []store.Taken{{Seq: 5}}))
		})
		wants := func(e *kabar.Endpoint, ev *kabar.Event) bool { return e.Filter.Wants(ev) }
		for _, want := range []int{7, 0} {
			n, err := s.DB.CollectEvents(t.Context(), s.A.ID, s.Now.Add(-time.Minute), s.Now, wants)
			if n != want || err != nil {
				t.Fatalf("%d events collected (%v), want %d", n, err, want)
			}
		}
		left, err := s.DB.Events(t.Context(), s.A.ID, 0, 100)
		if len(left) != 3 || err != nil {
			t.Errorf("%d events are left (%v), want the 3 new ones", len(left), err)
		}
		for ep, want := range map[*kabar.Endpoint][]int64{behind: {2, 4, 6, 7}, unset: nil, deaf: nil, picky: nil} {
			var got []int64
			missed, err := s.DB.Expired(t.Context(), s.A.ID, ep.ID, store.SpanAfter(0), 100)
			for _, e := range missed {
				got = append(got, e.Seq)
			}
			if !slices.Equal(got, want) || err != nil {
				t.Errorf("endpoint %s has missed %v (%v), want %v", ep.URL, got, err, want)
			}
		}
		rows, err := s.DB.DeliveryHeads(t.Context(), s.A.ID, behind.ID, 0, 100)
		taken, err2 := s.DB.Taken(t.Context(), s.A.ID, behind.ID, 0, 100)
		tries, err3 := s.DB.Attempts(t.Context(), s.A.ID, behind.ID, 6)
		if len(rows) != 1 || rows[0].Seq != 8 || len(taken) != 0 || len(tries) != 0 || errors.Join(err, err2, err3) != nil {
			t.Errorf("left are rows %v, log %v, attempts %v (%v); want the row of event 8 alone", rows, taken, tries, errors.Join(err, err2, err3))
		}
	})
}

func TestWhatExpiredIsForgottenInTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		c := talk(t, s, s.A, "491")
		ep := &kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, Dialect: kabar.Cloud, EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/"}}
		gone := &kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, Dialect: kabar.Cloud}
		replay := &store.Replay{Account: s.A.Account, Number: s.A.ID, Until: 1}
		s.Write(t, func(tx *store.Tx) error {
			if err := errors.Join(tx.AddEndpoint(ep, s.Now), tx.AddEndpoint(gone, s.Now)); err != nil {
				return err
			}
			replay.Endpoint = ep.ID
			return errors.Join(tx.AddEvent(&kabar.Event{Account: s.A.Account, Number: s.A.ID, Conversation: c.ID, Kind: kabar.EventDeleted, At: s.Now}),
				tx.AddReplay(replay, s.Now), tx.LogTaken(s.A.Account, s.A.ID, gone.ID, []store.Taken{{Seq: 1}}), tx.RemoveEndpoint(s.A.ID, gone.ID),
				tx.ChangeReplay(s.A.ID, replay.ID, func(r *store.Replay) { r.State, r.Ended = store.ReplayDone, s.Now }))
		})
		collect := func(now time.Time) {
			t.Helper()
			_, err := s.DB.CollectEvents(t.Context(), s.A.ID, now.Add(-time.Hour), now, func(*kabar.Endpoint, *kabar.Event) bool { return true })
			if err != nil {
				t.Fatal(err)
			}
		}
		state := func() (missed, replays int) {
			a, err := s.DB.Expired(t.Context(), s.A.ID, ep.ID, store.SpanAfter(0), 10)
			b, err2 := s.DB.Replays(t.Context(), s.A.ID)
			if errors.Join(err, err2) != nil {
				t.Fatal(err, err2)
			}
			return len(a), len(b)
		}
		collect(s.Now)
		if missed, replays := state(); missed != 0 || replays != 1 {
			t.Errorf("before its time, %d events have expired and %d replays are left, want 0 and 1", missed, replays)
		}
		if log, err := s.DB.Taken(t.Context(), s.A.ID, gone.ID, 0, 10); len(log) != 0 || err != nil {
			t.Errorf("an endpoint that was removed still has a log of %d (%v)", len(log), err)
		}
		collect(s.Now.Add(2 * time.Hour))
		if missed, replays := state(); missed != 1 || replays != 0 {
			t.Errorf("after it, %d events have expired and %d replays are left, want 1 and 0", missed, replays)
		}
		collect(s.Now.Add(4 * time.Hour))
		if missed, _ := state(); missed != 0 {
			t.Error("what has expired is never forgotten")
		}
	})
}
