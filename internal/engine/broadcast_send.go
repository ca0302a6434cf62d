package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/store"
)

var (
	// errStopped says that the broadcast does not run any more.
	errStopped = errors.New("the broadcast does not run")
	// errHeld says that a message would be held until it is known how customers take its template: recipients had better wait as rows.
	errHeld = errors.New("the template's first messages are looked at")
	// errErased says that the customer is being erased, and the row goes.
	errErased = errors.New("the customer is being erased")
)

// turn is a recipient's turn: the message, accepted as any other (T0), and the recipient's row, in one commit.
type turn struct {
	*sending
	broadcast *kabar.Broadcast
	row       int
}

// take has a recipient have their turn, for whom a seat is booked. An error stops the broadcast, for a while or for good: errStopped,
// errHeld, a *halt, a *waits, or what the store says. A *tooSoon is about the recipient alone.
func (e *Engine) take(ctx context.Context, l *line, b *kabar.Broadcast, def *kabar.TemplateDef, r *kabar.BroadcastRecipient) error {
	defer e.flights.cancel(b.Number)
	t := &turn{broadcast: b, row: r.Row}
	err := t.run(context.WithoutCancel(ctx), e, l, def.Fill(r.Values), r.Handle) // whoever begins with a row ends with it
	refused, ok := errors.AsType[*kabar.Error](err)
	switch {
	case errors.Is(err, errErased):
		return &tooSoon{err, pauseStore}
	case !ok:
		return err
	case refused.Reason == kabar.ReasonPair:
		return &tooSoon{err, refused.After}
	case refused.After > 0 || isPassing(refused.Reason):
		return &waits{err, max(refused.After, pauseStore)}
	case isOfRecipient(refused):
		return e.skipRecipient(ctx, b, r.Row, refused.Reason)
	}
	return &halt{refused}
}

func (t *turn) run(ctx context.Context, e *Engine, l *line, c *kabar.Template, to string) (err error) {
	t.sending, err = e.prepareSending(ctx, l, Request{To: to, Content: c}, e.now())
	if err != nil {
		return err
	}
	t.solvent = true
	err = t.admit(ctx, t.hint, t.commit)
	if refused, ok := errors.AsType[*kabar.Error](err); ok && refused.Reason == kabar.ReasonTier { // some may count no longer
		if err := e.unreach(ctx, l.number.Account, t.now); err != nil {
			return store.Refusal(err)
		}
		err = t.admit(ctx, t.hint, t.commit)
	}
	return err
}

func (t *turn) hint(tx *store.Tx) {
	t.sending.hint(tx)
	tx.WantBroadcast(t.broadcast.ID)
	tx.WantRecipient(t.broadcast.ID, t.row)
	tx.WantErasure(t.broadcast.Account, t.to.Handle())
	if t.line.settings.Limits.Tier != 0 {
		tx.WantReach(t.line.number.Account, t.to.Handle())
	}
}

// commit sends, unless the broadcast has been stopped or the recipient has had their turn.
func (t *turn) commit(tx *store.Tx) error {
	r, err := waitingRecipient(tx, t.broadcast, t.row)
	if err != nil || r == nil {
		return err
	}
	if erased, err := tx.ErasedSince(t.broadcast.Account, r.Handle, t.broadcast.Created); erased || err != nil {
		return cmp.Or(err, errErased)
	}
	if held, err := t.wouldHold(tx); held || err != nil {
		return cmp.Or(err, errHeld)
	}
	tx.After(t.board) // before the lane wakes, so that it finds the message on board
	if err := t.sending.commit(tx); err != nil {
		return err
	}
	if err := t.reach(tx); err != nil {
		return err
	}
	r.Message = t.message.ID
	return tx.SaveRecipient(t.broadcast.Number, r)
}

// board gives the message its seat. Others than those that are on their way are in nobody's way.
func (t *turn) board() {
	if m := t.message; m.Status == kabar.Accepted {
		t.e.flights.board(m.Number, m.Conversation, m.ID)
	}
}

