// Package commit is the group-commit leaf shared by the server's, the relay's and the phone's stores.
//
// Every write is an operation. A Writer takes all operations that wait, hands them as one batch to the function that
// runs a transaction, and answers each of them after that function has returned, which is after the commit: one fsync
// pays for all. There is no timer: while one batch commits, the next one gathers, and so it does while other goroutines are ready to
// run.
//
// The package knows nothing of databases. It does not retry, does not look into operations and does not reorder them:
// a batch holds them in arrival order. A Writer is safe for concurrent use; its one goroutine is started by NewWriter
// and ended by Close.
package commit

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// Errors of Writer.Do.
var (
	// ErrFull says that the queue is full: the caller should answer "overloaded, retry".
	ErrFull = errors.New("commit: the write queue is full")
	// ErrClosed says that the writer has been closed; the operation has not run.
	ErrClosed = errors.New("commit: the writer is closed")
)

// Options bound a Writer. A zero field means its default.
type Options struct {
	Queue int // operations that may wait; default 4,096
	Batch int // operations of one transaction at most; default 512
	// Observe is told of each batch after it has run: how many operations it had, and how long it took. It must not block;
	// nil: nobody is told.
	Observe func(operations int, took time.Duration)
}

// Run decides and commits a batch. It returns one error for each operation, in the same order: nil means that the
// operation is committed. It is never called concurrently with itself.
type Run[Op any] func(ops []Op) []error

// Writer gathers operations into batches.
type Writer[Op any] struct {
	run   Run[Op]
	queue chan request[Op]
	batch int
	tell  func(operations int, took time.Duration)

	mu     sync.RWMutex // guards closed against a send on a queue nobody reads
	closed bool
	done   chan struct{}
}

type request[Op any] struct {
	op   Op
	done chan error
}

// NewWriter starts a writer that hands its batches to run.
func NewWriter[Op any](run Run[Op], o Options) *Writer[Op] {
	if o.Queue <= 0 {
		o.Queue = 4096
	}
	if o.Batch <= 0 {
		o.Batch = 512
	}
	if o.Observe == nil {
		o.Observe = func(int, time.Duration) {}
	}
	w := &Writer[Op]{
		run:   run,
		queue: make(chan request[Op], o.Queue),
		batch: o.Batch,
		tell:  o.Observe,
		done:  make(chan struct{}),
	}
	go w.loop()
	return w
}

// Do queues op and waits until its batch has been committed or refused.
//
// It returns ErrFull at once when the queue is full, and ctx's error at once when ctx has ended before. When ctx ends while
// the operation waits, Do returns ctx's error and the outcome is unknown: the operation may still be committed.
func (w *Writer[Op]) Do(ctx context.Context, op Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := request[Op]{op: op, done: make(chan error, 1)}
	if err := w.enqueue(r); err != nil {
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Writer[Op]) enqueue(r request[Op]) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.queue <- r:
		return nil
	default:
		return ErrFull
	}
}

// Waiting returns how many operations are queued now and how many may be.
func (w *Writer[Op]) Waiting() (n, limit int) { return len(w.queue), cap(w.queue) }

// Close commits what is queued, then stops. Operations handed in afterwards get ErrClosed. It may be called twice.
func (w *Writer[Op]) Close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.done
}

// gather lets those run who are about to hand something in, as long as the queue grows: what a commit costs is shared by more
// operations, and nobody waits for anything but a processor.
func (w *Writer[Op]) gather() {
	for n := -1; n < len(w.queue) && n < w.batch; {
		n = len(w.queue)
		runtime.Gosched()
	}
}

func (w *Writer[Op]) loop() {
	defer close(w.done)
	var ops []Op
	var waiting []request[Op]
	for first := range w.queue {
		w.gather()
		ops, waiting = append(ops[:0], first.op), append(waiting[:0], first)
		for more := true; more && len(ops) < w.batch; {
			select {
			case r, ok := <-w.queue:
				if more = ok; ok {
					ops, waiting = append(ops, r.op), append(waiting, r)
				}
			default:
				more = false
			}
		}
		start := time.Now()
		for i, err := range w.run(ops) {
			waiting[i].done <- err
		}
		w.tell(len(ops), time.Since(start))
		clear(ops) // do not keep the closures of the last batch alive
		clear(waiting)
	}
}
