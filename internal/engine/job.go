package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/store"
)

// The kinds of jobs. All but fetches are done in the lane of their conversation.
const (
	jobSend    store.JobKind = "send"    // prepare and transmit a message
	jobResend  store.JobKind = "resend"  // the same, in a fresh session
	jobReceipt store.JobKind = "receipt" // tell the customer what has arrived or been read; the body is a kabar.Receipt
	jobRetry   store.JobKind = "retry"   // ask for what could not be decrypted; the body is a kabar.Retry
	jobProfile store.JobKind = "profile" // tell the customer who the business is
	jobFetch   store.JobKind = "fetch"   // download a medium; the body is a kabar.RemoteMedium
)

func isFetch(k store.JobKind) bool { return k == jobFetch }
func isSend(k store.JobKind) bool  { return k != jobFetch }

// addJob stores a job of a conversation, with a body that is encoded as JSON, and wakes whoever does it once it is on disk.
func (e *Engine) addJob(tx *store.Tx, c *kabar.Conversation, kind store.JobKind, m kabar.MessageID, body any) error {
	j := &store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: kind, Message: m}
	if body != nil {
		var err error
		if j.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encode job: %w", err)
		}
	}
	if err := tx.AddJob(j); err != nil {
		return err
	}
	if isFetch(kind) {
		tx.After(func() { e.fetches.Wake(j.ID) })
	} else {
		tx.After(func() { e.sends.Wake(int64(c.ID)) })
	}
	return nil
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
		Message: m.ID, Ref: m.Ref, Status: m.Status, Failure: m.Failure}
	if m.Status != kabar.Failed {
		ev.Billing, ev.Expires, ev.Category = c.Billing.ID, c.Billing.Expires, c.Billing.Category
	}
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
			if isFetch(j.Kind) {
				keys = append(keys, j.ID)
			} else {
				keys = append(keys, int64(j.Conversation))
			}
		}
		if len(jobs) == scanPage {
			next = jobs[len(jobs)-1].ID
		}
		return keys, next, nil
	}
}

func isMissing(err error) bool {
	var missing *store.NotFoundError
	return errors.As(err, &missing)
}
