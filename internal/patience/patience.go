// Package patience is how tests wait for what other goroutines, programs and servers do. There is one measure of
// patience, long enough for a loaded machine with the race detector on; a test that succeeds does not notice how long it
// is. What a test wants to have happened it waits for with this package, never with a sleep, and how long something took
// is no verdict.
//
// It does not prove that something does not happen. For that a test waits for something that comes after it, such as the
// answer to a later request on the same connection.
package patience

import (
	"context"
	"testing"
	"time"
)

// Limit is how long a test waits for a condition before it fails.
const Limit = time.Minute

// pause is how long a test lets others work before it looks again.
const pause = 5 * time.Millisecond

// Until waits until ok says so, and ends the test after Limit. What says what was waited for. It is called on the
// goroutine of the test, and so is ok, which may end the test itself.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !Comes(ok) {
		t.Fatalf("waited %s in vain: %s", Limit, what)
	}
}

// Comes is Until for those who have more to say about a failure, or stand on another goroutine: it says whether ok came
// true within Limit.
func Comes(ok func() bool) bool {
	for deadline := time.Now().Add(Limit); !ok(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// Next returns the next value of a channel, or the zero value once it is closed, and ends the test after Limit.
func Next[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(Limit):
		t.Fatalf("waited %s in vain: %s", Limit, what)
		panic("unreachable")
	}
}

// Context returns a context that ends with the test, or after Limit.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	t.Cleanup(cancel)
	return ctx
}
