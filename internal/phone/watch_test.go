package phone

import (
	"context"
	"fmt"
	"testing"
)

func TestWatchersSeeChangesInOrder(t *testing.T) {
	var h hub
	ctx, stop := context.WithCancel(t.Context())
	ch := h.watch(ctx)
	for i := range 10 {
		h.publish([]Change{{Customer: "a", Message: fmt.Sprint(i)}})
	}
	for i := range 10 {
		if c := <-ch; c.Message != fmt.Sprint(i) {
			t.Fatalf("change %d is %+v", i, c)
		}
	}
	stop()
	if _, more := <-ch; more {
		t.Error("the channel is open after the end")
	}
	h.publish([]Change{{}}) // nobody is there
}

// A watcher that stops reading hears, when it reads again, that anything may have changed.
func TestASlowWatcher(t *testing.T) {
	var h hub
	ch := h.watch(t.Context())
	for i := range 10 * watcherRoom {
		h.publish([]Change{{Customer: "a", Message: fmt.Sprint(i)}})
	}
	if len(ch) != watcherRoom+1 {
		t.Fatalf("%d changes wait, want %d", len(ch), watcherRoom+1)
	}
	var last Change
	for range watcherRoom + 1 {
		last = <-ch
	}
	if last != (Change{}) {
		t.Errorf("the last one is %+v, want the zero Change", last)
	}
	h.publish([]Change{{Customer: "b"}})
	if c := <-ch; c.Customer != "b" {
		t.Errorf("after that: %+v", c)
	}
}
