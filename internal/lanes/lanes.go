// Package lanes runs work for many keys side by side: for each key one piece at a time, in the order its owner reads it
// from its store, and never more than a bound in all. The engine has a lane for each conversation.
//
// Lanes hold keys only, never the work itself, and at most Options.Keys of them: whatever is beyond that stays where it
// is, in the database, and is found again by Options.Scan. So memory does not depend on the backlog.
//
// A Lanes is started by Run and ended by its context; Run returns after the last piece of work has. All methods are safe
// for concurrent use. In a testing/synctest bubble its waits are plain timers.
package lanes

import (
	"context"
	"sync"
	"time"
)

// Options describe the work.
type Options struct {
	// Work does what there is to do for key, and says when to come back. It is never called twice at a time for one key.
	Work func(ctx context.Context, key int64) Next
	// Scan returns keys that may have work, from cursor on, and the cursor to go on from; 0 when there are no more. It is
	// called with 0 at the start, and again when keys had to be forgotten. An error is answered with another try.
	Scan func(ctx context.Context, cursor int64) (keys []int64, next int64, err error)
	// Concurrency is how many pieces of work may run at a time; default 64.
	Concurrency int
	// Keys is how many keys are remembered at most; default 10,000.
	Keys int
}

// Next says when a key wants to be worked again.
type Next struct {
	again bool
	after time.Duration
}

var (
	// Idle says that nothing is left; wake the key when there is.
	Idle = Next{}
	// Again says that more is left; the others have their turn first.
	Again = Next{again: true}
)

// After says: something is left, but not before d has passed. A wake in between does not shorten the wait; Hurry does.
func After(d time.Duration) Next { return Next{again: true, after: max(d, 0)} }

// Lanes schedules work by key.
type Lanes struct {
	o Options

	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // the life of Run, for work started by Wake
	lanes   map[int64]*lane
	queue   []int64 // keys whose turn will come
	running int
	scan    bool // keys have been forgotten, or never read: the store must be asked
	asking  bool // Scan runs
	work    sync.WaitGroup
}

// lane is the state of one key. A lane that is neither queued, running nor waiting is removed.
type lane struct {
	running bool
	woken   bool        // woken while running
	hurried bool        // hurried while running: it does not wait
	waiting *time.Timer // set while the lane waits
}

// New returns lanes that begin to work with Run.
func New(o Options) *Lanes {
	if o.Concurrency <= 0 {
		o.Concurrency = 64
	}
	if o.Keys <= 0 {
		o.Keys = 10_000
	}
	return &Lanes{o: o, lanes: map[int64]*lane{}, scan: true}
}

// Wake says that there may be work for key. It never blocks. Before Run it is remembered; after Run it does nothing.
func (l *Lanes) Wake(key int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake(key)
	l.dispatch()
}

// Hurry wakes key and ends its wait, if it waits.
func (l *Lanes) Hurry(key int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ln := l.lanes[key]; ln != nil {
		l.hurry(key, ln)
	} else {
		l.wake(key)
	}
	l.dispatch()
}

// HurryAll ends all waits: the clock has jumped, say.
func (l *Lanes) HurryAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, ln := range l.lanes {
		l.hurry(key, ln)
	}
	l.dispatch()
}

// hurry ends the wait of a lane, also one that its work under way is about to ask for.
func (l *Lanes) hurry(key int64, ln *lane) {
	ln.hurried = ln.running
	if ln.waiting != nil && ln.waiting.Stop() {
		ln.waiting = nil
		l.queue = append(l.queue, key)
	}
}

// Len returns how many keys are remembered.
func (l *Lanes) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lanes)
}

func (l *Lanes) wake(key int64) {
	switch ln := l.lanes[key]; {
	case ln != nil:
		ln.woken = ln.running // queued and waiting lanes come anyway
	case len(l.lanes) >= l.o.Keys:
		l.scan = true
	default:
		l.lanes[key] = &lane{}
		l.queue = append(l.queue, key)
	}
}

// Run works until ctx ends, then waits for the work under way and returns ctx's error.
func (l *Lanes) Run(ctx context.Context) error {
	l.mu.Lock()
	l.ctx = ctx
	l.dispatch()
	l.mu.Unlock()
	<-ctx.Done()
	l.mu.Lock()
	for _, ln := range l.lanes {
		if ln.waiting != nil {
			ln.waiting.Stop()
		}
	}
	l.mu.Unlock()
	l.work.Wait()
	return ctx.Err()
}

// dispatch starts what may start. The caller holds the lock.
func (l *Lanes) dispatch() {
	if l.ctx == nil || l.ctx.Err() != nil {
		return
	}
	for l.running < l.o.Concurrency && len(l.queue) > 0 {
		key := l.queue[0]
		l.queue = l.queue[1:]
		l.lanes[key].running = true
		l.running++
		l.work.Go(func() { l.run(key) })
	}
	if l.scan && !l.asking && len(l.lanes) <= l.o.Keys/2 {
		l.scan, l.asking = false, true
		l.work.Go(l.ask)
	}
}

func (l *Lanes) run(key int64) {
	next := l.o.Work(l.ctx, key)
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.lanes[key]
	ln.running = false
	l.running--
	switch {
	case next.after > 0 && !ln.hurried:
		ln.waiting = time.AfterFunc(next.after, func() { l.resume(key, ln) })
	case next.again || ln.woken || ln.hurried:
		l.queue = append(l.queue, key)
	default:
		delete(l.lanes, key)
	}
	ln.woken, ln.hurried = false, false
	l.dispatch()
}

func (l *Lanes) resume(key int64, ln *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lanes[key] != ln || ln.waiting == nil {
		return // hurried meanwhile
	}
	ln.waiting = nil
	l.queue = append(l.queue, key)
	l.dispatch()
}

// scanPause is the wait after a failed or a full-house scan.
const scanPause = 100 * time.Millisecond

// ask reads keys from the store until it has given all, or until no more can be remembered.
func (l *Lanes) ask() {
	for cursor := int64(0); l.ctx.Err() == nil; {
		if l.full() {
			l.sleep()
			continue
		}
		keys, next, err := l.o.Scan(l.ctx, cursor)
		if err != nil {
			l.sleep()
			continue
		}
		l.mu.Lock()
		for _, k := range keys {
			l.wake(k)
		}
		done := next == 0
		if done {
			l.asking = false
		}
		l.dispatch()
		l.mu.Unlock()
		if done {
			return
		}
		cursor = next
	}
}

func (l *Lanes) full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lanes) > l.o.Keys/2
}

func (l *Lanes) sleep() {
	select {
	case <-time.After(scanPause):
	case <-l.ctx.Done():
	}
}
