package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"kabar"
	"kabar/internal/lanes"
	"kabar/internal/network"
	"kabar/internal/store"
)

// How long a lane waits before it tries again.
const (
	pauseOffline = 30 * time.Second // the network is not connected; its return ends the wait
	pauseLane    = 5 * time.Minute  // the same, for the lane of a conversation
	pauseStore   = 1 * time.Second  // the store did not take a commit
	pauseUpload  = time.Minute      // a medium is on its way up; its arrival ends the wait
)

// maxRecompute bounds how often a packet is computed anew because the driver's state changed meanwhile.
const maxRecompute = 10

// joined is how many receipts or retry requests of a conversation go out in one packet at most.
const joined = 100

// task is one job of a conversation on its way to the customer.
type task struct {
	e    *Engine
	line *line
	conv *kabar.Conversation
	lane []int64 // this job and those behind it, as far as they are known
	job  *store.Job
	also []*store.Job   // of the same kind, right before it, which go out with it
	last bool           // there was no other job: whoever adds one wakes the lane
	msg  *kabar.Message // of a job that sends a message
	card int            // of a message that is given up: kabar.Event.Card
}

// work does the oldest job of a conversation: T1 if it has no packet yet, then T2.
func (e *Engine) work(ctx context.Context, key int64) lanes.Next {
	t, err := e.nextTask(ctx, kabar.ConversationID(key))
	if err != nil {
		return e.later(ctx, "read a job", err)
	}
	if t == nil {
		e.flights.empty(kabar.ConversationID(key)) // of a customer who was erased a job goes without its message
		e.pass(ctx, kabar.ConversationID(key))
		return lanes.Idle
	}
	n := t.line.number.ID
	switch entered, queued := e.gates.enter(n, t.line.settings.Shards, key); {
	case queued:
		return lanes.Idle // its turn will wake it
	case !entered:
		return lanes.After(pauseStore)
	}
	defer e.letIn(n)
	defer e.gates.leave(n)
	err = t.run(ctx)
	var wait *network.Later
	switch {
	case err == nil && t.last:
		return lanes.Idle
	case err == nil:
		e.ahead.keep(t.conv.ID, t.lane, t.job.ID)
		return lanes.Again
	case errors.As(err, &wait):
		if wait.After >= longRest {
			e.flights.empty(t.conv.ID)
		}
		return lanes.After(wait.After)
	}
	e.flights.wait(t.conv.ID)
	switch {
	case errors.Is(err, errOffline):
		if len(t.lane) == aheadJobs { // of a shorter one more should go out together than is known now
			e.ahead.keep(t.conv.ID, t.lane, 0)
		}
		return lanes.After(t.offline())
	case errors.Is(err, errUploading):
		return lanes.After(pauseUpload)
	}
	return e.later(ctx, "send", err)
}

// errOffline says that the number's network is not connected.
var errOffline = errors.New("the network is not connected")

// offline says how long a lane rests that has no network: to look at it takes a walk through all of it, and only the end of a
// message's life has to be noticed meanwhile.
func (t *task) offline() time.Duration {
	if t.msg == nil {
		return pauseLane
	}
	return min(pauseLane, max(t.msg.Expires.Sub(t.e.now()), time.Second))
}

// later logs an error that passes and says when to try again. Lanes do not come back all at once.
func (e *Engine) later(ctx context.Context, what string, err error) lanes.Next {
	if ctx.Err() == nil {
		e.log.Warn(what, "err", err)
	}
	return lanes.After(pauseStore + rand.N(pauseStore))
}

// run judges, prepares and transmits. A nil error means that the job is done, one way or the other.
func (t *task) run(ctx context.Context) error {
	reason := t.judge()
	if reason == kabar.ReasonWindowClosed && t.msg.IfClosed != nil {
		held, err := t.fallBack(ctx)
		if refused, ok := errors.AsType[*network.Refused](err); ok {
			return t.giveUp(ctx, refused.Reason)
		}
		if err != nil || held {
			return err
		}
		reason = t.judge()
	}
	if reason != "" {
		return t.giveUp(ctx, reason)
	}
	if connected, _ := t.e.Link(t.line.number.ID); !connected {
		return errOffline
	}
	err := t.prepare(ctx)
	if err == nil {
		//failpoint:before-send
		err = t.line.net.Transmit(ctx, t.job.Body)
		//failpoint:after-send
	}
	var refused *network.Refused
	switch {
	case errors.As(err, &refused):
		return t.giveUp(ctx, refused.Reason)
	case err != nil:
		return err
	}
	return t.done(ctx)
}

