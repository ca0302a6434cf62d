package webhook

import (
	"time"

	"kabar"
)

// Bounds of back-off.
const (
	quietTime = 30 * time.Second      // without a success after a failure: the endpoint is failing
	probeMost = 30 * time.Second      // between two probes of an endpoint that does not answer
	leastWait = 10 * time.Millisecond // whatever the settings say
)

// health is what is known of an endpoint as a whole. What happens to parked customers tells nothing of it, except when
// they succeed. Requests are numbered by ticks, so that "began after" needs no clock.
type health struct {
	tick     int64     // requests begun
	answered int64     // the latest beginning of a request that has succeeded
	since    time.Time // of the first failure since the last success; zero: there was none
	culprit  kabar.ConversationID
	spread   bool // others than the culprit have failed, too
	probes   int  // failures since the endpoint is backed off from
	pause    time.Time
}

// failing reports whether nothing has succeeded for long enough since the failure at since.
func failing(since, now time.Time) bool { return !since.IsZero() && now.Sub(since) >= quietTime }

// backedOff reports whether the endpoint is backed off from as a whole. A single customer's failures are no reason: that
// customer's own back-off is enough, and others are tried at once.
func (h *health) backedOff(now time.Time) bool { return h.spread && failing(h.since, now) }

// resume takes over that nothing has been taken since, as an earlier process has noted it; zero: something has.
func (h *health) resume(since time.Time) { h.since, h.spread = since, !since.IsZero() }

func (h *health) success(tick int64) {
	*h = health{tick: h.tick, answered: max(h.answered, tick)}
}

// failure notes a request that has failed, of a customer c and perhaps of others.
func (h *health) failure(now time.Time, c kabar.ConversationID, others bool, step time.Duration) {
	if h.since.IsZero() {
		h.since, h.culprit = now, c
	}
	h.spread = h.spread || others || c != h.culprit
	if h.backedOff(now) {
		h.probes++
		h.pause = now.Add(backoff(step, probeMost, h.probes))
	}
}

// excuse takes back the failures of a customer who turns out to fail alone.
func (h *health) excuse(c kabar.ConversationID) {
	if c == h.culprit && !h.spread {
		h.since = time.Time{}
	}
}

// backoff returns how long the n-th failure waits: n steps, at most most.
func backoff(step, most time.Duration, n int) time.Duration {
	step = max(step, leastWait)
	if time.Duration(n) > most/step {
		return max(most, leastWait)
	}
	return time.Duration(n) * step
}
