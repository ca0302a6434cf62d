package patience_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"kabar/internal/patience"
)

// broken is a test that notes that it was ended.
type broken struct {
	testing.TB
	ended bool
}

func (b *broken) Helper() {}

func (b *broken) Fatalf(string, ...any) {
	b.ended = true
	runtime.Goexit()
}

// ends says whether f ends its test, and after how long.
func ends(t *testing.T, f func(testing.TB)) (bool, time.Duration) {
	b := &broken{TB: t}
	begin, done := time.Now(), make(chan struct{})
	go func() {
		defer close(done)
		f(b)
	}()
	<-done
	return b.ended, time.Since(begin)
}

func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		wait func(testing.TB)
		ends bool
		took time.Duration
	}{
		"at once": {func(t testing.TB) { patience.Until(t, "", func() bool { return true }) }, false, 0},
		"later": {func(t testing.TB) {
			begin := time.Now()
			patience.Until(t, "", func() bool { return time.Since(begin) >= 50*time.Second })
		}, false, 50 * time.Second},
		"never":  {func(t testing.TB) { patience.Until(t, "", func() bool { return false }) }, true, patience.Limit},
		"silent": {func(t testing.TB) { patience.Next(t, "", make(chan int)) }, true, patience.Limit},
		"closed": {func(t testing.TB) {
			closed := make(chan int)
			close(closed)
			patience.Next(t, "", closed)
		}, false, 0},
		"a value": {func(tb testing.TB) {
			full := make(chan int, 1)
			full <- 7
			if v := patience.Next(tb, "", full); v != 7 {
				t.Errorf("got %d", v)
			}
		}, false, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			ended, took := ends(t, c.wait)
			if ended != c.ends || took < c.took || took > c.took+time.Second {
				t.Errorf("%s: ended %v after %s", name, ended, took)
			}
		})
	}
}

func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, ctx := time.Now(), patience.Context(t)
		<-ctx.Done()
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) || time.Since(begin) != patience.Limit {
			t.Errorf("%v after %s", ctx.Err(), time.Since(begin))
		}
	})
}
