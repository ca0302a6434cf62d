package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestALaneIsWhatIsLeftOfIt adds jobs to lanes and takes them out at either end, in batches some of whose operations fail,
// with fewer rows kept than there are, and looks at every lane after each.
func TestALaneIsWhatIsLeftOfIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Options.Keep = 6
		s.Reopen(t)
		run := 0
		rapid.Check(t, func(r *rapid.T) {
			run++
			lanes := laneModel{}
			for i := range 3 {
				lanes[talk(t, s, s.A, fmt.Sprint(run, "00", i)).ID] = nil
			}
			for range rapid.IntRange(1, 8).Draw(r, "batches") {
				var ops []storetest.Op
				for range rapid.IntRange(1, 4).Draw(r, "operations") {
					ops = append(ops, lanes.draw(r, s))
				}
				s.Batch(t, ops...)
				lanes.check(r, s)
			}
		})
	})
}

// laneModel holds the jobs that each lane should have. One is filled in when its operation runs.
type laneModel map[kabar.ConversationID][]*store.Job

// draw returns an operation on one of the lanes, and has it done in the model unless it fails.
func (m laneModel) draw(r *rapid.T, s *storetest.Env) storetest.Op {
	var all []kabar.ConversationID
	for id := range m {
		all = append(all, id)
	}
	slices.Sort(all)
	c := rapid.SampledFrom(all).Draw(r, "lane")
	fails := rapid.IntRange(0, 4).Draw(r, "fails") == 0
	jobs := slices.Clone(m[c])
	var do func(tx *store.Tx) error
	var left []*store.Job
	switch what := rapid.IntRange(0, 4).Draw(r, "what"); {
	case what < 2 || len(jobs) == 0:
		j := &store.Job{Account: s.A.Account, Number: s.A.ID, Conversation: c, Kind: "send"}
		do, left = func(tx *store.Tx) error { return tx.AddJob(j) }, append(jobs, j)
	case what == 2:
		do, left = func(tx *store.Tx) error { return tx.RemoveJob(s.A.ID, jobs[len(jobs)-1].ID) }, jobs[:len(jobs)-1]
	default:
		do, left = func(tx *store.Tx) error { return tx.RemoveJob(s.A.ID, jobs[0].ID) }, jobs[1:]
	}
	if !fails {
		m[c] = left
	}
	return storetest.Op{Do: func(tx *store.Tx) error { return orRefused(do(tx), fails) }}
}

func (m laneModel) check(r *rapid.T, s *storetest.Env) {
	for c, jobs := range m {
		for _, limit := range []int{1, 100} {
			var want []int64
			for _, j := range jobs[:min(limit, len(jobs))] {
				want = append(want, j.ID)
			}
			if got, err := s.DB.Lane(r.Context(), s.A.ID, c, limit); err != nil || !slices.Equal(got, want) {
				r.Fatalf("lane %d begins with %v, %v; want %v", c, got, err, want)
			}
		}
	}
}

// TestALaneIsNotTornApart removes a job from the middle of a lane, and one that stands in none.
func TestALaneIsNotTornApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		c := talk(t, s, s.A, "491")
		var ids []int64
		s.Write(t, func(tx *store.Tx) error {
			ids = nil
			for i, add := range []func(*store.Job) error{tx.AddJob, tx.AddJob, tx.AddLoneJob, tx.AddJob} {
				j := &store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: store.JobKind(fmt.Sprint(i))}
				if err := add(j); err != nil {
					return err
				}
				ids = append(ids, j.ID)
			}
			return nil
		})
		lane := func(want ...int64) {
			t.Helper()
			if got, err := s.DB.Lane(t.Context(), s.A.ID, c.ID, 10); err != nil || !slices.Equal(got, want) {
				t.Errorf("the lane is %v, %v; want %v", got, err, want)
			}
		}
		remove := func(id int64) error {
			return s.DB.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.RemoveJob(s.A.ID, id) })
		}
		lane(ids[0], ids[1], ids[3])
		if _, broken := errors.AsType[*store.StatementError](remove(ids[1])); !broken {
			t.Error("a job is removed before the one before it")
		}
		for _, step := range []struct {
			remove int64
			want   []int64
		}{{ids[2], []int64{ids[0], ids[1], ids[3]}}, {ids[0], []int64{ids[1], ids[3]}}, {ids[1], ids[3:]}, {ids[3], nil}} {
			if err := remove(step.remove); err != nil {
				t.Fatal(err)
			}
			lane(step.want...)
		}
	})
}
