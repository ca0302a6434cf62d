package webhook_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// anew are the ways in which a new session begins.
var anew = map[string]func(*env){
	"crash":    (*env).crash,
	"restart":  (*env).restart,
	"moved":    func(v *env) { v.aim("https://other.example/hook") },
	"moved on": func(v *env) { v.aim("https://other.example/hook"); settle(time.Second); v.aim(hook) },
}

// Who was told early waits for nothing in the next session either.
func TestToldEarlyIsNotLateInTheNextSession(t *testing.T) {
	for name, begin := range anew {
		t.Run(name, func(t *testing.T) {
			bubble(t, 3, func(v *env) {
				v.narrow(10)
				v.paced(time.Second, func(*call) int { return 200 })
				v.tell(slices.Repeat([]int{0}, 200)...)
				v.start()
				settle(2500 * time.Millisecond)
				v.tell(1, 1) // 201 and 202
				settle(4 * time.Second)
				if got := v.order(1); !slices.Equal(got, []int64{201, 202}) {
					t.Fatalf("told early: %v", got)
				}
				begin(v)
				settle(3 * time.Second)
				if b, done := v.backlog(), len(v.order(0))+2; b.Pending != int64(202-done) {
					t.Errorf("%d are done, backlog %+v", done, b)
				}
				v.tell(1, 2) // 203 and 204
				settle(5 * time.Second)
				if got := v.order(2); !slices.Equal(got, []int64{204}) {
					t.Errorf("who is new has been told of %v", got)
				}
				if got := v.order(1); !slices.Equal(got, []int64{201, 202, 203}) {
					t.Errorf("who was told early has been told of %v", got)
				}
				if n := len(v.sink.of(201)) + len(v.sink.of(202)); n != 2 {
					t.Errorf("%d requests of what was told early", n)
				}
				settle(time.Hour)
				v.wantDone(204)
			})
		})
	}
}

// What has failed early is tried again in the next session when it is due, and what comes behind it follows.
func TestWhatFailedEarlyIsTriedInTheNextSession(t *testing.T) {
	for name, begin := range anew {
		t.Run(name, func(t *testing.T) {
			bubble(t, 2, func(v *env) {
				v.narrow(10)
				v.paced(time.Second, func(c *call) int {
					if c.Seq == 201 && c.n == 1 {
						return 500
					}
					return 200
				})
				v.tell(slices.Repeat([]int{0}, 200)...)
				v.start()
				settle(2500 * time.Millisecond)
				v.tell(1) // 201
				settle(2500 * time.Millisecond)
				if calls := v.sink.of(201); len(calls) != 1 || calls[0].status != 500 {
					t.Fatalf("%d requests of the early event", len(calls))
				}
				begin(v)
				settle(2 * time.Second)
				v.tell(1) // 202
				settle(8 * time.Second)
				calls := v.sink.of(201)
				if len(calls) != 2 || calls[0].id != calls[1].id || calls[0].body != calls[1].body {
					t.Fatalf("%d requests of the early event that failed", len(calls))
				}
				if wait := calls[1].at.Sub(calls[0].at); wait < 3*time.Second && calls[1].url == hook && name != "moved on" {
					t.Errorf("tried again after %v", wait)
				}
				if got := v.order(1); !slices.Equal(got, []int64{201, 202}) {
					t.Errorf("told of %v", got)
				}
				settle(time.Hour)
				v.wantDone(202)
			})
		})
	}
}

// TestEarlyAcrossSessions has sessions begin at any time: nothing is lost, customers are told in order, and whoever has nothing waiting when a
// session begins does not wait for the backlog in it.
func TestEarlyAcrossSessions(t *testing.T) {
	checks(t, 5+volume(15))
	rapid.Check(t, func(rt *rapid.T) {
		window := rapid.IntRange(3, 12).Draw(rt, "window")
		script := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			kind := rapid.SampledFrom([]string{"tell", "tell", "tell", "wait", "fail", "heal", "crash", "restart", "moved"}).Draw(t, "kind")
			return step{kind, rapid.IntRange(1, 60).Draw(t, "n")}
		}), 4, 12).Draw(rt, "script")
		var err error
		synctest.Test(t, func(t *testing.T) { err = playEarly(t, window, script) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// noted returns how many events of a customer have been taken so long ago that it is committed.
func (v *env) noted(customer int) int {
	var all []int64
	for _, c := range v.sink.got() {
		if c.Conversation == v.customers[customer] && c.status == 200 && time.Since(c.at) > 300*time.Millisecond && !slices.Contains(all, c.Seq) {
			all = append(all, c.Seq)
		}
	}
	return len(all)
}

func playEarly(t *testing.T, window int, script []step) error {
	const customers, swamp = 4, 300
	v := newEnv(t, customers)
	v.narrow(window)
	a := &app{}
	failing := 0 // a customer; 0: none
	v.paced(200*time.Millisecond, func(c *call) int {
		a.mu.Lock()
		defer a.mu.Unlock()
		if failing > 0 && c.Conversation == v.customers[failing] {
			return 500
		}
		return 200
	})
	v.tell(slices.Repeat([]int{0}, swamp)...)
	v.start()
	settle(2500 * time.Millisecond)
	events, told := int64(swamp), make([]int, customers)
	late := make([]bool, customers) // something waited when a session began, or has failed
	for i, s := range script {
		switch s.kind {
		case "tell":
			for n := range 1 + s.n%4 {
				c := 1 + (s.n+n)%(customers-1)
				v.tell(c)
				events++
				told[c]++
			}
		case "wait":
			settle(time.Duration(s.n) * 50 * time.Millisecond)
		case "fail":
			a.set(func() { failing = 1 + s.n%(customers-1) })
			late[failing] = true
		case "heal":
			a.set(func() { failing = 0 })
		default:
			for c := range told {
				late[c] = late[c] || v.noted(c) < told[c]
			}
			if s.kind == "moved" {
				v.aim(fmt.Sprintf("https://app%d.example/hook", i))
			} else {
				anew[s.kind](v)
			}
			settle(1500 * time.Millisecond) // what comes before the session begins is of the backlog
		}
		if s.n%3 > 0 { // the others go on at once
			settle(4 * time.Second)
			for c := 1; c < customers; c++ {
				if got := v.order(c); !late[c] && len(got) < told[c] && len(v.order(0)) < swamp*2/3 {
					return fmt.Errorf("step %d %v: customer %d has been told of %v, not of %d", i, s, c, got, told[c])
				}
			}
		}
	}
	a.set(func() { failing = 0 })
	settle(time.Hour)
	v.wantDone(events)
	told[0] = swamp
	for c, n := range told {
		if got := v.order(c); len(got) != n || !slices.IsSorted(got) {
			return fmt.Errorf("customer %d has been told of %d events, not %d: %v", c, len(got), n, got)
		}
	}
	return nil
}
