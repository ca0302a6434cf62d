package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"kabar/internal/e2ee"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

// errReinstalled says that a connection speaks for an identity that is gone.
var errReinstalled = errors.New("phone: the customer has a new identity")

// maxReceipts is how many message ids one receipt or retry request names.
const maxReceipts = 100

// arrival is an operation that works through a batch of envelopes.
type arrival struct {
	*tx
	c     *customer
	self  *e2ee.Identity
	chats map[string]*incoming // by account of the sender
	fetch bool                 // there is a medium to be fetched
}

// incoming collects what a batch brings from one business, and what is to be answered.
type incoming struct {
	*chat
	delivered, read []string  // wire ids
	lost            []string  // envelopes that could not be read
	replies         []posting // automatic ones
}

// receive commits a batch of envelopes: sessions, messages, and the receipts for them, all or nothing. Only when it has
// returned without error may the envelopes be acknowledged. fetch says that one of them names a medium.
func (n *line) receive(ctx context.Context, batch []relayclient.Delivery) (fetch bool, err error) {
	err = n.p.do(ctx, func(t *tx) error {
		c, err := n.self(t)
		if err != nil {
			return err
		}
		a := &arrival{tx: t, c: c, self: n.identity, chats: make(map[string]*incoming)}
		for _, d := range batch {
			if err := a.take(d); err != nil {
				return err
			}
		}
		fetch = a.fetch
		return a.answer()
	})
	if err != nil {
		return false, fmt.Errorf("receive: %w", err)
	}
	return fetch, nil
}

// take works through one envelope. Its error is one of the store: what is wrong with an envelope is dealt with here.
func (a *arrival) take(d relayclient.Delivery) error {
	from := d.From.Account
	if !isNumber(from) {
		return nil // businesses have numbers
	}
	r, err := a.Exec("INSERT INTO seen (customer, sender, msg_id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		a.c.id, from, d.ID[:], a.now.UnixMilli())
	if err != nil {
		return err
	}
	if added, err := r.RowsAffected(); err != nil || added == 0 {
		return err // seen before: it was committed, and only the acknowledgement got lost
	}
	in, err := a.from(from)
	if err != nil {
		return err
	}
	before := in.peer
	plain, next, used, err := e2ee.Decrypt(a.self, address(a.c.handle), address(from), before, d.Ciphertext, keyStore{a.tx, a.c}, a.now)
	switch {
	case errors.Is(err, e2ee.ErrDuplicate), errors.Is(err, e2ee.ErrUndecryptable), errors.Is(err, e2ee.ErrMalformed):
		// A used key under an id never seen comes from a sender whose store has gone back in time: ask again, too.
		return a.lose(in, d, err)
	case err != nil:
		return err
	}
	in.peer, in.changed = next, true
	if in.was != "" { // the business knows the present number
		in.was = ""
		if err := a.exec("UPDATE chats SET was = '' WHERE customer = ? AND business = ?", a.c.id, from); err != nil {
			return err
		}
	}
	if err := a.dropKeys(a.c, used); err != nil {
		return err
	}
	if e2ee.IdentityChanged(before, next) {
		if err := a.remark(a.c, from, identityRemark); err != nil {
			return err
		}
	}
	p, err := payload.Decode(plain)
	if err != nil {
		return a.bury(d, err)
	}
	return a.handle(in, p, d)
}

// from returns the state of the chat with the sender of an envelope.
func (a *arrival) from(business string) (*incoming, error) {
	if in := a.chats[business]; in != nil {
		return in, nil
	}
	ch, err := a.chat(a.c, business)
	if err != nil {
		return nil, err
	}
	in := &incoming{chat: ch}
	a.chats[business] = in
	return in, nil
}

// answer posts receipts, retry requests and automatic replies, several receipts in one envelope.
func (a *arrival) answer() error {
	for _, in := range a.chats {
		if !a.c.readReceipts {
			in.read = nil
		}
		arrived := slices.DeleteFunc(in.delivered, func(id string) bool { return slices.Contains(in.read, id) }) // "read" says it, too
		things := append(receipts("delivered", arrived), receipts("read", in.read)...)
		things = append(things, in.replies...)
		things = append(things, a.retries(in)...)
		if err := a.post(a.c, in.chat, things...); err != nil {
			return err
		}
	}
	return nil
}

// receipts says that messages have come so far.
func receipts(status string, ids []string) (things []posting) {
	for len(ids) > 0 {
		n := min(len(ids), maxReceipts)
		things = append(things, posting{payload: &payload.Payload{Receipt: &payload.Receipt{Status: status, IDs: ids[:n]}}})
		ids = ids[n:]
	}
	return things
}

// signal opens what came beside the mailbox. Nothing is stored: a signal that is lost or repeated does no harm.
func (n *line) signal(from relayclient.Address, ciphertext []byte) {
	var row []byte
	err := n.p.db.Read.QueryRowContext(n.ctx, "SELECT peer FROM chats WHERE customer = ? AND business = ? AND peer IS NOT NULL AND NOT blocked",
		n.id, from.Account).Scan(&row)
	if err != nil {
		return // nobody we know
	}
	peer, err := e2ee.UnmarshalPeer(row)
	if err != nil {
		n.log.Error("read session", "business", from.Account, "error", err)
		return
	}
	plain, _, err := peer.OpenSignal(ciphertext)
	if err != nil {
		return
	}
	if p, err := payload.Decode(plain); err == nil && p.Typing != nil {
		n.p.hub.publish([]Change{{Customer: n.handle, Typing: p.Typing.On}})
	}
}
