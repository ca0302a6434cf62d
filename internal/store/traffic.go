package store

import (
	"cmp"
	"context"

	"kabar"
)

// trafficKey is the key of what is counted of a number's messages.
type trafficKey struct {
	number, slot   int64
	country, class string
}

type trafficRow struct {
	number, slot                            int64
	country, class                          string
	account                                 int64
	sent, delivered, read, received, opened int64
	freeWindow, freeEntry, cost, blocked    int64
}

var traffics = &table[trafficKey, trafficRow]{
	shape: shape{"traffic", cols("number_id:bigint slot:bigint country:text class:text"),
		cols("account_id:bigint sent:bigint delivered:bigint read:bigint received:bigint opened:bigint blocked:bigint? free_window:bigint? free_entry:bigint? cost:bigint?")},
	key:  func(r *trafficRow) trafficKey { return trafficKey{r.number, r.slot, r.country, r.class} },
	args: func(k trafficKey) []any { return []any{k.number, k.slot, k.country, k.class} },
	fields: func(r *trafficRow) []any {
		return []any{&r.number, &r.slot, &r.country, &r.class, &r.account, &r.sent, &r.delivered, &r.read, &r.received, &r.opened,
			&r.blocked, &r.freeWindow, &r.freeEntry, &r.cost}
	},
	order: func(a, b trafficKey) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.slot, b.slot), cmp.Compare(a.country, b.country), cmp.Compare(a.class, b.class))
	},
}

// AddTraffic adds to what is counted of a number's messages.
func (tx *Tx) AddTraffic(t kabar.Traffic) error {
	k := trafficKey{int64(t.Number), t.Slot, t.Country, t.Class}
	row, err := tx.traffic.get(k)
	if err != nil {
		return err
	}
	if row == nil {
		row = &trafficRow{number: k.number, slot: k.slot, country: k.country, class: k.class, account: int64(t.Account)}
	}
	row.sent, row.delivered, row.read = row.sent+t.Sent, row.delivered+t.Delivered, row.read+t.Read
	row.received, row.opened, row.blocked = row.received+t.Received, row.opened+t.Opened, row.blocked+t.Blocked
	row.freeWindow, row.freeEntry, row.cost = row.freeWindow+t.FreeWindow, row.freeEntry+t.FreeEntry, row.cost+int64(t.Cost)
	return tx.traffic.put(*row)
}

// Traffic returns what is counted of the messages of an account's numbers in the slots from first up to last, by number, slot,
// country and class.
func (db *DB) Traffic(ctx context.Context, a kabar.AccountID, n kabar.NumberID, first, last int64) ([]kabar.Traffic, error) {
	rows, err := readAll(ctx, db, traffics, "number_id = $1 AND slot >= $2 AND slot <= $3 AND account_id = $4 ORDER BY slot, country, class",
		int64(n), first, last, int64(a))
	if err != nil {
		return nil, err
	}
	all := make([]kabar.Traffic, len(rows))
	for i, r := range rows {
		all[i] = kabar.Traffic{Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number), Slot: r.slot, Country: r.country, Class: r.class,
			Sent: r.sent, Delivered: r.delivered, Read: r.read, Received: r.received, Opened: r.opened, Blocked: r.blocked,
			FreeWindow: r.freeWindow, FreeEntry: r.freeEntry, Cost: kabar.Money(r.cost)}
	}
	return all, nil
}
