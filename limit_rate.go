package kabar

import "time"

// Meter holds a number to its Throughput: in no second are there more messages, wherever it begins. It is kept in memory: a server that
// starts again has counted none, so that a restart allows a second's worth at most. It is not safe for concurrent use.
type Meter struct {
	Limit Throughput
	times []time.Time // of the last messages, as many as the limit: a ring
	next  int         // the oldest of them
}

// NewMeter returns a meter for a limit, which is not 0.
func NewMeter(limit Throughput) *Meter { return &Meter{Limit: limit, times: make([]time.Time, limit)} }

// Take counts a message at now. If there may be none it counts nothing, and returns how long it is until there may be one.
func (m *Meter) Take(now time.Time) (wait time.Duration) {
	// A time ahead of now is from before the clock was set back.
	if oldest := m.times[m.next]; !oldest.IsZero() && !now.Before(oldest) && now.Sub(oldest) < time.Second {
		return time.Second - now.Sub(oldest)
	}
	m.Count(now)
	return 0
}

// Count counts a message at now that nobody can refuse.
func (m *Meter) Count(now time.Time) {
	m.times[m.next] = now
	m.next = (m.next + 1) % len(m.times)
}

// Return takes back what was counted last: the message was not accepted after all.
func (m *Meter) Return() {
	m.next = (m.next + len(m.times) - 1) % len(m.times)
	m.times[m.next] = time.Time{}
}

// How many messages one customer gets (contract Cloud API, section 4).
const (
	PairEvery = 6 * time.Second // there is one in each
	PairBurst = 45              // so many may come within one, and are then waited for
)

// Pair is what a number has sent to one customer of late. The zero value is nothing.
type Pair struct {
	Since time.Time // the first message of the burst
	Until time.Time // when all of the burst's messages have had their PairEvery
}

// Take counts a message at now. If there may be none it counts nothing, and returns how long it is until there may be one. A burst
// borrows from the future: when its PairEvery is over, nothing is sent until each of its messages has had its time.
func (p *Pair) Take(now time.Time) (wait time.Duration) {
	switch {
	case !now.Before(p.Until), now.Before(p.Since): // the clock may have been set back
		p.Since, p.Until = now, now.Add(PairEvery)
	case now.Before(p.Since.Add(PairEvery)) && p.Until.Before(p.Since.Add(PairBurst*PairEvery)):
		p.Until = p.Until.Add(PairEvery)
	default:
		return p.Until.Sub(now)
	}
	return 0
}