// judge applies the rules again just before the message leaves. What the network may have already, a packet or a message
// that is sent again, was allowed when it first left: only the end of its life stops it, and a block what is sent again.
func (t *task) judge() kabar.Reason {
	if t.msg == nil {
		return ""
	}
	now := t.e.now()
	if t.job.Packed || t.job.Kind == jobResend {
		switch {
		case !now.Before(t.msg.Expires):
			return kabar.ReasonExpired
		case !t.conv.Barred.IsZero() && !t.job.Packed:
			return kabar.ReasonBarred
		case t.conv.Blocked && !t.job.Packed:
			return kabar.ReasonUndeliverable
		case withheld(t.line, t.conv) && !t.job.Packed:
			return kabar.ReasonIdentity
		}
		return ""
	}
	_, reason := kabar.Judge(now, kabar.Facts{Content: t.msg.Content, Conversation: t.conv, Recipient: t.conv.Customer.Handle(),
		Sender: t.line.number.Digits, Expires: t.msg.Expires, Identity: withheld(t.line, t.conv)})
	return reason
}

// giveUp removes the job; a message fails. Only what would be sent again waits for an acknowledgement: that adds the job anew.
func (t *task) giveUp(ctx context.Context, why kabar.Reason) error {
	return t.e.db.Write(ctx, t.want, func(tx *store.Tx) error {
		if _, err := tx.Job(t.job.Number, t.job.ID); err != nil {
			return t.gone(tx, err)
		}
		if t.msg != nil && (t.job.Kind != jobResend || why != kabar.ReasonIdentity) {
			c, m, err := t.reread(tx)
			if err != nil {
				return err
			}
			m.FailedCard = t.card
			if err := t.e.fail(tx, t.line, c, m, why, t.e.now()); err != nil {
				return err
			}
		}
		return t.remove(tx)
	})
}

// done commits T2: the job is removed, the message is sent, the event says so.
func (t *task) done(ctx context.Context) error {
	return t.e.db.Write(ctx, t.want, func(tx *store.Tx) error {
		if _, err := tx.Job(t.job.Number, t.job.ID); err != nil {
			return t.gone(tx, err)
		}
		if err := t.remove(tx); err != nil || t.msg == nil {
			return err
		}
		c, m, err := t.reread(tx)
		if err != nil || !m.Status.Advance(kabar.Sent) {
			return err
		}
		m.Status = kabar.Sent
		return t.e.tell(tx, t.line, c, m, t.e.now())
	})
}

// gone is for a job that is missing: the customer was erased while it was done, and nobody tells of the message.
func (t *task) gone(tx *store.Tx, err error) error {
	if store.IsNotFound(err) {
		tx.After(func() { t.e.flights.empty(t.conv.ID) })
	}
	return ignoreMissing(err)
}

// bill opens the 24-hour conversation the message belongs to, unless it is open, and the entry point of an ad that it replies to.
// It is done in T1: the customer's receipt may be faster than T2.
func (t *task) bill(tx *store.Tx, c *kabar.Conversation, now time.Time) error {
	if t.msg == nil {
		return nil
	}
	category := kabar.ClassOf(t.msg.Content)
	replied := c.Reply(now)
	switch open := c.Billing.Open(now, category); {
	case open && !replied:
		return nil
	case open:
		return tx.SaveConversation(c)
	}
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	c.Billing = kabar.Billing{ID: id, Category: category, Expires: now.Add(kabar.Window)}
	if err := t.e.traffic(tx, c, category, kabar.Traffic{Opened: 1}, now); err != nil {
		return err
	}
	return tx.SaveConversation(c)
}

func (t *task) want(tx *store.Tx) {
	tx.WantJob(t.job.ID)
	tx.WantConversation(t.conv.ID)
	if t.msg != nil {
		tx.WantMessage(t.msg.ID)
		tx.WantSeq(t.line.number.ID)
	}
}

// reread returns conversation and message as they are inside the transaction.
func (t *task) reread(tx *store.Tx) (*kabar.Conversation, *kabar.Message, error) {
	c, err := tx.Conversation(t.job.Number, t.job.Conversation)
	if err != nil {
		return nil, nil, err
	}
	m, err := tx.Message(t.job.Number, t.msg.ID)
	return c, m, err
}

func (t *task) remove(tx *store.Tx) error {
	for _, j := range append(t.also, t.job) {
		if err := tx.RemoveJob(j.Number, j.ID); err != nil {
			return err
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if store.IsNotFound(err) {
		return nil
	}
	return err
}
