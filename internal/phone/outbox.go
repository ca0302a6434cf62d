package phone

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
	"kabar/internal/sqlite"
)

const (
	sendBatch = 64   // envelopes encrypted in one turn, and those whose acceptance is committed together
	packBatch = 1000 // rows of the outbox that are looked at for them
)

// posting is one thing to send to a business.
type posting struct {
	payload *payload.Payload
	message string // wire id, if it is a message
	medium  int64  // key of its medium, whose place is put into the payload when it is known; 0: none
}

// post puts things into the outbox, and saves the chat. What comes behind something that has not left yet, or is written
// offline, is encrypted when its turn comes: receipts then go together, and no ciphertext grows so old that the business
// has forgotten the session. The rest is encrypted at once, if that can be done.
func (t *tx) post(c *customer, ch *chat, things ...posting) error {
	atOnce, err := t.atOnce(c, ch, things)
	if err != nil {
		return err
	}
	for _, g := range things {
		if err := t.queue(c, ch, g, atOnce); err != nil {
			return err
		}
	}
	if c.online && !atOnce {
		if err := t.seal(c, ch, false); err != nil {
			return err
		}
	}
	return t.saveChat(c, ch)
}

// atOnce says whether the only thing to send can be stored as its ciphertext: nothing stands before it, and nothing is needed for it.
func (t *tx) atOnce(c *customer, ch *chat, things []posting) (bool, error) {
	if !c.online || len(things) != 1 || things[0].medium != 0 || !ch.peer.HasSession() || ch.peer.NeedsRehandshake(t.now) {
		return false, nil
	}
	waits, err := t.waits(c, ch.business)
	return !waits, err
}

// waits says whether something in the outbox has not left yet.
func (t *tx) waits(c *customer, business string) (waits bool, err error) {
	err = t.QueryRow("SELECT EXISTS (SELECT 1 FROM outbox WHERE customer = ? AND business = ? AND state < ?)", c.id, business, rowSent).Scan(&waits)
	if err != nil {
		return false, fmt.Errorf("read outbox: %w", err)
	}
	return waits, nil
}

func (t *tx) queue(c *customer, ch *chat, g posting, sealed bool) error {
	out := *g.payload
	out.Was = ch.was
	b, err := payload.Encode(&out, t.now)
	if errors.Is(err, payload.ErrMalformed) {
		return refuse(CodeInvalid, "The message cannot be sent: %v. Send less, or something else.", err)
	}
	state, ciphertext := rowQueued, []byte(nil)
	if err == nil && sealed {
		state = rowSealed
		ciphertext, err = t.encrypt(ch, b)
	}
	if err == nil {
		err = t.exec(`INSERT INTO outbox (customer, business, msg_id, state, payload, ciphertext, message, medium, at)
			VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?)`, c.id, ch.business, newMsgID(), state, b, ciphertext, g.message, g.medium, t.now.UnixMilli())
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
	id       int64
	payload  []byte
	message  string // wire id, if it is a message
	attempts int
	medium   sql.NullInt64
	locator  string // empty while the medium is not at the relay
}

// errEnough ends the reading of rows that eachRow reads.
var errEnough = errors.New("phone: enough rows")

// head packs what stands at the head of the outbox and waits for its encryption: nothing while a ciphertext stands there,
// and nothing from a message on whose medium is still to be uploaded.
func (t *tx) head(c *customer, business string) (l load, err error) {
	err = sqlite.Each(context.Background(), t, func(r *sql.Rows) error {
		var q queued
		var state int
		if err := r.Scan(&q.id, &state, &q.payload, &q.message, &q.attempts, &q.medium, &q.locator); err != nil {
			return err
		}
		if state != rowQueued || q.medium.Valid && q.locator == "" || !l.add(q) {
			return errEnough
		}
		return nil
	}, `SELECT o.id, o.state, o.payload, o.message, o.attempts, o.medium, coalesce(m.locator, '') FROM outbox o LEFT JOIN media m ON m.key = o.medium
		WHERE o.customer = ? AND o.business = ? AND o.state < ? ORDER BY o.id LIMIT ?`, c.id, business, rowSent, packBatch)
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return l, nil
}

// seal encrypts what stands at the head of the outbox, if there is a session. One that is due for renewal is used only
// when force says that there is no other way. The caller saves the chat: ratchet and ciphertext are on disk before the
// ciphertext leaves.
func (t *tx) seal(c *customer, ch *chat, force bool) error {
	if !ch.peer.HasSession() || !force && ch.peer.NeedsRehandshake(t.now) {
		return nil
	}
	l, err := t.head(c, ch.business)
	for i := 0; i < len(l) && err == nil; i++ {
		err = t.sealParcel(ch, l[i])
	}
	return err
}

func (t *tx) sealParcel(ch *chat, p *parcel) error {
	plain, err := p.plain()
	if err != nil {
		return err
	}
	ciphertext, err := t.encrypt(ch, plain)
	if err != nil {
		return err
	}
	err = t.exec("UPDATE outbox SET state = ?, payload = ?, ciphertext = ? WHERE id = ?", rowSealed, plain, ciphertext, p.id)
	for i := 0; i < len(p.joined) && err == nil; i++ {
		err = t.exec("DELETE FROM outbox WHERE id = ?", p.joined[i])
	}
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return nil
}

func (t *tx) encrypt(ch *chat, plain []byte) (ciphertext []byte, err error) {
	ciphertext, peer, err := ch.peer.Encrypt(plain, t.now)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	ch.peer, ch.changed = peer, true
	return ciphertext, nil
}

// sealNext is seal for a chat that the caller has not read. It is false when nothing waits.
func (t *tx) sealNext(c *customer, business string) (waits bool, err error) {
	if waits, err = t.waits(c, business); err != nil || !waits {
		return false, err
	}
	ch, err := t.chat(c, business)
	if err == nil {
		err = t.seal(c, ch, false)
	}
	if err == nil {
		err = t.saveChat(c, ch)
	}
	return true, err
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
