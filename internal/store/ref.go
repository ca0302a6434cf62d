package store

import (
	"time"

	"kabar"
)

type refRow struct {
	number               int64
	ref                  string
	account, message, at int64
}

var refs = &table[named, refRow]{
	shape:  shape{"inbound_ref", cols("number_id:bigint ref:text"), cols("account_id:bigint message_id:bigint at:bigint")},
	key:    func(r *refRow) named { return named{r.number, r.ref} },
	args:   namedArgs,
	fields: func(r *refRow) []any { return []any{&r.number, &r.ref, &r.account, &r.message, &r.at} },
	order:  orderNamed,
}

// RefLife is how long the ids of what came in are kept: as long as the network keeps what it has not delivered, by default.
// Of an older message that is quoted only the network's id is known.
const RefLife = 30 * 24 * time.Hour

// WantRef announces that the network's id will be asked for.
func (tx *Tx) WantRef(n kabar.NumberID, ref string) { tx.refs.want(named{int64(n), ref}) }

// Ref returns which message the network's id ref stands for. ok is false for an id that has not been seen.
func (tx *Tx) Ref(n kabar.NumberID, ref string) (id kabar.MessageID, ok bool, err error) {
	row, err := tx.refs.see(named{int64(n), ref})
	if err != nil || row == nil {
		return 0, false, err
	}
	return kabar.MessageID(row.message), true, nil
}

// AddRef remembers that the network's id ref has been seen, and which message it is; 0 for what is no message. The same id
// twice is a constraint violation.
func (tx *Tx) AddRef(n *kabar.Number, ref string, id kabar.MessageID, now time.Time) error {
	return tx.refs.add(refRow{int64(n.ID), ref, int64(n.Account), int64(id), millis(now)})
}
