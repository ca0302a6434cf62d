package lanes_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kabar/internal/lanes"
)

// desk is a store of work: how many pieces each key has left, and what has been done.
type desk struct {
	mu      sync.Mutex
	left    map[int64]int
	busy    map[int64]bool
	atOnce  int
	most    int
	overlap bool
	done    int
}

func (d *desk) work(_ context.Context, key int64) lanes.Next {
	d.mu.Lock()
	d.overlap = d.overlap || d.busy[key]
	d.busy[key] = true
	d.atOnce++
	d.most = max(d.most, d.atOnce)
	d.mu.Unlock()
	time.Sleep(time.Millisecond)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy[key] = false
	d.atOnce--
	if d.left[key] == 0 {
		return lanes.Idle
	}
	d.left[key]--
	d.done++
	if d.left[key] == 0 {
		delete(d.left, key)
		return lanes.Idle
	}
	if key%7 == 0 {
		return lanes.After(time.Duration(key) * time.Second)
	}
	return lanes.Again
}

func (d *desk) scan(_ context.Context, cursor int64) ([]int64, int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var keys []int64
	for k := cursor + 1; k < cursor+50; k++ {
		if d.left[k] > 0 {
			keys = append(keys, k)
		}
	}
	if cursor+50 > 1000 {
		return keys, 0, nil
	}
	return keys, cursor + 49, nil
}

func run(t *testing.T, d *desk, o lanes.Options, during func(l *lanes.Lanes)) {
	t.Helper()
	o.Work, o.Scan = d.work, d.scan
	l := lanes.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- l.Run(ctx) }()
	during(l)
	cancel()
	<-stopped
}

func TestEveryPieceIsDoneOneAtATimeAKeyWithinTheBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{left: map[int64]int{}, busy: map[int64]bool{}}
		want := 0
		for k := range int64(900) {
			d.left[k+1] = rand.IntN(4) + 1
			want += d.left[k+1]
		}
		run(t, d, lanes.Options{Concurrency: 8, Keys: 40}, func(l *lanes.Lanes) {
			for range 2000 { // more wakes than keys may be remembered
				l.Wake(rand.Int64N(900) + 1)
				if n := l.Len(); n > 40 {
					t.Fatalf("%d keys remembered, at most 40 allowed", n)
				}
			}
			time.Sleep(3 * time.Hour)
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.done != want || len(d.left) != 0 {
				t.Errorf("%d of %d pieces done, %d keys left", d.done, want, len(d.left))
			}
			if n := l.Len(); n != 0 {
				t.Errorf("%d idle keys remembered", n)
			}
		})
		if d.overlap || d.most > 8 {
			t.Errorf("overlap %v, %d pieces at once; want none and at most 8", d.overlap, d.most)
		}
	})
}

func TestAWaitingLaneBlocksNobodyAndHurryEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		times := map[int64][]time.Duration{}
		start := time.Now()
		l := lanes.New(lanes.Options{
			Concurrency: 1,
			Work: func(_ context.Context, key int64) lanes.Next {
				mu.Lock()
				defer mu.Unlock()
				times[key] = append(times[key], time.Since(start))
				if key == 1 && len(times[1]) < 3 {
					return lanes.After(time.Hour)
				}
				return lanes.Idle
			},
			Scan: func(context.Context, int64) ([]int64, int64, error) { return nil, 0, nil },
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = l.Run(ctx) }()
		l.Wake(1)
		time.Sleep(time.Minute)
		l.Wake(2)
		l.Wake(1) // does not shorten the wait
		time.Sleep(time.Minute)
		l.Hurry(1)
		time.Sleep(3 * time.Hour)
		mu.Lock()
		defer mu.Unlock()
		if got := times[2]; len(got) != 1 || got[0] != time.Minute {
			t.Errorf("key 2 ran at %v, want once at 1m", got)
		}
		if got := times[1]; len(got) != 3 || got[1] != 2*time.Minute || got[2] != time.Hour+2*time.Minute {
			t.Errorf("key 1 ran at %v, want 0s, 2m, 1h2m", got)
		}
	})
}

func TestAWakeDuringWorkIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		l := lanes.New(lanes.Options{
			Work: func(context.Context, int64) lanes.Next {
				runs.Add(1)
				time.Sleep(time.Second)
				return lanes.Idle
			},
			Scan: func(context.Context, int64) ([]int64, int64, error) { return nil, 0, nil },
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = l.Run(ctx) }()
		l.Wake(1)
		time.Sleep(time.Second / 2)
		l.Wake(1)
		l.Wake(1)
		time.Sleep(time.Minute)
		if runs.Load() != 2 {
			t.Errorf("%d runs, want 2", runs.Load())
		}
	})
}

// TestAHurryDuringWorkIsNotLost: what a piece of work waits for may come before the work has said that it waits.
func TestAHurryDuringWorkIsNotLost(t *testing.T) {
	for name, hurry := range map[string]func(*lanes.Lanes){
		"one": func(l *lanes.Lanes) { l.Hurry(1) }, "all": (*lanes.Lanes).HurryAll,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, times := time.Now(), 0
				var l *lanes.Lanes
				ctx, cancel := context.WithCancel(t.Context())
				l = lanes.New(lanes.Options{
					Work: func(context.Context, int64) lanes.Next {
						if times++; times > 1 {
							cancel()
							return lanes.Idle
						}
						hurry(l)
						return lanes.After(time.Hour)
					},
					Scan: func(context.Context, int64) ([]int64, int64, error) { return []int64{1}, 0, nil },
				})
				if err := l.Run(ctx); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				if times != 2 || time.Since(began) > 0 {
					t.Errorf("worked %d times in %s", times, time.Since(began))
				}
			})
		})
	}
}
