package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"kabar"
	"kabar/internal/lanes"
	"kabar/internal/network"
	"kabar/internal/store"
)

// How the network is asked who is on it.
const (
	askedAtOnce = 100              // handles of a question, and of an event that tells the answer
	askPatience = 15 * time.Second // of a caller who waits
	askLife     = time.Hour        // of a question that nobody waits for; then it has failed
)

// Check asks who of some people is on the network.
type Check struct {
	Inputs []string // phone numbers in any usual writing, wa_ids or BSUIDs
	Force  bool     // ask the network, whatever it has said in the last seven days
	Wait   bool     // for the network's answer; otherwise an event tells what is not known yet
}

// CheckContacts returns an answer for each input, in order. Whoever waits gets the network's word, ContactFailed where it does
// not come in fifteen seconds. Who does not wait gets what is remembered, and ContactProcessing for the others: the question is
// on disk then, and an event (kabar.EventContacts) answers it, within an hour whatever happens.
func (e *Engine) CheckContacts(ctx context.Context, n kabar.NumberID, c Check) ([]kabar.Contact, error) {
	l, err := e.line(n)
	if err != nil {
		return nil, err
	}
	q := newQuestion(c.Inputs)
	if !c.Force {
		known, err := e.db.Contacts(ctx, n, q.handles(), e.now())
		if err != nil {
			return nil, store.Refusal(err)
		}
		q.learn(known)
	}
	switch rest := q.open(); {
	case len(rest) == 0:
	case c.Wait:
		err = e.askNow(ctx, l, q)
	default:
		err = e.askLater(ctx, l, rest)
	}
	return q.contacts, store.Refusal(err)
}

// question is what is known about the people somebody asks for.
type question struct {
	contacts []kabar.Contact
	handle   []string // of each; empty: the input is nobody's
}

func newQuestion(inputs []string) *question {
	q := &question{contacts: make([]kabar.Contact, len(inputs)), handle: make([]string, len(inputs))}
	for i, input := range inputs {
		q.contacts[i] = kabar.Contact{Input: input, Status: kabar.ContactInvalid}
		if who, err := ParseRecipient(input); err == nil {
			q.contacts[i].Status, q.handle[i] = kabar.ContactProcessing, who.Handle()
		}
	}
	return q
}

// handles returns those that are not answered, each once.
func (q *question) handles() []string {
	var all []string
	seen := map[string]bool{}
	for i, h := range q.handle {
		if q.contacts[i].Status == kabar.ContactProcessing && !seen[h] {
			seen[h] = true
			all = append(all, h)
		}
	}
	return all
}

// open returns the inputs that are not answered.
func (q *question) open() []string {
	var inputs []string
	for _, c := range q.contacts {
		if c.Status == kabar.ContactProcessing {
			inputs = append(inputs, c.Input)
		}
	}
	return inputs
}

// learn fills in who is known and who is not.
func (q *question) learn(known map[string]bool) {
	for i, h := range q.handle {
		is, told := known[h]
		switch c := &q.contacts[i]; {
		case !told || c.Status != kabar.ContactProcessing:
		case is:
			c.Status, c.Handle = kabar.ContactValid, h
		default:
			c.Status = kabar.ContactInvalid
		}
	}
}

// fail gives up what is not answered.
func (q *question) fail() {
	for i := range q.contacts {
		if q.contacts[i].Status == kabar.ContactProcessing {
			q.contacts[i].Status = kabar.ContactFailed
		}
	}
}

// askNow asks the network while the caller waits. That the network does not answer is an answer, too.
func (e *Engine) askNow(ctx context.Context, l *line, q *question) error {
	asking, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	for handles := range slices.Chunk(q.handles(), askedAtOnce) {
		known, err := e.ask(asking, l, handles)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			e.log.WarnContext(ctx, "check contacts", "err", err, "contacts", len(handles))
			break
		}
		q.learn(known)
		err = e.db.Write(ctx, func(tx *store.Tx) { wantContacts(tx, l, known) }, func(tx *store.Tx) error { return saveContacts(tx, l, known, e.now()) })
		if err != nil {
			return err
		}
	}
	q.fail()
	return nil
}

