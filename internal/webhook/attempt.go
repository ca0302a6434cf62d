package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/signature"
	"kabar/internal/store"
)

// job is a request to be made, and all an attempt has to know. It is a copy: the lanes belong to the session.
type job struct {
	lanes    []*lane // whose events these are; the first event's comes first
	items    []item  // the events, in the order of the log
	drain    bool    // the customer is parked: the event is the first row above after
	again    bool    // a batch that has failed: all of it, or nothing
	tick     int64
	after    int64
	attempts int // failures so far
	settings kabar.Settings
	signer   *signature.Signer
}

// item is one event of a job.
type item struct {
	lane         *lane
	conversation kabar.ConversationID
	seq          int64
	at           time.Time
	kind         kabar.EventKind
	typ          string       // of the event, once its body has been made
	event        *kabar.Event // read ahead; may be nil
	body         []byte       // what tells of it: alone in a request, or joined with others
	fate         fate
	err          error
}

// fate says what has become of an event in an attempt.
type fate int8

const (
	left      fate = iota // not tried: its turn comes again
	told                  // it was in the request, whatever came of that
	dismissed             // there is nothing to tell
	unmade                // its body could not be made; to be tried again
)

// outcome says what has become of an attempt.
type outcome int8

const (
	tried     outcome = iota // the fates of the events and the answer say more
	early                    // it failed in an earlier process and is not due yet, or the store does not answer
	empty                    // nothing of the customer is parked
	torn                     // the batch cannot be sent as it was
	abandoned                // the session ended meanwhile
)

// result is a job and what has become of it.
type result struct {
	*job
	outcome outcome
	asked   bool      // a request was made: the outcome tells something of the endpoint
	answer            // of the request
	at      time.Time // when it began, by the product's clock
	took    time.Duration
	due     time.Time // early: when it is due; zero when the store does not answer
	hand    hand      // which has made it, and is idle
}

// attempt does a job: it finds the bytes of its events and POSTs them.
func (s *session) attempt(ctx context.Context, j *job) *result {
	r := &result{job: j}
	r.outcome, r.err = s.prepare(ctx, r)
	r.at = s.o.Now()
	if r.outcome == tried {
		s.send(ctx, r)
	}
	if r.err != nil && ctx.Err() != nil {
		r.outcome = abandoned
	}
	return r
}

// send makes the request, if there is something to tell.
func (s *session) send(ctx context.Context, r *result) {
	bodies, of := r.told()
	if len(of) == 0 {
		return
	}
	body := bodies[0]
	if len(of) > 1 {
		var err error
		if body, err = s.o.Batch[s.dialect].Join(bodies); err != nil {
			r.err = fmt.Errorf("join events: %w", err)
			return
		}
	}
	r.asked = true
	start := time.Now() // real time, as the application sees it
	id := s.requestID(of)
	r.answer = s.post(ctx, &request{id: id, body: body, of: of, j: r.job})
	r.took = time.Since(start)
	if s.o.Told != nil && ctx.Err() == nil {
		s.o.Told(Post{Number: s.number, Kind: of[0].kind, Status: r.status, Err: r.err, Took: r.took})
	}
	//failpoint:after-hook
}

// maxBody bounds the body of several events, in bytes: who has many large ones has them in several requests.
const maxBody = 3 << 20

// told returns the events to tell of, and what tells of them. Those that would make the body too large are left for later, each with
// those behind it.
func (r *result) told() (bodies [][]byte, of []*item) {
	size, cut := 0, false
	for i := range r.items {
		it := &r.items[i]
		if it.fate != told {
			continue
		}
		size += len(it.body)
		if cut = cut || size > maxBody && len(of) > 0 && !r.again; cut {
			it.fate = left
			continue
		}
		bodies, of = append(bodies, it.body), append(of, it)
	}
	return bodies, of
}

// errEarly says that a parked event is not due yet.
var errEarly = errors.New("not due yet")

