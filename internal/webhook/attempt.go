package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/store"
)

// job is what an attempt has to know. It is a copy: the lane belongs to the session.
type job struct {
	lane         *lane
	conversation kabar.ConversationID
	drain        bool // the customer is parked: the event is the first row above after
	tick         int64
	seq          int64
	at           time.Time
	event        *kabar.Event // read ahead; may be nil
	after        int64
	attempts     int // failures so far
	settings     kabar.Settings
}

// outcome says what has become of an attempt.
type outcome int8

const (
	delivered outcome = iota // the endpoint has answered 200
	dismissed                // there is nothing to tell
	failed                   // to be tried again
	early                    // it failed in an earlier process and is not due yet, or the store does not answer
	empty                    // nothing of the customer is parked
	abandoned                // the session ended meanwhile
)

// result is a job and what has become of it.
type result struct {
	job
	outcome outcome
	asked   bool // a request was made: the outcome tells something of the endpoint
	status  int
	err     error
	body    []byte    // what was sent, or would have been; for the retries
	due     time.Time // early: when it is due; zero when the store does not answer
}

// attempt does a job: it finds the event's bytes and POSTs them.
func (s *session) attempt(ctx context.Context, j job) result {
	r := result{job: j}
	o, err := s.prepare(ctx, &r)
	if err == nil && o == delivered {
		r.asked = true
		r.status, err = s.post(ctx, eventID(s.salt, s.id, r.seq, r.at), r.body)
	}
	var missing *store.NotFoundError
	var down *store.UnavailableError
	switch {
	case err == nil:
		r.outcome = o
	case ctx.Err() != nil:
		r.outcome = abandoned
	case errors.As(err, &down) || r.seq == 0:
		r.outcome, r.err = early, err
	case errors.As(err, &missing): // retention has passed it, or the person has been erased
		s.log.Warn("a webhook event is gone before it could be delivered", "seq", r.seq, "missing", missing.What)
		r.outcome = dismissed
	default:
		r.outcome, r.err = failed, err
	}
	return r
}

// prepare finds out what to send: the bytes of the first attempt, or for the first one those of the renderer. The outcome
// is delivered if it is to be sent.
func (s *session) prepare(ctx context.Context, r *result) (outcome, error) {
	switch {
	case r.drain:
		if o, err := s.prepareDrain(ctx, r); o != delivered || err != nil {
			return o, err
		}
	case r.attempts > 0:
		d, err := s.row(ctx, r.conversation, r.seq, store.Retrying)
		if err != nil {
			return failed, fmt.Errorf("read the bytes of the first attempt: %w", err)
		}
		r.body = d.Body
	}
	if len(r.body) > 0 {
		return delivered, nil
	}
	return s.render(ctx, r)
}

// prepareDrain finds the first parked event of the customer.
func (s *session) prepareDrain(ctx context.Context, r *result) (outcome, error) {
	seq, err := s.o.Store.NextParked(ctx, s.number, s.id, r.conversation, r.after)
	if err != nil {
		return failed, fmt.Errorf("read parked events: %w", err)
	}
	if seq == 0 {
		return empty, nil
	}
	r.seq = seq
	d, err := s.row(ctx, r.conversation, seq, store.Parked)
	if err != nil {
		return failed, fmt.Errorf("read a parked event: %w", err)
	}
	known := r.attempts > 0
	r.attempts, r.body = d.Attempts, d.Body
	if !known && !s.hurry && d.Due.After(s.o.Now()) {
		r.due = d.Due
		return early, nil
	}
	heads, err := s.o.Store.EventHeads(ctx, s.number, seq-1, 1)
	if err != nil {
		return failed, fmt.Errorf("read a parked event: %w", err)
	}
	if len(heads) == 0 || heads[0].Seq != seq {
		return failed, &store.NotFoundError{What: "event"}
	}
	r.at = heads[0].At
	return delivered, nil
}

func (s *session) render(ctx context.Context, r *result) (outcome, error) {
	ev := r.event
	if ev == nil {
		var err error
		if ev, err = s.o.Store.Event(ctx, s.number, r.seq); err != nil {
			return failed, fmt.Errorf("read an event: %w", err)
		}
	}
	n, err := s.o.Number(s.number)
	if err != nil {
		return failed, fmt.Errorf("read the number: %w", err)
	}
	render := s.o.Render[s.dialect]
	if render == nil {
		return failed, fmt.Errorf("render an event: there is no renderer for %q", s.dialect)
	}
	body, wanted, err := render(ev, n, r.settings)
	switch {
	case err != nil:
		return failed, fmt.Errorf("render an event: %w", err)
	case !wanted:
		return dismissed, nil
	}
	r.body = body
	return delivered, nil
}
