package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kabar"
)

type rateUseRow struct {
	number  int64
	name    string // month and category: "2026-10/service"
	account int64
	used    int64
}

var rateUses = &table[named, rateUseRow]{
	shape:  shape{"rate_use", cols("number_id:bigint name:text"), cols("account_id:bigint used:bigint")},
	key:    func(r *rateUseRow) named { return named{r.number, r.name} },
	args:   namedArgs,
	fields: func(r *rateUseRow) []any { return []any{&r.number, &r.name, &r.account, &r.used} },
	order:  orderNamed,
}

// WantRateUse announces that it will be asked how many messages of a category a number has had in a month.
func (tx *Tx) WantRateUse(n kabar.NumberID, month string, c kabar.Category) {
	tx.rateUses.want(named{int64(n), month + "/" + string(c)})
}

// RateUse returns how many messages of a category a number has had in a month ("2026-10"), and adds so many more.
func (tx *Tx) RateUse(n *kabar.Number, month string, c kabar.Category, more int) (used int, err error) {
	k := named{int64(n.ID), month + "/" + string(c)}
	row, err := tx.rateUses.get(k)
	if err != nil {
		return 0, err
	}
	if row == nil {
		row = &rateUseRow{number: k.number, name: k.name, account: int64(n.Account)}
	}
	if used = int(row.used); more == 0 {
		return used, nil
	}
	row.used += int64(more)
	return used, tx.rateUses.put(*row)
}

type rateCardRow struct {
	name, body string
	imported   int64
}

var rateCards = &table[string, rateCardRow]{
	shape:  shape{"rate_card", cols("name:text"), cols("body:text imported:bigint")},
	key:    func(r *rateCardRow) string { return r.name },
	args:   one[string],
	fields: func(r *rateCardRow) []any { return []any{&r.name, &r.body, &r.imported} },
	order:  cmp.Compare[string],
}

// ownCard names the rate card that was imported. There is one a server.
const ownCard = "imported"

// SaveRateCard stores the server's rate card, in the place of the one before.
func (tx *Tx) SaveRateCard(c *kabar.RateCard, now time.Time) error {
	body, err := json.Marshal(c.Rates)
	if err != nil {
		return fmt.Errorf("encode the rate card: %w", err)
	}
	return tx.rateCards.put(rateCardRow{ownCard, string(body), millis(now)})
}

// RateCard returns the rate card that was imported, and when; a NotFoundError if none was.
func (db *DB) RateCard(ctx context.Context) (*kabar.RateCard, time.Time, error) {
	row, err := readOne(ctx, db, rateCards, "name = $1", ownCard)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, time.Time{}, &NotFoundError{"rate card"}
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	var rates []kabar.Rate
	if err := json.Unmarshal([]byte(row.body), &rates); err != nil {
		return nil, time.Time{}, fmt.Errorf("decode the rate card: %w", err)
	}
	card, err := kabar.NewRateCard(rates)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read the rate card: %w", err)
	}
	return card, instant(row.imported), nil
}
