package phone

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/relayclient"
	"kabar/internal/sqlite"
)

const (
	minWait = time.Second     // before something that failed is tried again
	maxWait = 5 * time.Second // between two looks at an outbox in which something waits
)

// envelope is a sealed row of the outbox, on its way.
type envelope struct {
	id         int64
	msgID      []byte
	state      int
	ciphertext []byte
	message    string
}

// send empties the outbox, each business in order and none of them waiting for another.
func (n *line) send() {
	for n.ctx.Err() == nil {
		businesses, err := list[string](n.ctx, n.p.db.Read, "SELECT DISTINCT business FROM outbox WHERE customer = ? AND state < ?", n.id, rowSent)
		if err != nil {
			n.giveUp("read outbox", err)
			return
		}
		wait := time.Duration(0)
		for _, business := range businesses {
			if left := n.sendTo(business); left > 0 && (wait == 0 || left < wait) {
				wait = left
			}
		}
		if wait == 0 {
			return // whatever comes later starts this again
		}
		select {
		case <-time.After(min(wait, maxWait)):
		case <-n.ctx.Done():
		}
	}
}

// giveUp ends the connection over a fault of this machine.
func (n *line) giveUp(what string, err error) {
	if n.ctx.Err() == nil {
		n.log.Error(what, "error", err)
		n.end(err)
	}
}

// sendTo empties the outbox for one business. It returns how long to wait before trying again; 0: all has left.
func (n *line) sendTo(business string) time.Duration {
	if left := time.Until(n.patience[business]); left > 0 {
		return left
	}
	err := n.empty(business)
	if err == nil {
		delete(n.patience, business)
		return 0
	}
	wait := minWait
	if later, ok := errors.AsType[*relayclient.RetryAfter](err); ok {
		wait = max(later.After, 10*time.Millisecond)
	}
	if n.ctx.Err() == nil {
		n.log.Debug("cannot send yet", "business", business, "error", err, "again_in", wait)
	}
	n.patience[business] = time.Now().Add(wait)
	return wait
}

// empty sends what is sealed, has the rest sealed, and so on, until nothing is left.
func (n *line) empty(business string) error {
	for {
		rows, err := n.next(business)
		if err != nil || len(rows) == 0 {
			return err
		}
		if rows[0].state == rowQueued {
			if err := n.prepare(business, rows[0].id); err != nil {
				return err
			}
			continue
		}
		if more, err := n.transmit(business, rows); err != nil || !more {
			return err // what comes from now on starts this again
		}
	}
}

// next returns the head of the outbox: sealed rows up to the first that is not, or that one alone.
func (n *line) next(business string) (rows []envelope, err error) {
	err = sqlite.Each(n.ctx, n.p.db.Read, func(r *sql.Rows) error {
		var e envelope
		if err := r.Scan(&e.id, &e.msgID, &e.state, &e.ciphertext, &e.message); err != nil {
			return err
		}
		if len(rows) == 0 || rows[0].state == rowSealed && e.state == rowSealed {
			rows = append(rows, e)
		}
		return nil
	}, "SELECT id, msg_id, state, ciphertext, message FROM outbox WHERE customer = ? AND business = ? AND state < ? ORDER BY id LIMIT ?",
		n.id, business, rowSent, sendBatch)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return rows, nil
}

// transmit hands envelopes to the relay, in order, and commits how far it came. It is false when nothing was left then.
func (n *line) transmit(business string, rows []envelope) (more bool, err error) {
	var sent []envelope
	for _, e := range rows {
		err = n.conn.Send(n.ctx, relayclient.Envelope{
			ID: relayclient.MsgID(e.msgID), To: relayclient.Address{Account: business}, Kind: 1, Ciphertext: e.ciphertext,
		})
		if isFinal(err) {
			if err := n.drop(business, []envelope{e}, err.Error()); err != nil {
				return true, err
			}
			continue
		}
		if err != nil {
			break
		}
		sent = append(sent, e)
	}
	more, stored := n.accepted(business, sent)
	return more, errors.Join(err, stored)
}

// isFinal says that the relay will never take an envelope.
func isFinal(err error) bool {
	return errors.Is(err, relayclient.ErrUnknownRecipient) || errors.Is(err, relayclient.ErrTooLarge) || errors.Is(err, relayclient.ErrExpired)
}

// accepted commits that the relay has envelopes, and has encrypted what comes next. It is false when nothing comes.
func (n *line) accepted(business string, sent []envelope) (more bool, err error) {
	if len(sent) == 0 {
		return true, nil
	}
	err = n.p.do(n.ctx, func(t *tx) error {
		c, err := n.self(t)
		if err != nil {
			return err
		}
		for _, e := range sent {
			// An envelope that was replaced meanwhile has another id: that one has not been sent.
			err := t.exec("UPDATE outbox SET state = ?, ciphertext = NULL WHERE id = ? AND msg_id = ?", rowSent, e.id, e.msgID)
			if err == nil && e.message != "" {
				_, err = t.advance(c, business, e.message, kabar.Sent)
			}
			if err != nil {
				return err
			}
		}
		more, err = t.sealNext(c, business)
		return err
	})
	return more, err
}

// self reads the customer within an operation, and refuses to go on for an identity that is gone.
func (n *line) self(t *tx) (*customer, error) {
	c, err := customerByID(n.ctx, t, n.id)
	if err == nil && !bytes.Equal(c.identity, n.secret) {
		return nil, errReinstalled
	}
	return c, err
}

// drop gives envelopes up.
func (n *line) drop(business string, rows []envelope, why string) error {
	return n.p.do(n.ctx, func(t *tx) error {
		c, err := n.self(t)
		for i := 0; i < len(rows) && err == nil; i++ {
			err = t.fail(c, business, rows[i].id, rows[i].message, why)
		}
		return err
	})
}

// failRows gives up what has not left and matches a condition.
func (t *tx) failRows(ctx context.Context, c *customer, why, where string, args ...any) error {
	type row struct {
		id             int64
		business, wire string
	}
	var rows []row
	err := sqlite.Each(ctx, t, func(r *sql.Rows) error {
		var v row
		err := r.Scan(&v.id, &v.business, &v.wire)
		rows = append(rows, v)
		return err
	}, "SELECT id, business, message FROM outbox WHERE customer = ? AND state < ? AND "+where, append([]any{c.id, rowSent}, args...)...)
	for i := 0; i < len(rows) && err == nil; i++ {
		err = t.fail(c, rows[i].business, rows[i].id, rows[i].wire, why)
	}
	return err
}

// expired fails a message that the business did not fetch in time.
func (n *line) expired(x relayclient.Expiry) {
	err := n.p.do(n.ctx, func(t *tx) error {
		c, err := n.self(t)
		if err != nil {
			return err
		}
		var id int64
		var wire string
		err = t.QueryRow("SELECT id, message FROM outbox WHERE customer = ? AND msg_id = ?", n.id, x.ID[:]).Scan(&id, &wire)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = t.fail(c, x.To.Account, id, wire, "the business was not reachable in time")
		}
		return err
	})
	if err != nil {
		n.giveUp("store expiry", err)
		return
	}
	_ = n.conn.Ack(n.ctx, x.Seq) // if the connection has ended, the notice comes again
}
