package commit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kabar/internal/commit"
)

func TestOneBatchPaysForAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var batches [][]int
		gate := make(chan struct{})
		w := commit.NewWriter(func(ops []int) []error {
			<-gate
			batches = append(batches, append([]int(nil), ops...))
			return make([]error, len(ops))
		}, commit.Options{Batch: 3})
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				if err := w.Do(t.Context(), i); err != nil {
					t.Errorf("Do(%d): %v", i, err)
				}
			})
			synctest.Wait() // arrival order is the order of i
		}
		close(gate)
		wg.Wait()
		w.Close()
		if len(batches) != 3 || len(batches[0]) != 1 || len(batches[1]) != 3 || len(batches[2]) != 1 {
			t.Fatalf("batches = %v, want sizes 1, 3, 1", batches)
		}
		next := 0
		for _, b := range batches {
			for _, op := range b {
				if op != next {
					t.Fatalf("operation %d ran where %d was due: %v", op, next, batches)
				}
				next++
			}
		}
	})
}

func TestEachOperationGetsItsOwnError(t *testing.T) {
	odd := errors.New("odd")
	w := commit.NewWriter(func(ops []int) []error {
		errs := make([]error, len(ops))
		for i, op := range ops {
			if op%2 == 1 {
				errs[i] = odd
			}
		}
		return errs
	}, commit.Options{})
	defer w.Close()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if err := w.Do(t.Context(), i); errors.Is(err, odd) != (i%2 == 1) {
				t.Errorf("Do(%d) = %v", i, err)
			}
		})
	}
	wg.Wait()
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := commit.NewWriter(func(ops []int) []error {
			<-gate
			return make([]error, len(ops))
		}, commit.Options{Queue: 2})
		for i := range 3 { // one runs, two wait
			go func() { _ = w.Do(context.Background(), i) }()
			synctest.Wait()
		}
		if err := w.Do(t.Context(), 9); !errors.Is(err, commit.ErrFull) {
			t.Fatalf("Do on a full queue = %v, want ErrFull", err)
		}
		if n, limit := w.Waiting(); n != 2 || limit != 2 {
			t.Fatalf("Waiting = %d of %d, want 2 of 2", n, limit)
		}
		close(gate)
		w.Close()
	})
}

func TestContextEndsTheWaitNotTheOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		ran := 0
		w := commit.NewWriter(func(ops []int) []error {
			<-gate
			ran += len(ops)
			return make([]error, len(ops))
		}, commit.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Do(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Do = %v, want deadline exceeded", err)
		}
		close(gate)
		w.Close()
		if ran != 1 {
			t.Fatalf("ran %d operations, want 1", ran)
		}
	})
}

func TestAnEndedContextQueuesNothing(t *testing.T) {
	ran := false
	w := commit.NewWriter(func(ops []int) []error { ran = true; return make([]error, len(ops)) }, commit.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Do(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Do = %v", err)
	}
	w.Close()
	if ran {
		t.Error("the operation ran although its context had ended before")
	}
}

func TestCloseCommitsWhatWaitsAndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		var ran int
		w := commit.NewWriter(func(ops []int) []error {
			<-gate
			ran += len(ops)
			return make([]error, len(ops))
		}, commit.Options{})
		for range 10 {
			go func() { _ = w.Do(context.Background(), 1) }()
		}
		synctest.Wait()
		close(gate)
		w.Close()
		w.Close()
		if ran != 10 {
			t.Fatalf("ran %d, want 10", ran)
		}
		if err := w.Do(t.Context(), 1); !errors.Is(err, commit.ErrClosed) {
			t.Fatalf("Do after Close = %v, want ErrClosed", err)
		}
	})
}

func TestEachBatchIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []int
		w := commit.NewWriter(func(ops []int) []error {
			time.Sleep(time.Second)
			return make([]error, len(ops))
		}, commit.Options{Observe: func(n int, took time.Duration) {
			if told = append(told, n); took != time.Second {
				t.Errorf("a batch took %s, want 1s", took)
			}
		}})
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { _ = w.Do(t.Context(), i) })
			synctest.Wait()
		}
		wg.Wait()
		w.Close()
		if len(told) != 2 || told[0] != 1 || told[1] != 2 {
			t.Errorf("told of batches of %v, want 1 and 2", told)
		}
	})
}
