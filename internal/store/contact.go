package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"kabar"
)

type contactRow struct {
	number             int64
	handle             string
	account, known, at int64
}

var contacts = &table[named, contactRow]{
	shape:  shape{"contact", cols("number_id:bigint handle:text"), cols("account_id:bigint known:bigint at:bigint")},
	key:    func(r *contactRow) named { return named{r.number, r.handle} },
	args:   namedArgs,
	fields: func(r *contactRow) []any { return []any{&r.number, &r.handle, &r.account, &r.known, &r.at} },
	order:  orderNamed,
}

// ContactLife is how long it is remembered what the network has said of a handle.
const ContactLife = 7 * 24 * time.Hour

// WantContact announces that the handle will be remembered.
func (tx *Tx) WantContact(n kabar.NumberID, handle string) { tx.contacts.want(named{int64(n), handle}) }

// SaveContact remembers what the network has said of a handle, for ContactLife.
func (tx *Tx) SaveContact(n *kabar.Number, handle string, known bool, now time.Time) error {
	return tx.contacts.put(contactRow{int64(n.ID), handle, int64(n.Account), flag(known), millis(now)})
}

// contactsAtOnce is how many handles one statement looks for.
const contactsAtOnce = 100

// Contacts returns what is remembered at now of the handles; of whom nothing is, is absent.
func (db *DB) Contacts(ctx context.Context, n kabar.NumberID, handles []string, now time.Time) (map[string]bool, error) {
	known := map[string]bool{}
	for len(handles) > 0 {
		some := handles[:min(contactsAtOnce, len(handles))]
		handles = handles[len(some):]
		args := []any{int64(n), millis(now.Add(-ContactLife))}
		for _, h := range some {
			args = append(args, h)
		}
		rows, err := readAll(ctx, db, contacts, "number_id = $1 AND at > $2 AND handle IN ("+placesFrom(3, len(some))+")", args...)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			known[rows[i].handle] = rows[i].known != 0
		}
	}
	return known, nil
}

// placesFrom returns n placeholders, the first of which is $first.
func placesFrom(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(first+i))
	}
	return b.String()
}
