package phone

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

// posting is one thing to send to a business.
type posting struct {
	payload *payload.Payload
	message string // wire id, if it is a message
	medium  int64  // key of its medium, whose place is put into the payload when it is known; 0: none
}

// post puts things into the outbox, encrypts them at once if that can be done, and saves the chat: ratchet and ciphertext
// are on disk before the ciphertext leaves.
func (t *tx) post(c *customer, ch *chat, things ...posting) error {
	for _, g := range things {
		if err := t.queue(c, ch, g); err != nil {
			return err
		}
	}
	if err := t.seal(c, ch, false); err != nil {
		return err
	}
	return t.saveChat(c, ch)
}

func (t *tx) queue(c *customer, ch *chat, g posting) error {
	b, err := payload.Encode(g.payload, t.now)
	if errors.Is(err, payload.ErrMalformed) {
		return refuse(CodeInvalid, "The message cannot be sent: %v. Send less, or something else.", err)
	}
	if err == nil {
		err = t.exec(`INSERT INTO outbox (customer, business, msg_id, state, payload, message, medium, at) VALUES (?, ?, ?, ?, ?, ?, nullif(?, 0), ?)`,
			c.id, ch.business, newMsgID(), rowQueued, b, g.message, g.medium, t.now.UnixMilli())
	}
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	t.due = append(t.due, c.id)
	return nil
}

func newMsgID() []byte {
	var id relayclient.MsgID
	rand.Read(id[:])
	return id[:]
}

// queued is a row of the outbox that waits for its encryption.
type queued struct {
	id      int64
	payload []byte
	medium  sql.NullInt64
	locator string // empty while the medium is not at the relay
}

// seal encrypts what waits, in order, as far as it can: not without a session, and not beyond a message whose medium is
// still to be uploaded. A session that is due for renewal is used only when force says that there is no other way. The
// caller saves the chat.
func (t *tx) seal(c *customer, ch *chat, force bool) error {
	if !ch.peer.HasSession() || !force && ch.peer.NeedsRehandshake(t.now) {
		return nil
	}
	var rows []queued
	err := eachRow(context.Background(), t, func(r *sql.Rows) error {
		var q queued
		err := r.Scan(&q.id, &q.payload, &q.medium, &q.locator)
		rows = append(rows, q)
		return err
	}, `SELECT o.id, o.payload, o.medium, coalesce(m.locator, '') FROM outbox o LEFT JOIN media m ON m.key = o.medium
		WHERE o.customer = ? AND o.business = ? AND o.state = ? ORDER BY o.id`, c.id, ch.business, rowQueued)
	if err != nil {
		return fmt.Errorf("read outbox: %w", err)
	}
	for _, q := range rows {
		if q.medium.Valid && q.locator == "" {
			return nil
		}
		if err := t.sealRow(ch, q); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) sealRow(ch *chat, q queued) error {
	plain, err := q.complete()
	if err != nil {
		return err
	}
	ciphertext, peer, err := ch.peer.Encrypt(plain, t.now)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	ch.peer, ch.changed = peer, true
	err = t.exec("UPDATE outbox SET state = ?, payload = ?, ciphertext = ? WHERE id = ?", rowSealed, plain, ciphertext, q.id)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return nil
}

// complete returns the payload with the place of its medium in it.
func (q *queued) complete() ([]byte, error) {
	if q.locator == "" {
		return q.payload, nil
	}
	p, err := payload.Decode(q.payload)
	if err != nil {
		return nil, err
	}
	p.Message.Medium = new(payload.Medium)
	if err := json.Unmarshal([]byte(q.locator), p.Message.Medium); err != nil {
		return nil, fmt.Errorf("read locator: %w", err)
	}
	return payload.Encode(p, time.UnixMilli(p.At))
}

// advance moves the status of a message of the customer's forward; false when it does not go there.
func (t *tx) advance(c *customer, business, wire string, next kabar.Status) (bool, error) {
	var now kabar.Status
	err := t.QueryRow("SELECT status FROM messages WHERE customer = ? AND business = ? AND wire = ? AND mine", c.id, business, wire).Scan(&now)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !now.Advance(next) {
		return false, nil
	}
	if err == nil {
		err = t.exec("UPDATE messages SET status = ? WHERE customer = ? AND business = ? AND wire = ?", next, c.id, business, wire)
	}
	if err != nil {
		return false, fmt.Errorf("advance status: %w", err)
	}
	t.note(c, publicID(c, business, wire))
	return true, nil
}

// fail gives a row of the outbox up; a message in it is shown as failed.
func (t *tx) fail(c *customer, business string, id int64, wire, why string) error {
	if err := t.exec("DELETE FROM outbox WHERE id = ?", id); err != nil {
		return fmt.Errorf("give up: %w", err)
	}
	if wire == "" {
		return nil
	}
	failed, err := t.advance(c, business, wire, kabar.Failed)
	if err != nil || !failed {
		return err
	}
	return t.exec("UPDATE messages SET failure = ? WHERE customer = ? AND business = ? AND wire = ?", why, c.id, business, wire)
}

// address is how both ends of the encryption spell a device.
func address(account string) e2ee.Address { return e2ee.Address{Account: account, Device: 1} }
