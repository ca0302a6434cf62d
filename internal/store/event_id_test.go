package store_test

import (
	"testing"
	"time"

	"kabar"
	"kabar/internal/storetest"
)

func TestPublicIDsNameWhatTheyWereMadeOf(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		at := s.Now
		id := s.DB.EventID(7, 41, at)
		if n, seq, ok := s.DB.ParseEventID(id); !ok || n != 7 || seq != 41 {
			t.Errorf("%s names event %d of number %d (%v), want 41 of 7", id, seq, n, ok)
		}
		if again := s.DB.EventID(7, 41, at); again != id {
			t.Errorf("the id of an event was %s, and is %s", id, again)
		}
		for what, other := range map[string]string{"a number": s.DB.EventID(8, 41, at), "a seq": s.DB.EventID(7, 42, at), "a time": s.DB.EventID(7, 41, at.Add(time.Millisecond))} {
			if other == id {
				t.Errorf("another event, by %s, has the same id", what)
			}
		}
		if e, seq, ok := s.DB.ParseDeliveryID(s.DB.DeliveryID(9, 3)); !ok || e != 9 || seq != 3 {
			t.Errorf("a delivery's id names event %d at %d (%v), want 3 at 9", seq, e, ok)
		}
		if e := s.DB.ParseEndpoint(s.DB.PublicEndpoint(12)); e != 12 {
			t.Errorf("an endpoint's id names %d, want 12", e)
		}
		if r := s.DB.ParseReplay(s.DB.PublicReplay(13)); r != 13 {
			t.Errorf("a replay's id names %d, want 13", r)
		}
		for _, bad := range []string{"", "evt_", "evt_" + id[4:8], "ep_a", "dlv_!", s.DB.PublicReplay(12)} {
			n, _, event := s.DB.ParseEventID(bad)
			d, _, delivery := s.DB.ParseDeliveryID(bad)
			if event || delivery || s.DB.ParseEndpoint(bad) != kabar.EndpointID(0) {
				t.Errorf("%q names number %d, endpoint %d", bad, n, d)
			}
		}
	})
}
