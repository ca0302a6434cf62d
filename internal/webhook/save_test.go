package webhook_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
)

// pace is how long the application of these tests takes.
const pace = 900 * time.Microsecond

// slowly answers the first n events in their time, and the others not at all.
func (v *env) slowly(n int64, status func(*call) int) {
	v.sink.respond(func(ctx context.Context, c *call) (*http.Response, error) {
		if c.Seq > n {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		time.Sleep(pace)
		return response(status(c), "thanks"), nil
	})
}

func customers(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// While others are told of their events, what was taken waits a little for the next commit.
func TestCommitsGather(t *testing.T) {
	fine := func(*call) int { return 200 }
	first := func(c *call) int {
		if c.Seq == 1 {
			return 500
		}
		return 200
	}
	const late = pace + 5*time.Millisecond
	for name, test := range map[string]struct {
		customers, concurrency int
		answered               int64
		status                 func(*call) int
		at                     time.Duration // nothing is on disk shortly before
		mark                   int64
		failed                 bool
	}{
		"nobody else has to be told":       {1, 6, 1, fine, pace, 1, false},
		"others answer":                    {60, 6, 60, fine, late, 36, false},
		"none of the others answers":       {20, 6, 3, fine, late, 3, false},
		"one has failed":                   {60, 6, 60, first, pace, 0, true},
		"as many as are worth one already": {200, 100, 200, fine, pace, 100, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, test.customers, func(v *env) {
				v.settings.Concurrency = test.concurrency
				v.tell(customers(test.customers)...)
				v.slowly(test.answered, test.status)
				v.start()
				settle(test.at - pace/2)
				if mark, rows := v.disk(); mark != 0 || len(rows) != 0 {
					t.Errorf("before its time: mark %d, %d rows", mark, len(rows))
				}
				settle(pace / 2)
				if mark, rows := v.disk(); mark != test.mark || len(rows) > 0 != test.failed {
					t.Errorf("mark %d, %d rows; want mark %d", mark, len(rows), test.mark)
				}
			})
		})
	}
}

// What is finished above the mark waits for the mark, one commit long: then it needs no row. If the mark does not come, it gets one.
func TestTheMarkIsWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		first time.Duration // that the first event takes
		rows  bool
	}{"it comes": {8 * time.Millisecond, false}, "it does not": {time.Second, true}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 60, func(v *env) {
				v.tell(customers(60)...)
				v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
					if c.Seq == 1 {
						time.Sleep(test.first)
					} else {
						time.Sleep(pace)
					}
					return response(200, ""), nil
				})
				v.start()
				rows := 0
				for range 24 {
					settle(500 * time.Microsecond)
					_, now := v.disk()
					rows = max(rows, len(now))
				}
				if rows > 0 != test.rows {
					t.Errorf("%d rows", rows)
				}
				settle(2 * time.Second)
				v.wantDone(60)
			})
		})
	}
}

// What is held waits for the next commit, also when nothing else calls for one: an event that is not wanted is not in the log.
func TestWhatIsHeldDoesNotWaitForRequests(t *testing.T) {
	bubble(t, 60, func(v *env) {
		v.settings.Concurrency = 2
		v.render = func(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
			return []byte("{}"), ev.Seq != 2, nil
		}
		v.sink.respond(func(context.Context, *call) (*http.Response, error) {
			time.Sleep(4 * time.Second)
			return response(200, "thanks"), nil
		})
		v.tell(customers(60)...)
		v.start()
		settle(100 * time.Millisecond)
		if _, rows := v.disk(); len(rows) != 1 || rows[0].Seq != 2 || rows[0].State != store.Finished {
			t.Errorf("%v, want a row of event 2", rows)
		}
	})
}
