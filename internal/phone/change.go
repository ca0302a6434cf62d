package phone

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"kabar/internal/payload"
	"kabar/internal/relayproto"
	"kabar/internal/sqlite"
)

const numberRemark = "You changed your number from %s to %s. The businesses you talk to are told."

// ChangeNumber gives the customer another phone number: a new account at the relay with the keys of the old one, by which
// businesses recognise the customer. The chats stay. What is on its way to the old number is not received any more.
func (p *Phone) ChangeNumber(ctx context.Context, handle, waID string) (Customer, error) {
	switch {
	case !isNumber(waID):
		return Customer{}, refuse(CodeInvalid, `The wa_id %.40q is not a phone number. Give the new one: {"wa_id": 7 to 15 digits}.`, waID)
	case slices.Contains(p.opts.Businesses, waID):
		return Customer{}, refuse(CodeConflict, "%s is the number of a business. A customer needs another one.", waID)
	}
	c, err := customerByHandle(ctx, p.db.Read, handle)
	if err != nil {
		return Customer{}, err
	}
	if c.hidden {
		return Customer{}, refuse(CodeConflict, "The customer hides the number: businesses would not see that it has changed. Choose one who shows it.")
	}
	p.disconnect(c.id) // the old account is used no more
	err = p.do(ctx, func(t *tx) error { return t.changeNumber(ctx, handle, waID) })
	if c.online {
		p.reach(ctx, c.id)
	}
	if err != nil {
		return Customer{}, fmt.Errorf("change number: %w", err)
	}
	return p.Customer(ctx, waID)
}

func (t *tx) changeNumber(ctx context.Context, handle, waID string) error {
	c, err := customerByHandle(ctx, t, handle)
	if err != nil {
		return err
	}
	if _, err := t.freeHandle(NewCustomer{WaID: waID}); err != nil {
		return err
	}
	recovery := make([]byte, relayproto.RecoverySize)
	rand.Read(recovery)
	err = t.exec(`UPDATE customers SET former = CASE former WHEN '' THEN handle ELSE former END, handle = ?, recovery = ?, old_identity = NULL,
		login = 0 WHERE id = ?`, waID, recovery, c.id)
	if err == nil {
		err = t.exec("DELETE FROM prekeys WHERE customer = ?", c.id) // the new account begins with keys of its own
	}
	if err == nil {
		err = t.exec("UPDATE chats SET was = CASE was WHEN '' THEN ? ELSE was END, peer = NULL, opened = 0 WHERE customer = ?", handle, c.id)
	}
	if err == nil {
		err = t.unseal(c.id)
	}
	if err == nil {
		err = t.readdress(ctx, c.id)
	}
	if err == nil {
		c, err = customerByID(ctx, t, c.id)
	}
	if err != nil {
		return err
	}
	t.changes = append(t.changes, Change{})
	return t.announce(ctx, c, handle)
}

// announce greets every business from the new number.
func (t *tx) announce(ctx context.Context, c *customer, was string) error {
	businesses, err := list[string](ctx, t, "SELECT business FROM chats WHERE customer = ? AND NOT blocked ORDER BY business", c.id)
	if err != nil {
		return err
	}
	for _, business := range businesses {
		ch, err := t.chat(c, business)
		if err == nil {
			err = t.remark(c, business, fmt.Sprintf(numberRemark, was, c.handle))
		}
		if err == nil {
			err = t.post(c, ch, posting{payload: &payload.Payload{Name: c.name, Hello: &payload.Hello{}}})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readdress has what waits in the outbox say what the number was: it leaves from the new one, ahead of the greeting.
func (t *tx) readdress(ctx context.Context, id int64) error {
	type row struct {
		id    int64
		plain []byte
		was   string
	}
	var rows []row
	err := sqlite.Each(ctx, t, func(r *sql.Rows) error {
		var w row
		err := r.Scan(&w.id, &w.plain, &w.was)
		rows = append(rows, w)
		return err
	}, `SELECT o.id, o.payload, c.was FROM outbox o JOIN chats c ON c.customer = o.customer AND c.business = o.business
		WHERE o.customer = ? AND o.state < ?`, id, rowSent)
	for i := 0; i < len(rows) && err == nil; i++ {
		var p *payload.Payload
		if p, err = payload.Decode(rows[i].plain); err != nil {
			break
		}
		p.Was = rows[i].was
		if rows[i].plain, err = payload.Encode(p, time.UnixMilli(p.At)); err == nil {
			err = t.exec("UPDATE outbox SET payload = ? WHERE id = ?", rows[i].plain, rows[i].id)
		}
	}
	return err
}
