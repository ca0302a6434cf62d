package webhook

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// Signer returns the headers that prove a body: they are made of the exact bytes that are sent. It may be called by several
// goroutines.
type Signer func(body []byte) http.Header

// Profile says how the endpoints of a dialect are delivered to. The zero value is that of the On-Premises API: what fails waits as
// the number's settings say, only 200 is a success, and nobody is suspended for not answering.
type Profile struct {
	First   time.Duration // wait of the first failure, doubled by each further one; zero: as the number's settings say
	Most    time.Duration // at most this
	Late    time.Duration // after as many failures as Often, this; zero: Most
	Often   int
	Jitter  float64       // how much longer or shorter a wait may be: 0.2 is a fifth
	Timeout time.Duration // of a request; zero: five seconds
	Any2xx  bool          // every 2xx is a success
	Suspend time.Duration // without a success: the endpoint is suspended; zero: it is not
	Batch   int           // events in a request at most while the endpoint is behind; zero: the number's settings say, whether it is or not
}

// takes reports whether an answer with the status is a success.
func (p *Profile) takes(status int) bool {
	return status == http.StatusOK || p.Any2xx && status >= 200 && status < 300
}

// backoff returns how long the n-th failure waits.
func (p *Profile) backoff(n int) time.Duration {
	d := max(p.First, leastWait)
	for range n - 1 {
		if d *= 2; d >= p.Most {
			break
		}
	}
	d = max(min(d, p.Most), leastWait)
	if p.Late > 0 && n > p.Often {
		d = p.Late
	}
	return time.Duration(float64(d) * (1 + p.Jitter*(2*rand.Float64()-1)))
}

// patience is how long a request may take.
func (s *session) patience() time.Duration {
	switch p := &s.profile; {
	case s.to.Timeout > 0:
		return s.to.Timeout
	case p.Timeout > 0:
		return p.Timeout
	}
	return timeout
}

func (s *session) backoff(n int) time.Duration {
	if p := &s.profile; p.First > 0 {
		return p.backoff(n)
	}
	return backoff(s.settings.BackoffStep, s.settings.BackoffCap, n)
}

// step is how long a first failure waits.
func (s *session) step() time.Duration {
	if p := &s.profile; p.First > 0 {
		return p.First
	}
	return s.settings.BackoffStep
}

// behind is how many events above the mark make an endpoint one that is behind, and worth batches.
const behind = windowLimit / 4

// most returns how many events a request may have now.
func (s *session) most() int {
	switch p := &s.profile; {
	case s.o.Batch[s.dialect] == nil || s.health.backedOff(s.o.Now()) || s.outlet() != nil: // a sink has a topic an event
		return 1
	case s.to.Batch > 0:
		return s.to.Batch
	case p.Batch == 0 && p.First == 0:
		return max(s.settings.Batch, 1)
	case s.gathers() && s.window.open() >= behind:
		return p.Batch
	}
	return 1
}

// gathers reports whether the endpoint gets batches while it is behind, and only then.
func (s *session) gathers() bool {
	return s.profile.Batch > 0 && s.to.Batch == 0 && s.o.Batch[s.dialect] != nil && !s.health.backedOff(s.o.Now())
}

// width is how many requests there may be at a time.
func (s *session) width() int {
	switch {
	case s.o.Concurrency > 0:
		return s.o.Concurrency
	case s.to.Concurrency > 0:
		return s.to.Concurrency
	case s.settings.Concurrency > 0:
		return s.settings.Concurrency
	}
	return defaultWidth
}

// defaultWidth is how many requests there may be when the settings do not say.
const defaultWidth = 6
