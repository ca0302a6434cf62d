package phone

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"kabar/internal/e2ee"
	"kabar/internal/sqlite"
)

// tx is one operation inside a group commit. Operations run one after another, so what one reads nobody else changes
// under it: sessions are read, moved on and written back in the same operation.
type tx struct {
	*sql.Tx
	now     time.Time
	peers   *e2ee.Memo
	changes []Change // published after the commit
	due     []int64  // customers with something to send, woken after the commit
}

// do runs op in the next group commit. It does not end early with ctx: an operation takes milliseconds, and its outcome
// must be known.
func (p *Phone) do(ctx context.Context, op func(t *tx) error) error {
	t := new(tx)
	err := p.db.Do(context.WithoutCancel(ctx), func(s *sql.Tx) error {
		*t = tx{Tx: s, now: p.now(), peers: &p.peers}
		return op(t)
	})
	if err != nil {
		return err
	}
	p.hub.publish(t.changes)
	for _, id := range t.due {
		p.wake(id)
	}
	return nil
}

// QueryContext and QueryRowContext make an operation go on when the caller has gone: see do.
func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.Tx.QueryContext(context.WithoutCancel(ctx), query, args...)
}

// QueryRowContext is QueryContext for one row.
func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.Tx.QueryRowContext(context.WithoutCancel(ctx), query, args...)
}

// exec runs a statement whose result does not matter.
func (t *tx) exec(statement string, args ...any) error {
	_, err := t.Exec(statement, args...)
	return err
}

// note adds a change to publish.
func (t *tx) note(c *customer, message string) {
	t.changes = append(t.changes, Change{Customer: c.handle, Message: message})
}

// querier is a transaction, or the pool of readers.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	sqlite.Querier
}

// customer is a row of that name, without what only some need.
type customer struct {
	id           int64
	handle       string
	hidden       bool
	name         string
	online       bool
	readReceipts bool
	autoRead     bool
	autoReply    bool
	identity     []byte
	login        uint64
	former       string
}

const customerColumns = "id, handle, hidden, name, online, read_receipts, auto_read, auto_reply, identity, login, former"

func scanCustomer(row interface{ Scan(...any) error }) (*customer, error) {
	c := new(customer)
	err := row.Scan(&c.id, &c.handle, &c.hidden, &c.name, &c.online, &c.readReceipts, &c.autoRead, &c.autoReply, &c.identity, &c.login, &c.former)
	return c, err
}

// customerByHandle finds a customer; an unknown one is an Error.
func customerByHandle(ctx context.Context, q querier, handle string) (*customer, error) {
	c, err := scanCustomer(q.QueryRowContext(ctx, "SELECT "+customerColumns+" FROM customers WHERE handle = ?", handle))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, refuse(CodeNotFound, "There is no customer %.40q on this phone. GET /api/customers lists them, POST /api/customers makes one.", handle)
	}
	if err != nil {
		return nil, fmt.Errorf("read customer: %w", err)
	}
	return c, nil
}

func customerByID(ctx context.Context, q querier, id int64) (*customer, error) {
	c, err := scanCustomer(q.QueryRowContext(ctx, "SELECT "+customerColumns+" FROM customers WHERE id = ?", id))
	if err != nil {
		return nil, fmt.Errorf("read customer: %w", err)
	}
	return c, nil
}

// chat is what a customer's handset knows about one business, as it is within an operation.
type chat struct {
	business string
	peer     *e2ee.Peer // nil: never heard of
	opened   int64      // milliseconds: when we last opened a session
	blocked  bool
	was      string // the customer's number that the business knows; empty: the present one
	changed  bool   // to be saved
}

// chat reads the state towards a business; a new one is empty.
func (t *tx) chat(c *customer, business string) (*chat, error) {
	ch := &chat{business: business}
	var peer []byte
	err := t.QueryRow("SELECT peer, opened, blocked, was FROM chats WHERE customer = ? AND business = ?", c.id, business).
		Scan(&peer, &ch.opened, &ch.blocked, &ch.was)
	if errors.Is(err, sql.ErrNoRows) {
		return ch, nil
	}
	if err == nil && peer != nil {
		ch.peer, err = t.peers.Unmarshal(peer)
	}
	if err != nil {
		return nil, fmt.Errorf("read chat: %w", err)
	}
	return ch, nil
}

// saveChat writes the state back if it has changed.
func (t *tx) saveChat(c *customer, ch *chat) error {
	if !ch.changed {
		return nil
	}
	var peer []byte
	if ch.peer != nil {
		var err error
		if peer, err = t.peers.Marshal(ch.peer); err != nil {
			return fmt.Errorf("write chat: %w", err)
		}
	}
	err := t.exec(`INSERT INTO chats (customer, business, peer, opened, blocked) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET peer = excluded.peer, opened = excluded.opened, blocked = excluded.blocked`,
		c.id, ch.business, peer, ch.opened, ch.blocked)
	if err != nil {
		return fmt.Errorf("write chat: %w", err)
	}
	ch.changed = false
	return nil
}

// openChats returns the state towards every business that the customer has not blocked and has sessions with.
func openChats(ctx context.Context, q querier, c *customer) (map[string]*e2ee.Peer, error) {
	out := make(map[string]*e2ee.Peer)
	err := sqlite.Each(ctx, q, func(r *sql.Rows) error {
		var business string
		var row []byte
		if err := r.Scan(&business, &row); err != nil {
			return err
		}
		peer, err := e2ee.UnmarshalPeer(row)
		out[business] = peer
		return err
	}, "SELECT business, peer FROM chats WHERE customer = ? AND peer IS NOT NULL AND NOT blocked", c.id)
	if err != nil {
		return nil, fmt.Errorf("read chats: %w", err)
	}
	return out, nil
}

// list reads a query of one column.
func list[T any](ctx context.Context, q querier, query string, args ...any) (out []T, err error) {
	err = sqlite.Each(ctx, q, func(rows *sql.Rows) error {
		var v T
		if err := rows.Scan(&v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	}, query, args...)
	return out, err
}
