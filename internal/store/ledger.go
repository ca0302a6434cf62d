package store

import (
	"context"
	"math"
	"time"

	"kabar"
)

type ledgerRow struct {
	account, id, number, at int64
	kind                    string
	amount                  int64
	currency                string
	message                 int64
	rate                    string
	customer                string
}

var ledgers = &table[spot, ledgerRow]{
	shape: shape{"ledger", cols("account_id:bigint id:bigint"),
		cols("number_id:bigint at:bigint kind:text amount:bigint currency:text message_id:bigint rate:text customer:text?")},
	key:  func(r *ledgerRow) spot { return spot{r.account, r.id} },
	args: spotArgs,
	fields: func(r *ledgerRow) []any {
		return []any{&r.account, &r.id, &r.number, &r.at, &r.kind, &r.amount, &r.currency, &r.message, &r.rate, &r.customer}
	},
	order: orderSpot,
}

// AddLedger appends an entry to its account's ledger. An entry without an ID gets one.
func (tx *Tx) AddLedger(e *kabar.LedgerEntry) error {
	if e.ID == 0 {
		id, err := tx.NewKey()
		if err != nil {
			return err
		}
		e.ID = id
	}
	tx.ledger.fresh(ledgerRow{int64(e.Account), e.ID, int64(e.Number), millis(e.At), string(e.Kind), int64(e.Amount), e.Currency, int64(e.Message), e.Rate, e.Customer})
	return nil
}

// Ledger returns an entry of the account's ledger.
func (tx *Tx) Ledger(a kabar.AccountID, id int64) (*kabar.LedgerEntry, error) {
	row, err := tx.ledger.see(spot{int64(a), id})
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, &NotFoundError{"entry of the ledger"}
	}
	return tx.b.db.openLedger(row), nil
}

// LedgerEntry returns an entry of the account's ledger.
func (db *DB) LedgerEntry(ctx context.Context, a kabar.AccountID, id int64) (*kabar.LedgerEntry, error) {
	row, err := readKey(ctx, db, ledgers, db.kept.ledger, spot{int64(a), id})
	if err != nil {
		return nil, notFound(err, "entry of the ledger")
	}
	return db.openLedger(row), nil
}

// LedgerQuery asks for entries of an account's ledger, oldest first.
type LedgerQuery struct {
	After    int64 // the ID of the last entry that is known
	From, To time.Time
	Limit    int
}

// Ledger returns a page of an account's ledger. Zero times are no bounds; From is part of what is asked for, To is not.
func (db *DB) Ledger(ctx context.Context, a kabar.AccountID, q LedgerQuery) ([]*kabar.LedgerEntry, error) {
	to := int64(math.MaxInt64)
	if !q.To.IsZero() {
		to = millis(q.To)
	}
	rows, err := readAll(ctx, db, ledgers, "account_id = $1 AND id > $2 AND at >= $3 AND at < $4 ORDER BY id LIMIT $5",
		int64(a), q.After, millis(q.From), to, int64(q.Limit))
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.LedgerEntry, len(rows))
	for i := range rows {
		all[i] = db.openLedger(&rows[i])
	}
	return all, nil
}

func (db *DB) openLedger(r *ledgerRow) *kabar.LedgerEntry {
	e := &kabar.LedgerEntry{ID: r.id, Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number), At: instant(r.at),
		Kind: kabar.LedgerKind(r.kind), Amount: kabar.Money(r.amount), Currency: r.currency, Message: kabar.MessageID(r.message), Rate: r.rate, Customer: r.customer}
	if e.Message != 0 {
		e.Ref = db.Ref(e.Message)
	}
	return e
}
