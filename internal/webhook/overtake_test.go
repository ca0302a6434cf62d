package webhook_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/webhook"
)

// narrow has endpoints read so many events above their marks.
func (v *env) narrow(window int) {
	v.options = func(o *webhook.Options) { o.Window = window }
}

// paced answers each request after a while.
func (v *env) paced(d time.Duration, status func(*call) int) {
	v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
		time.Sleep(d)
		return response(status(c), "thanks"), nil
	})
}

// order returns the events that have been taken of a customer, each once.
func (v *env) order(customer int) (all []int64) {
	for _, c := range v.sink.got() {
		if c.Conversation == v.customers[customer] && c.status == 200 && !slices.Contains(all, c.Seq) {
			all = append(all, c.Seq)
		}
	}
	return all
}

func TestNewCustomersDoNotWaitForABacklog(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.narrow(10)
		v.paced(time.Second, func(*call) int { return 200 })
		v.tell(slices.Repeat([]int{0}, 100)...)
		v.start()
		settle(2500 * time.Millisecond)
		v.tell(1, 0, 1) // 101 to 103
		settle(3 * time.Second)
		if got := v.order(1); !slices.Equal(got, []int64{101, 103}) {
			t.Errorf("the other customer has been told of %v", got)
		}
		if b := v.backlog(); b.Pending != 96 { // of 103, five of the first and two of the other are done
			t.Errorf("backlog %+v", b)
		}
		v.crash()
		settle(3 * time.Second)
		v.tell(2, 1) // 104 and 105
		settle(3 * time.Second)
		if got := v.order(2); !slices.Equal(got, []int64{104}) {
			t.Errorf("the third customer has been told of %v", got)
		}
		settle(time.Hour)
		v.wantDone(105)
		for customer, want := range map[int][]int64{1: {101, 103, 105}, 2: {104}} {
			if got := v.order(customer); !slices.Equal(got, want) {
				t.Errorf("customer %d has been told of %v", customer, got)
			}
		}
		if got := v.order(0); len(got) != 101 || !slices.IsSorted(got) {
			t.Errorf("the first customer has been told of %v", got)
		}
	})
}

// What is told early and fails is tried again, is parked, and is drained, like what is told in its turn.
func TestEarlyFailures(t *testing.T) {
	for name, crash := range map[string]bool{"in one life": false, "in two": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, 3, func(v *env) {
				v.narrow(10)
				begun := time.Now()
				v.paced(time.Second, func(c *call) int {
					if c.Conversation == v.customers[1] && time.Since(begun) < 3*time.Minute {
						return 500
					}
					return 200
				})
				v.tell(slices.Repeat([]int{0}, 300)...)
				v.start()
				settle(2500 * time.Millisecond)
				v.tell(1, 2, 1)
				settle(time.Minute)
				if crash {
					v.crash()
				}
				v.tell(1, 2)
				if !crash && v.backlog().Parked != 1 {
					t.Error("nobody is parked")
				}
				settle(3 * time.Minute) // 301 and 303 have been taken by now, and 304 is not reached
				v.tell(1)
				settle(time.Hour)
				v.wantDone(306)
				if got := v.order(1); !slices.Equal(got, []int64{301, 303, 304, 306}) {
					t.Errorf("who failed has been told of %v", got)
				}
				if got := v.order(2); !slices.Equal(got, []int64{302, 305}) {
					t.Errorf("the other has been told of %v", got)
				}
			})
		})
	}
}

// A batch is found again after a crash by reading the log in order: what is told early is in none, also when batches are asked for meanwhile.
// An endpoint that has them overtakes nobody.
func TestEarlyEventsAreInNoBatch(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.narrow(20)
		v.set(func(s *kabar.Settings) { s.Concurrency = 1 })
		v.paced(3*time.Second, func(*call) int { return 200 })
		v.tell(slices.Concat(slices.Repeat([]int{0}, 17), []int{1}, slices.Repeat([]int{0}, 100))...)
		v.start()
		settle(2500 * time.Millisecond)
		v.tell(1) // 119: the customer's 18 waits for the first request to end
		settle(0)
		v.set(func(s *kabar.Settings) { s.Batch = 5 })
		settle(12 * time.Second)
		v.tell(2) // 120
		settle(12 * time.Second)
		batches := 0
		for _, c := range v.sink.got() {
			if len(c.Batch) > 1 {
				batches++
			}
			if last := c.Batch[len(c.Batch)-1].Seq; last == 120 || last == 119 && len(c.Batch) > 1 {
				t.Errorf("%d is told in a request with %d", last, len(c.Batch))
			}
		}
		if len(v.sink.of(119)) != 1 || batches == 0 {
			t.Errorf("%d requests about the early event, %d batches", len(v.sink.of(119)), batches)
		}
		settle(time.Hour)
		v.wantDone(120)
	})
}

// A long log is looked through in pieces, to its end.
func TestWhoIsFarBehindIsLate(t *testing.T) {
	bubble(t, 4, func(v *env) {
		v.narrow(10)
		v.paced(time.Second, func(*call) int { return 200 })
		v.tell(slices.Concat(slices.Repeat([]int{0}, 700), []int{1}, slices.Repeat([]int{0}, 900), []int{2})...)
		v.start()
		settle(2500 * time.Millisecond)
		v.tell(1, 2, 3)
		settle(5 * time.Second)
		for customer, want := range map[int]int{1: 0, 2: 0, 3: 1} {
			if got := v.order(customer); len(got) != want {
				t.Errorf("customer %d has been told of %v", customer, got)
			}
		}
		settle(time.Hour)
		v.wantDone(1605)
	})
}

// Who had something waiting that was told meanwhile waits for nobody any more.
func TestLateCustomersAreLateNoMore(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.narrow(10)
		v.paced(time.Second, func(*call) int { return 200 })
		v.tell(slices.Concat(slices.Repeat([]int{0}, 30), []int{1}, slices.Repeat([]int{0}, 100))...)
		v.start()
		settle(35 * time.Second)
		v.tell(1) // 132
		settle(3 * time.Second)
		if got := v.order(1); !slices.Equal(got, []int64{31, 132}) {
			t.Errorf("told of %v", got)
		}
		settle(time.Hour)
		v.wantDone(132)
	})
}

// An endpoint that takes nothing is not asked to take what is new: the log is not looked through for it.
func TestNobodyOvertakesWhileNothingIsTaken(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.narrow(10)
		v.sink.respond(always(500))
		v.tell(slices.Repeat([]int{0}, 100)...)
		v.start()
		settle(time.Minute)
		v.tell(1)
		settle(time.Minute)
		if calls := v.sink.of(101); len(calls) != 0 {
			t.Errorf("%d requests", len(calls))
		}
		v.sink.respond(always(200))
		settle(time.Hour)
		v.wantDone(101)
	})
}
