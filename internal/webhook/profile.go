package webhook

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// Signer returns the headers that prove a body: they are made of the exact bytes that are sent. It may be called by several
// goroutines.
type Signer func(body []byte) http.Header

// Profile says how the endpoints of a dialect are tried again: the n-th failure waits twice as long as the one before it.
type Profile struct {
	First   time.Duration // of the first failure
	Most    time.Duration // at most this
	Jitter  float64       // how much longer or shorter a wait may be: 0.2 is a fifth
	Timeout time.Duration // of a request; zero: five seconds
}

// backoff returns how long the n-th failure waits.
func (p Profile) backoff(n int) time.Duration {
	d := max(p.First, leastWait)
	for range n - 1 {
		if d *= 2; d >= p.Most {
			break
		}
	}
	d = max(min(d, p.Most), leastWait)
	return time.Duration(float64(d) * (1 + p.Jitter*(2*rand.Float64()-1)))
}

// patience is how long a request may take.
func (s *session) patience() time.Duration {
	if p := s.o.Profile[s.dialect]; p.Timeout > 0 {
		return p.Timeout
	}
	return timeout
}

func (s *session) backoff(n int) time.Duration {
	if p, ok := s.o.Profile[s.dialect]; ok {
		return p.backoff(n)
	}
	return backoff(s.settings.BackoffStep, s.settings.BackoffCap, n)
}

// step is how long a first failure waits.
func (s *session) step() time.Duration {
	if p, ok := s.o.Profile[s.dialect]; ok {
		return p.First
	}
	return s.settings.BackoffStep
}
