package phone

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kabar/internal/e2ee"
	"kabar/internal/relayproto"
)

// maxName is the longest name of a customer, in characters.
const maxName = 100

// NewCustomer says whom to create.
type NewCustomer struct {
	Name       string `json:"name"`
	WaID       string `json:"wa_id"` // 7 to 15 digits; empty: one is made up
	HideNumber bool   `json:"hide_number"`
}

// CustomerPatch changes the behaviour of a handset; nil leaves as it is.
type CustomerPatch struct {
	Name         *string `json:"name"`
	Online       *bool   `json:"online"`
	ReadReceipts *bool   `json:"read_receipts"`
	AutoRead     *bool   `json:"auto_read"`
	AutoReply    *bool   `json:"auto_reply"`
	Blocked      *bool   `json:"blocked"` // every business the customer knows
}

// Customers lists all customers in the order in which they were created.
func (p *Phone) Customers(ctx context.Context) ([]Customer, error) {
	rows, err := p.db.Read.QueryContext(ctx, "SELECT "+customerColumns+`,
		EXISTS (SELECT 1 FROM chats WHERE chats.customer = customers.id AND blocked) FROM customers ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list customers: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what went wrong
	out := []Customer{}
	for rows.Next() {
		var blocked bool
		c, err := scanCustomer(scanMore{rows, &blocked})
		if err != nil {
			return nil, fmt.Errorf("list customers: %w", err)
		}
		out = append(out, c.public(blocked))
	}
	return out, rows.Err()
}

// scanMore scans one column more than it is asked for.
type scanMore struct {
	row  interface{ Scan(...any) error }
	more any
}

func (s scanMore) Scan(dest ...any) error { return s.row.Scan(append(dest, s.more)...) }

// Customer returns one customer.
func (p *Phone) Customer(ctx context.Context, handle string) (Customer, error) {
	c, err := customerByHandle(ctx, p.db.Read, handle)
	if err != nil {
		return Customer{}, err
	}
	blocked, err := isBlocking(ctx, p.db.Read, c)
	return c.public(blocked), err
}

func isBlocking(ctx context.Context, q querier, c *customer) (blocked bool, err error) {
	err = q.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM chats WHERE customer = ? AND blocked)", c.id).Scan(&blocked)
	if err != nil {
		return false, fmt.Errorf("read customer: %w", err)
	}
	return blocked, nil
}

func (c *customer) public(blocked bool) Customer {
	out := Customer{
		WaID: c.handle, Name: c.name, HideNumber: c.hidden, Online: c.online, ReadReceipts: c.readReceipts,
		AutoRead: c.autoRead, AutoReply: c.autoReply, Blocked: blocked,
	}
	if c.hidden {
		out.BSUID = c.handle
	}
	return out
}

// Create makes a customer with a new handset: online, read receipts on, nothing automatic. While the phone runs, it
// registers at once, and Create waits up to three seconds for that.
func (p *Phone) Create(ctx context.Context, n NewCustomer) (Customer, error) {
	if err := n.check(); err != nil {
		return Customer{}, err
	}
	if slices.Contains(p.opts.Businesses, n.WaID) {
		return Customer{}, refuse(CodeConflict, "%s is the number of a business. A customer needs another one.", n.WaID)
	}
	identity, err := newIdentity()
	if err != nil {
		return Customer{}, err
	}
	recovery := make([]byte, relayproto.RecoverySize)
	rand.Read(recovery)
	c := &customer{name: n.Name, hidden: n.HideNumber, online: true, readReceipts: true, identity: identity}
	err = p.do(ctx, func(t *tx) error {
		if c.handle, err = t.freeHandle(n); err != nil {
			return err
		}
		t.changes = append(t.changes, Change{})
		return t.QueryRow(`INSERT INTO customers (handle, hidden, name, online, read_receipts, auto_read, auto_reply, identity, recovery, login, next_key)
			VALUES (?, ?, ?, 1, 1, 0, 0, ?, ?, 0, 1) RETURNING id`, c.handle, c.hidden, c.name, c.identity, recovery).Scan(&c.id)
	})
	if err != nil {
		return Customer{}, fmt.Errorf("create customer: %w", err)
	}
	p.reach(ctx, c.id)
	return c.public(false), nil
}

func newIdentity() ([]byte, error) {
	identity, err := e2ee.GenerateIdentity()
	if err != nil {
		return nil, err
	}
	return identity.MarshalBinary()
}

func (n *NewCustomer) check() error {
	if err := checkName(n.Name); err != nil {
		return err
	}
	switch {
	case n.WaID == "":
		return nil
	case n.HideNumber && !isBSUID(n.WaID):
		return refuse(CodeInvalid, "A customer who hides the number has no wa_id of digits. Leave wa_id out, or give a user id such as ID.1aB2cD.")
	case !n.HideNumber && !isNumber(n.WaID):
		return refuse(CodeInvalid, "The wa_id %.40q is not a phone number. Give 7 to 15 digits with the country code and without a plus sign, or leave it out.", n.WaID)
	}
	return nil
}

func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return refuse(CodeInvalid, `The name is missing. Give the customer one: {"name": "Ana"}.`)
	case utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unicode.IsControl):
		return refuse(CodeInvalid, "The name is too long or has control characters. Give up to %d characters on one line.", maxName)
	}
	return nil
}

// freeHandle returns the handle asked for, or one that is made up and not taken.
func (t *tx) freeHandle(n NewCustomer) (string, error) {
	makeUp := madeUpNumber
	if n.HideNumber {
		makeUp = madeUpBSUID
	}
	for range 1000 {
		handle := n.WaID
		if handle == "" {
			handle = makeUp()
		}
		var taken bool
		if err := t.QueryRow("SELECT EXISTS (SELECT 1 FROM customers WHERE handle = ?)", handle).Scan(&taken); err != nil {
			return "", err
		}
		if !taken {
			return handle, nil
		}
		if n.WaID != "" {
			return "", refuse(CodeConflict, "There is a customer %s already. Choose another wa_id, or leave it out.", handle)
		}
	}
	return "", refuse(CodeUnavailable, "No free number was found. Try again, or give a wa_id.")
}

// Patch changes the behaviour of a handset. Going offline returns after the connection has ended, going online waits up to
// three seconds for one.
func (p *Phone) Patch(ctx context.Context, handle string, change CustomerPatch) (Customer, error) {
	if change.Name != nil {
		if err := checkName(*change.Name); err != nil {
			return Customer{}, err
		}
	}
	var c *customer
	var blocked bool
	err := p.do(ctx, func(t *tx) (err error) {
		if c, err = customerByHandle(ctx, t, handle); err != nil {
			return err
		}
		change.apply(c)
		t.note(c, "")
		err = t.exec("UPDATE customers SET name = ?, online = ?, read_receipts = ?, auto_read = ?, auto_reply = ? WHERE id = ?",
			c.name, c.online, c.readReceipts, c.autoRead, c.autoReply, c.id)
		if err == nil && change.Blocked != nil {
			err = p.blockAll(ctx, t, c, *change.Blocked)
		}
		if err == nil {
			blocked, err = isBlocking(ctx, t, c)
		}
		return err
	})
	if err != nil {
		return Customer{}, fmt.Errorf("change customer: %w", err)
	}
	switch {
	case !c.online:
		p.disconnect(c.id)
	case change.Online != nil:
		p.reach(ctx, c.id)
	}
	return c.public(blocked), nil
}

func (change *CustomerPatch) apply(c *customer) {
	set := func(field *bool, v *bool) {
		if v != nil {
			*field = *v
		}
	}
	if change.Name != nil {
		c.name = *change.Name
	}
	set(&c.online, change.Online)
	set(&c.readReceipts, change.ReadReceipts)
	set(&c.autoRead, change.AutoRead)
	set(&c.autoReply, change.AutoReply)
}
