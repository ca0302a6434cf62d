package phone

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"kabar/internal/e2ee"
	"kabar/internal/prekeys"
	"kabar/internal/relayclient"
)

// renewPause is how long a session that could not be renewed goes on before that is tried again.
const renewPause = 5 * time.Minute

// prepare makes it possible to seal the head of the outbox: it uploads the medium of that row or opens a session, and then
// seals.
func (n *line) prepare(business string, row int64) error {
	if err := n.uploadFor(row); err != nil {
		return err
	}
	var bundle *e2ee.Bundle
	need, err := n.needs(business)
	if err != nil {
		return err
	}
	if need != needsNothing {
		bundle, err = n.fetchBundle(business)
		switch {
		case errors.Is(err, relayclient.ErrUnknownRecipient):
			return n.unknown(business)
		case err != nil && need == needsSession:
			return err
		case err != nil:
			n.log.Debug("cannot renew a session", "business", business, "error", err) // the present one goes on
			n.renewAfter[business] = time.Now().Add(renewPause)
		}
	}
	return n.p.do(n.ctx, func(t *tx) error {
		c, err := n.self(t)
		if err != nil {
			return err
		}
		ch, err := t.chat(c, business)
		if err == nil && bundle != nil {
			err = n.open(t, c, ch, bundle)
		}
		if err == nil {
			err = t.seal(c, ch, true)
		}
		if err == nil {
			err = t.saveChat(c, ch)
		}
		return err
	})
}

// What a chat needs before something can be encrypted in it.
const (
	needsNothing = iota
	needsRenewal // a new session would be good
	needsSession // nothing goes without a new session
)

func (n *line) needs(business string) (need int, err error) {
	var row []byte
	err = n.p.db.Read.QueryRowContext(n.ctx, "SELECT peer FROM chats WHERE customer = ? AND business = ? AND peer IS NOT NULL", n.id, business).Scan(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return needsSession, nil
	}
	if err != nil {
		return needsNothing, fmt.Errorf("read chat: %w", err)
	}
	peer, err := e2ee.UnmarshalPeer(row)
	switch {
	case err != nil:
		return needsNothing, fmt.Errorf("read chat: %w", err)
	case !peer.HasSession():
		return needsSession, nil
	case peer.NeedsRehandshake(n.p.now()) && time.Now().After(n.renewAfter[business]):
		return needsRenewal, nil
	}
	return needsNothing, nil
}

func (n *line) fetchBundle(business string) (*e2ee.Bundle, error) {
	b, err := n.conn.FetchBundle(n.ctx, business)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	return prekeys.Bundle(b)
}

// open begins a session. A business with a new identity is believed, and the thread tells it.
func (n *line) open(t *tx, c *customer, ch *chat, b *e2ee.Bundle) error {
	before := ch.peer
	next, err := e2ee.Initiate(n.identity, address(n.handle), address(ch.business), b, before, t.now)
	if errors.Is(err, e2ee.ErrIdentityChanged) {
		var pinned *e2ee.Peer
		if pinned, err = before.Pin(b.Identity); err == nil {
			next, err = e2ee.Initiate(n.identity, address(n.handle), address(ch.business), b, pinned, t.now)
		}
	}
	if err != nil {
		return fmt.Errorf("open session: %w", err)
	}
	ch.peer, ch.opened, ch.changed = next, t.now.UnixMilli(), true
	if e2ee.IdentityChanged(before, next) {
		return t.remark(c, ch.business, identityRemark)
	}
	return nil
}

// unknown fails everything for a business that the relay does not know.
func (n *line) unknown(business string) error {
	return n.p.do(n.ctx, func(t *tx) error {
		c, err := n.self(t)
		if err != nil {
			return err
		}
		return t.failRows(n.ctx, c, "there is no such business on the network", "business = ?", business)
	})
}