// prepare finds out what to send: the bytes of the first attempt, or for the first one those of the renderer.
func (s *session) prepare(ctx context.Context, r *result) (outcome, error) {
	if r.drain {
		seq, err := s.o.Store.NextParked(ctx, s.number, s.id, r.items[0].conversation, r.after)
		if err != nil {
			return early, fmt.Errorf("read parked events: %w", err)
		}
		if seq == 0 {
			return empty, nil
		}
		r.items[0].seq = seq
	}
	s.readTogether(ctx, r)
	cut := map[*lane]bool{} // what comes behind an event without a body waits for it
	for i := range r.items {
		it := &r.items[i]
		if cut[it.lane] {
			continue
		}
		var missing *store.NotFoundError
		var down *store.UnavailableError
		switch it.fate, it.err = s.make(ctx, r, it); {
		case it.err == nil:
		case errors.Is(it.err, errEarly):
			return early, nil
		case ctx.Err() != nil || errors.As(it.err, &down):
			return early, it.err
		case errors.As(it.err, &missing): // retention has passed it, or the person has been erased
			s.log.Warn("a webhook event is gone before it could be delivered", "seq", it.seq, "missing", missing.What)
			it.fate = dismissed
		default:
			it.fate, cut[it.lane] = unmade, true
		}
		if r.again && it.fate != told {
			return torn, it.err
		}
	}
	return tried, nil
}

// make finds the bytes of an event.
func (s *session) make(ctx context.Context, r *result, it *item) (fate, error) {
	switch {
	case r.drain:
		if err := s.parkedRow(ctx, r, it); err != nil {
			return left, err
		}
	case r.attempts > 0:
		d, err := s.row(ctx, it.conversation, it.seq, store.Retrying)
		if err != nil {
			return left, fmt.Errorf("read the bytes of the first attempt: %w", err)
		}
		it.body = d.Body
	}
	switch {
	case len(it.body) > 0:
		return told, nil
	case r.again: // the person has been erased, and the bytes with them
		return left, nil
	}
	return s.render(ctx, r.settings, it)
}

// parkedRow reads a parked event's row, and when the event happened.
func (s *session) parkedRow(ctx context.Context, r *result, it *item) error {
	d, err := s.row(ctx, it.conversation, it.seq, store.Parked)
	if err != nil {
		return fmt.Errorf("read a parked event: %w", err)
	}
	known := r.attempts > 0
	r.attempts, it.body = d.Attempts, d.Body
	if !known && !s.hurry && d.Due.After(s.o.Now()) {
		r.due = d.Due
		return errEarly
	}
	heads, err := s.o.Store.EventHeads(ctx, s.number, it.seq-1, 1)
	if err != nil {
		return fmt.Errorf("read a parked event: %w", err)
	}
	if len(heads) == 0 || heads[0].Seq != it.seq {
		return &store.NotFoundError{What: "event"}
	}
	it.at, it.kind = heads[0].At, heads[0].Kind
	return nil
}

func (s *session) render(ctx context.Context, settings kabar.Settings, it *item) (fate, error) {
	ev := it.event
	if ev == nil {
		var err error
		if ev, err = s.o.Store.Event(ctx, s.number, it.seq); err != nil {
			return left, fmt.Errorf("read an event: %w", err)
		}
	}
	n, err := s.o.Number(s.number)
	if err != nil {
		return left, fmt.Errorf("read the number: %w", err)
	}
	render := s.o.Render[s.dialect]
	if render == nil {
		return left, fmt.Errorf("render an event: there is no renderer for %q", s.dialect)
	}
	it.typ = string(ev.Type())
	if !s.to.Filter.Wants(ev) {
		return dismissed, nil
	}
	body, wanted, err := render(ev, n, settings)
	switch {
	case err != nil:
		return left, fmt.Errorf("render an event: %w", err)
	case !wanted:
		return dismissed, nil
	}
	it.body = body
	return told, nil
}
