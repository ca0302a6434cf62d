package trace_test

import (
	"testing"

	"kabar/internal/storetest"
	"kabar/internal/trace"
)

// TestABrokenEventIsToldOf: what an event said is not known any more, that it was there, when, and who knows of it is; the rest is told as ever.
func TestABrokenEventIsToldOf(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		ids, tracer := story(t, s), trace.New(s.DB, names())
		if err := s.Exec(t, "UPDATE event SET body = $1 WHERE number_id = $2 AND seq IN (1, 2)", []byte("no event"), int64(s.A.ID)); err != nil {
			t.Fatal(err)
		}
		defer func() { // storetest reads the log then
			if err := s.Exec(t, "DELETE FROM event WHERE number_id = $1 AND seq IN (1, 2)", int64(s.A.ID)); err != nil {
				t.Error(err)
			}
		}()
		want := told()
		want[1] = `outbound text {"body":"welcome"} delivered window true > accepted > unknown > delivered; status waiting 0; status delivered retrying 2500`
		for i, id := range ids {
			m, err := tracer.Message(t.Context(), trace.Of{}, id)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(m); got != want[i] {
				t.Errorf("%s\n got %s\nwant %s", m.ID, got, want[i])
			}
			for _, step := range m.Timeline {
				if broken := step.Status == "unknown"; broken != (step.Error != "") || broken && step.At != m.At {
					t.Errorf("%s: %+v", m.ID, step)
				}
			}
			for _, d := range m.Deliveries {
				if broken := d.Event < 3; broken != (d.Error != "") {
					t.Errorf("%s: %+v", m.ID, d)
				}
			}
		}
		if _, err := tracer.List(t.Context(), trace.Of{Number: s.A.ID}, trace.Query{}); err != nil {
			t.Error(err)
		}
	})
}
