package webhook_test

import (
	"fmt"
	"testing"
	"time"
)

// leap raises the counter of the number's events, as a restore does, and starts again.
func (v *env) leap() {
	v.t.Helper()
	v.stop()
	if err := v.Exec(v.t, "UPDATE counter SET next = next + $1 WHERE name = $2", int64(1)<<50, fmt.Sprintf("seq/%d", v.number.ID)); err != nil {
		v.t.Fatal(err)
	}
	v.restart()
	settle(time.Second)
}

// TestALogWithAGap has a restore between events that were on their way, events that come later, and one customer who is
// parked: everything arrives in order, what had been tried under the id it had, and the backlog counts events, not numbers.
func TestALogWithAGap(t *testing.T) {
	bubble(t, 4, func(v *env) {
		v.start()
		v.tell(0, 1)
		settle(time.Second)
		v.leap()
		if b := v.backlog(); b.Pending != 0 {
			t.Errorf("everything was delivered before the restore: %+v", b)
		}
		v.sink.reset()
		v.sink.respond(by(func(*call) int { return 500 }))
		v.tell(2, 3)
		settle(time.Second)
		tried := v.sink.got()
		v.leap()
		if b := v.backlog(); b.Pending != 2 {
			t.Errorf("two events were on their way: %+v", b)
		}
		v.sink.reset()
		v.sink.respond(by(func(*call) int { return 200 }))
		v.tell(2, 0, 0)
		if b := v.backlog(); b.Pending < 3 || b.Pending > 5 {
			t.Errorf("at most five events are on their way: %+v", b)
		}
		settle(time.Hour)
		if b := v.backlog(); b.Pending != 0 || b.Failing {
			t.Errorf("everything has been delivered: %+v", b)
		}
		again := map[string]string{}
		for _, c := range v.sink.got() {
			again[c.id] = c.body
		}
		if len(again) != 5 {
			t.Errorf("%d events arrived after the restores, want 5", len(again))
		}
		for _, c := range tried {
			if again[c.id] != c.body {
				t.Errorf("the event %s went out again with %q, before with %q", c.id, again[c.id], c.body)
			}
		}
	})
}
