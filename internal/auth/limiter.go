package auth

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"kabar"
)

// Limits of password guessing: so many failures are free, then each doubles the wait.
const (
	freeFailures  = 5
	longestWait   = 15 * time.Minute
	limiterSize   = 10_000 // names, and addresses
	limiterSample = 8      // of which the oldest makes room
)

// limiter counts failed logins by name and by address. A name that is blocked because of others does not lock its owner
// out: an address without failures of its own has a try. Attempts that are being decided count against the free ones, so
// that many at once are not free either: what is over waits for its turn.
type limiter struct {
	now func() time.Time

	mu        sync.Mutex
	names     map[string]*failures
	addresses map[netip.Prefix]*failures
	decided   chan struct{} // closed and replaced when an attempt has been decided
}

// failures are those of one name or address. They are forgiven together, longestWait after the last one's wait.
type failures struct {
	n       int
	last    time.Time
	pending int // attempts of the address that are being decided
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, names: map[string]*failures{}, addresses: map[netip.Prefix]*failures{}, decided: make(chan struct{})}
}

// begin admits an attempt, whose outcome must be told to one of failed, succeeded and abandoned, or refuses it with
// ReasonTooMany and how long to wait.
func (l *limiter) begin(ctx context.Context, name string, from netip.Addr) error {
	network := networkOf(from)
	for {
		l.mu.Lock()
		now, address, decided := l.now(), slot(l.addresses, network), l.decided
		wait := address.wait(now)
		if address.count(now) > 0 {
			wait = max(wait, l.names[name].wait(now))
		}
		admitted := wait == 0 && (address.pending == 0 || address.count(now)+address.pending < freeFailures)
		if admitted {
			address.pending++
		}
		l.mu.Unlock()
		if wait > 0 {
			return &kabar.Error{Reason: kabar.ReasonTooMany, Detail: "too many failed logins", After: wait}
		}
		if admitted {
			return nil
		}
		select {
		case <-decided:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// failed counts the attempt.
func (l *limiter) failed(name string, from netip.Addr) {
	l.decide(from, func(address *failures) {
		now := l.now()
		address.fail(now)
		slot(l.names, name).fail(now)
	})
}

// succeeded forgives the name its failures, and says whether it had some. Those of the address stay: a valid login of one's own
// must not buy guesses at others.
func (l *limiter) succeeded(name string, from netip.Addr) (had bool) {
	l.decide(from, func(*failures) {
		_, had = l.names[name]
		delete(l.names, name)
	})
	return had
}

// abandoned forgets the attempt: the store did not answer, or the client left.
func (l *limiter) abandoned(from netip.Addr) { l.decide(from, func(*failures) {}) }

func (l *limiter) decide(from netip.Addr, outcome func(address *failures)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	address := slot(l.addresses, networkOf(from))
	address.pending = max(0, address.pending-1)
	outcome(address)
	close(l.decided)
	l.decided = make(chan struct{})
}

// slot returns the failures of k. When there are too many, the oldest of a few make room: memory is bounded, and who fills
// it up mostly removes what he has put there himself.
func slot[K comparable](all map[K]*failures, k K) *failures {
	if f := all[k]; f != nil {
		return f
	}
	if len(all) >= limiterSize {
		var oldest K
		var at time.Time
		n := 0
		for k, f := range all {
			if n == 0 || f.last.Before(at) {
				oldest, at = k, f.last
			}
			if n++; n == limiterSample {
				break
			}
		}
		delete(all, oldest)
	}
	f := &failures{}
	all[k] = f
	return f
}

func (f *failures) fail(now time.Time) { f.n, f.last = f.count(now)+1, now }

// count returns how many failures still count.
func (f *failures) count(now time.Time) int {
	if f == nil || now.Sub(f.last) > f.pause()+longestWait {
		return 0
	}
	return f.n
}

// wait returns how long no attempt is allowed.
func (f *failures) wait(now time.Time) time.Duration {
	if f.count(now) == 0 {
		return 0
	}
	return max(0, f.last.Add(f.pause()).Sub(now))
}

// pause is how long the last failure blocks: 2, 4, 8… seconds from the first that is not free.
func (f *failures) pause() time.Duration {
	over := f.n - freeFailures
	if over <= 0 {
		return 0
	}
	return min(time.Second<<min(over, 30), longestWait)
}

// networkOf returns what counts as one address: an IPv4 address, or the /64 that a provider gives one customer.
func networkOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the invalid address has the invalid network: one for all of them
	return p
}
