package store

import (
	"context"
	"database/sql"
	"slices"

	"kabar"
)

// Person is where a customer of an account is found.
type Person struct {
	Account kabar.AccountID
	Handles []string // what they are called: the one that was asked for, and what its conversations know
	Talks   []Talk   // their conversations, of all numbers of the account
}

// headsAtOnce is how many heads of conversations, messages or events one read looks through for those of one person.
const headsAtOnce = 5000

// FindPerson looks for a customer of an account by a handle. Of whom nothing at all is known it is a NotFoundError. It goes through the
// heads of all conversations, in the order of their keys: one that somebody else's number has taken the place of is led to by nothing.
func (db *DB) FindPerson(ctx context.Context, a kabar.AccountID, handle string) (*Person, error) {
	numbers, err := db.numbersOf(ctx, a)
	if err != nil {
		return nil, err
	}
	p := &Person{Account: a, Handles: []string{handle}}
	for i := 0; i < len(p.Handles); i++ { // it grows
		for _, n := range numbers {
			c, err := db.FindConversation(ctx, n.ID, p.Handles[i])
			if IsNotFound(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			p.meet(Talk{n.ID, c.ID}, c.Customer)
		}
	}
	if err := db.findLeft(ctx, p); err != nil {
		return nil, err
	}
	if len(p.Talks) > 0 {
		return p, nil
	}
	known, err := db.mentions(ctx, p, numbers)
	if err == nil && !known {
		err = &NotFoundError{"customer"}
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// numbersOf returns the numbers of an account.
func (db *DB) numbersOf(ctx context.Context, a kabar.AccountID) ([]*kabar.Number, error) {
	all, err := db.Numbers(ctx)
	return slices.DeleteFunc(all, func(n *kabar.Number) bool { return n.Account != a }), err
}

func (p *Person) meet(t Talk, c kabar.Customer) {
	if !slices.Contains(p.Talks, t) {
		p.Talks = append(p.Talks, t)
	}
	for _, h := range []string{c.WaID, c.BSUID} {
		if h != "" && !slices.Contains(p.Handles, h) {
			p.Handles = append(p.Handles, h)
		}
	}
}

// findLeft adds the conversations that no handle leads to any more.
func (db *DB) findLeft(ctx context.Context, p *Person) error {
	type head struct {
		id, account, number int64
		waID, bsuid         string
	}
	for after := int64(0); ; {
		heads, err := list(ctx, db, func(rs *sql.Rows) (h head, err error) {
			return h, rs.Scan(&h.id, &h.account, &h.number, &h.waID, &h.bsuid)
		}, "SELECT id, account_id, number_id, wa_id, bsuid FROM conversation WHERE id > $1 ORDER BY id LIMIT $2", after, int64(headsAtOnce))
		if err != nil {
			return err
		}
		for _, h := range heads {
			if h.account == int64(p.Account) && (slices.Contains(p.Handles, h.waID) || slices.Contains(p.Handles, h.bsuid)) {
				p.meet(Talk{kabar.NumberID(h.number), kabar.ConversationID(h.id)}, kabar.Customer{})
			}
		}
		if len(heads) < headsAtOnce {
			return nil
		}
		after = heads[len(heads)-1].id
	}
}

// mentions reports whether anything is known of somebody who has no conversation.
func (db *DB) mentions(ctx context.Context, p *Person, numbers []*kabar.Number) (bool, error) {
	for _, h := range p.Handles {
		for _, of := range []struct {
			table string
			args  []any
		}{
			{"consent WHERE account_id = $1 AND handle = $2", []any{int64(p.Account), h}},
			{"consent_entry WHERE account_id = $1 AND handle = $2", []any{int64(p.Account), h}},
			{"broadcast_recipient WHERE account_id = $1 AND handle = $2", []any{int64(p.Account), h}},
		} {
			if found, err := db.any(ctx, of.table, of.args...); found || err != nil {
				return found, err
			}
		}
		for _, n := range numbers {
			if found, err := db.any(ctx, "contact WHERE number_id = $1 AND handle = $2", int64(n.ID), h); found || err != nil {
				return found, err
			}
		}
	}
	return false, nil
}

// any reports whether there is a row.
func (db *DB) any(ctx context.Context, from string, args ...any) (bool, error) {
	if slices.ContainsFunc(args, impossible) {
		return false, nil
	}
	rows, err := list(ctx, db, scanID, "SELECT 1 FROM "+from+" LIMIT 1", args...)
	return len(rows) > 0, err
}
