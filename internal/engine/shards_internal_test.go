package engine

import (
	"fmt"
	"testing"
)

// As many conversations of a number get a place as it has shards; the others have their turn, in order, and another number does not
// wait for it. A limit that is raised lets in at once.
func TestGates(t *testing.T) {
	g := newGates()
	enter := func(limit int, key int64) string {
		entered, queued := g.enter(1, limit, key)
		return fmt.Sprint(entered, " ", queued)
	}
	for key, want := range []string{"true false", "true false", "false true", "false true"} {
		if got := enter(2, int64(key)); got != want {
			t.Errorf("%d: %s, want %s", key, got, want)
		}
	}
	if got := enter(2, 3); got != "false true" || len(g.numbers[1].queue) != 2 {
		t.Errorf("again: %s, queue %v", got, g.numbers[1].queue)
	}
	if entered, _ := g.enter(2, 2, 9); !entered {
		t.Error("another number waits")
	}
	if got := g.next(1, 2); len(got) != 0 {
		t.Errorf("let in without a place: %v", got)
	}
	g.leave(1)
	if got := fmt.Sprint(g.next(1, 2)); got != "[2]" {
		t.Errorf("let in %s", got)
	}
	if got := fmt.Sprint(g.next(1, 8)); got != "[3]" {
		t.Errorf("with a higher limit %s", got)
	}
	for key := range int64(maxQueued) {
		enter(1, 100+key)
	}
	if got := enter(1, 99); got != "false false" {
		t.Errorf("a full queue takes one more: %s", got)
	}
	if got := len(g.next(1, 0)); got != maxQueued {
		t.Errorf("without a limit %d come in", got)
	}
}