// ask asks the network, again when it wants to be asked later. A network without a directory knows everybody.
func (e *Engine) ask(ctx context.Context, l *line, handles []string) (map[string]bool, error) {
	known := map[string]bool{}
	directory, ok := l.net.(network.Directory)
	for {
		var list []bool
		var err error
		if ok {
			list, err = directory.Lookup(ctx, handles)
		} else {
			list = slices.Repeat([]bool{true}, len(handles))
		}
		if wait, limited := errors.AsType[*network.Later](err); limited {
			select {
			case <-time.After(wait.After):
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if err == nil && len(list) != len(handles) {
			err = fmt.Errorf("the network has answered for %d of %d", len(list), len(handles))
		}
		for i := range list {
			known[handles[i]] = list[i]
		}
		return known, err
	}
}

func wantContacts(tx *store.Tx, l *line, known map[string]bool) {
	for h := range known {
		tx.WantContact(l.number.ID, h)
	}
}

func saveContacts(tx *store.Tx, l *line, known map[string]bool, now time.Time) error {
	for h, is := range known {
		if err := tx.SaveContact(l.number, h, is, now); err != nil {
			return err
		}
	}
	return nil
}

// waiting is the body of a question's job: what nobody has answered yet.
type waiting struct {
	Inputs []string  `json:"inputs"`
	Until  time.Time `json:"until"`
}

// askLater has the network asked once this is on disk.
func (e *Engine) askLater(ctx context.Context, l *line, inputs []string) error {
	body, err := json.Marshal(waiting{inputs, e.now().Add(askLife)})
	if err != nil {
		return fmt.Errorf("encode a question: %w", err)
	}
	return e.db.Write(ctx, nil, func(tx *store.Tx) error {
		j := &store.Job{Account: l.number.Account, Number: l.number.ID, Kind: jobAsk, Body: body}
		if err := tx.AddLoneJob(j); err != nil {
			return err
		}
		tx.After(func() { e.asks.Wake(j.ID) })
		return nil
	})
}

// answer asks the network about the first of those that a job waits for, and commits what it has said, the event that tells
// it, and the rest of the job.
func (e *Engine) answer(ctx context.Context, id int64) lanes.Next {
	job, l, err := e.fetchJob(ctx, id)
	if store.IsNotFound(err) {
		return lanes.Idle
	}
	if err != nil {
		return e.later(ctx, "read a question", err)
	}
	var w waiting
	if err := json.Unmarshal(job.Body, &w); err != nil { // it is made here, so it can be read
		e.log.Error("a question that cannot be read is given up", "job", job.ID, "err", err)
	}
	q := newQuestion(w.Inputs[:min(askedAtOnce, len(w.Inputs))])
	known, next := e.tryAsk(ctx, l, q, w.Until)
	if next != nil {
		return *next
	}
	q.learn(known)
	q.fail()
	w.Inputs = w.Inputs[len(q.contacts):]
	if err := e.answered(ctx, l, job, q, known, w); err != nil {
		return e.later(ctx, "answer a question", err)
	}
	if len(w.Inputs) > 0 {
		return lanes.Again
	}
	return lanes.Idle
}

// tryAsk asks once. next is when to ask again; nil when the question is answered, or has become too old.
func (e *Engine) tryAsk(ctx context.Context, l *line, q *question, until time.Time) (known map[string]bool, next *lanes.Next) {
	old := !e.now().Before(until)
	if connected, _ := e.Link(l.number.ID); !connected && !old {
		wait := lanes.After(min(pauseOffline, until.Sub(e.now())))
		return nil, &wait
	}
	asking, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	known, err := e.ask(asking, l, q.handles())
	if err == nil || old && ctx.Err() == nil {
		return known, nil
	}
	again := e.later(ctx, "check contacts", err)
	return nil, &again
}

// answered commits an answer.
func (e *Engine) answered(ctx context.Context, l *line, job *store.Job, q *question, known map[string]bool, rest waiting) error {
	body, err := json.Marshal(rest)
	if err != nil {
		return err
	}
	left := *job
	left.Body = body
	return e.db.Write(ctx, func(tx *store.Tx) {
		tx.WantJob(job.ID)
		tx.WantSeq(job.Number)
		wantContacts(tx, l, known)
	}, func(tx *store.Tx) error {
		if _, err := tx.Job(job.Number, job.ID); err != nil {
			return ignoreMissing(err) // answered before, and the commit's own answer was lost
		}
		if err := saveContacts(tx, l, known, e.now()); err != nil {
			return err
		}
		if len(q.contacts) > 0 {
			ev := &kabar.Event{Account: job.Account, Number: job.Number, Kind: kabar.EventContacts, At: e.now(), Contacts: q.contacts}
			if err := e.addEvent(tx, l, ev); err != nil {
				return err
			}
		}
		if len(rest.Inputs) > 0 {
			return tx.SaveJob(&left)
		}
		return tx.RemoveJob(job.Number, job.ID)
	})
}