// wouldHold reports whether the message would be held for its template.
func (t *turn) wouldHold(tx *store.Tx) (bool, error) {
	if t.def.Life.Pace == nil {
		return false, nil
	}
	d, err := tx.FindTemplate(t.def.Account, t.def.Name, t.def.Language)
	if err != nil || d == nil {
		return false, err
	}
	policy, err := tx.Policy(d.Account)
	return err == nil && d.Holds(policy), err
}

// waitingRecipient returns a recipient of a broadcast that runs; nil for one who has had their turn.
func waitingRecipient(tx *store.Tx, of *kabar.Broadcast, row int) (*kabar.BroadcastRecipient, error) {
	b, err := tx.Broadcast(of.Number, of.ID)
	if err != nil {
		return nil, err
	}
	if b.State != kabar.BroadcastRunning {
		return nil, errStopped
	}
	r, err := tx.Recipient(of.Number, of.ID, row)
	if store.IsNotFound(err) { // the customer has been erased
		return nil, nil
	}
	if err != nil || !r.Waits() {
		return nil, err
	}
	return r, nil
}

// skipRecipient writes down why a recipient gets no message.
func (e *Engine) skipRecipient(ctx context.Context, b *kabar.Broadcast, row int, why kabar.Reason) error {
	return e.db.Write(ctx, nil, func(tx *store.Tx) error {
		r, err := waitingRecipient(tx, b, row)
		if err != nil || r == nil {
			return err
		}
		r.Failure = why
		return tx.SaveRecipient(b.Number, r)
	})
}

// isOfRecipient reports whether a refusal is about the recipient alone: the others may have their message.
func isOfRecipient(r *kabar.Error) bool {
	switch r.Reason {
	case kabar.ReasonSelf, kabar.ReasonIdentity, kabar.ReasonNoConsent:
		return true
	default: // something is wrong with all of them
		return r.Reason == kabar.ReasonInvalid && r.Field == "to"
	}
}

// isPassing reports whether the same may succeed later, without anybody doing anything.
func isPassing(r kabar.Reason) bool {
	return r == kabar.ReasonOverloaded || r == kabar.ReasonNotReady || r == kabar.ReasonStore || r == kabar.ReasonInternal
}

// What a turn may end with: tooSoon passes and meets the recipient alone, who had something lately, waits passes and meets everybody, and
// halt meets everybody until somebody does something.
type (
	tooSoon struct {
		error
		after time.Duration
	}
	waits struct {
		error
		after time.Duration
	}
	halt struct{ refused *kabar.Error }
)

func (h *halt) Error() string { return h.refused.Error() }

// pauseFor has a broadcast pause by itself.
func (e *Engine) pauseFor(ctx context.Context, b *kabar.Broadcast, h *halt) error {
	l, err := e.line(b.Number)
	if err != nil {
		return err
	}
	e.log.InfoContext(ctx, "a broadcast pauses", "broadcast", b.ID, "why", whyPaused(h.refused))
	return e.db.Write(ctx, nil, func(tx *store.Tx) error {
		now, err := tx.Broadcast(b.Number, b.ID)
		if err != nil || now.State != kabar.BroadcastRunning {
			return err
		}
		now.State, now.Why = kabar.BroadcastPaused, whyPaused(h.refused)
		if err := tx.SaveBroadcast(now); err != nil || h.refused.Reason != kabar.ReasonPayment {
			return err
		}
		credit, err := tx.Credit(b.Account)
		if err != nil {
			return err
		}
		return e.warn(tx, l, credit, true, e.now())
	})
}

func whyPaused(r *kabar.Error) string {
	switch {
	case r.Reason == kabar.ReasonPayment:
		return "the line of credit does not cover the next message: draw it, then resume"
	case r.Reason == kabar.ReasonTier:
		return r.Detail + ": resume it when some of them are more than a day ago, or after a larger tier: kabar number limits"
	case r.Detail == "":
		return string(r.Reason)
	}
	return fmt.Sprintf("%s: %s", r.Reason, r.Detail)
}
