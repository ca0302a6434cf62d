package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/lanes"
	"kabar/internal/store"
)

// The kinds of jobs. All but fetches, questions and exchanges are done in the lane of their conversation.
const (
	jobSend    store.JobKind = "send"    // prepare and transmit a message
	jobResend  store.JobKind = "resend"  // the same, in a fresh session
	jobReceipt store.JobKind = "receipt" // tell the customer what has arrived or been read; the body is a kabar.Receipt
	jobRetry   store.JobKind = "retry"   // ask for what could not be decrypted; the body is a kabar.Retry
	jobProfile store.JobKind = "profile" // tell the customer who the business is
	jobAsk     store.JobKind = "ask"     // ask who is on the network, of no conversation; the body is a waiting
	jobFetch   store.JobKind = "fetch"   // download media of a message; the body is a fetching
	// A flow that exchanges data: ask the server of the business, the body is an asking; and tell the customer how it goes on, the
	// body is a kabar.FlowStep.
	jobExchange store.JobKind = "exchange"
	jobStep     store.JobKind = "step"
)

func isFetch(k store.JobKind) bool { return k == jobFetch }
func isAsk(k store.JobKind) bool   { return k == jobAsk }
func isSend(k store.JobKind) bool  { return !isFetch(k) && !isAsk(k) && !isExchange(k) }

func isExchange(k store.JobKind) bool { return k == jobExchange }

// addJob stores a job of a conversation, with a body that is encoded as JSON, and wakes whoever does it once it is on disk.
func (e *Engine) addJob(tx *store.Tx, c *kabar.Conversation, kind store.JobKind, m kabar.MessageID, body any) error {
	j := &store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: kind, Message: m}
	if body != nil {
		var err error
		if j.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encode job: %w", err)
		}
	}
	for _, lone := range []struct {
		is    func(store.JobKind) bool
		lanes *lanes.Lanes
	}{{isFetch, e.fetches}, {isExchange, e.exchanges}} {
		if lone.is(kind) {
			tx.After(func() { lone.lanes.Wake(j.ID) })
			return tx.AddLoneJob(j)
		}
	}
	tx.After(func() { e.sends.Wake(int64(c.ID)) })
	return tx.AddJob(j)
}

// fail moves a message to failed and adds the event that says why. A message that cannot fail any more stays as it is.
func (e *Engine) fail(tx *store.Tx, l *line, c *kabar.Conversation, m *kabar.Message, why kabar.Reason, now time.Time) error {
	if !m.Status.Advance(kabar.Failed) {
		return nil
	}
	m.Status, m.Failure = kabar.Failed, why
	return e.tell(tx, l, c, m, now)
}

// tell stores a message's new status and adds the event that reports it.
func (e *Engine) tell(tx *store.Tx, l *line, c *kabar.Conversation, m *kabar.Message, now time.Time) error {
	if err := tx.SetStatus(m); err != nil {
		return err
	}
	ev := &kabar.Event{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: kabar.EventStatus, At: now, Customer: c.Customer,
		Message: m.ID, Ref: m.Ref, Status: m.Status, Failure: m.Failure, Card: m.FailedCard, Callback: m.Context.Callback, Of: m.Content.Kind()}
	if m.Status != kabar.Failed {
		ev.Billing, ev.Expires, ev.Category = c.Billing.ID, c.Billing.Expires, c.Billing.Category
	}
	ev.Class, ev.Pricing = kabar.ClassOf(m.Content), m.Pricing
	cost, err := settle(tx, m, now)
	if err != nil {
		return err
	}
	if err := e.moved(tx, c, m, ev.Class, cost, now); err != nil {
		return err
	}
	if err := errors.Join(e.count(tx, m, now), arrived(tx, l, c, m, now)); err != nil {
		return err
	}
	note := Note{Number: m.Number, Fact: FactMoved, Status: m.Status}
	if m.Status == kabar.Sent {
		note.Took = now.Sub(m.At)
	}
	tx.After(func() {
		e.note(note)
		e.flights.land(m.ID)
	})
	return e.addEvent(tx, l, ev)
}

func (e *Engine) addEvent(tx *store.Tx, l *line, ev *kabar.Event) error {
	if err := tx.AddEvent(ev); err != nil {
		return err
	}
	id := l.number.ID
	tx.After(func() {
		if ev.Kind == kabar.EventMessage || ev.Kind == kabar.EventStatus {
			e.counted(ev.Content.Kind, ev.Status, ev.Failure)
		}
		if ev.Kind == kabar.EventMessage {
			e.note(Note{Number: id, Fact: FactReceived})
		}
		e.committed(id)
	})
	return nil
}

// scanPage is how many jobs one look at the store returns.
const scanPage = 500

// scan returns a function that finds the keys of the lanes that have jobs.
func (e *Engine) scan(wanted func(store.JobKind) bool) func(context.Context, int64) ([]int64, int64, error) {
	return func(ctx context.Context, cursor int64) (keys []int64, next int64, err error) {
		jobs, err := e.db.ScanJobs(ctx, cursor, scanPage)
		if err != nil {
			return nil, 0, err
		}
		for _, j := range jobs {
			if !wanted(j.Kind) {
				continue
			}
			if isSend(j.Kind) {
				keys = append(keys, int64(j.Conversation))
			} else {
				keys = append(keys, j.ID)
			}
		}
		if len(jobs) == scanPage {
			next = jobs[len(jobs)-1].ID
		}
		return keys, next, nil
	}
}
