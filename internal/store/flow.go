package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"kabar"
)

type flowRow struct {
	id, account int64
	name, body  string
}

var flows = &table[int64, flowRow]{
	shape:  shape{"flow", cols("id:bigint"), cols("account_id:bigint name:text body:text")},
	key:    func(r *flowRow) int64 { return r.id },
	args:   one[int64],
	fields: func(r *flowRow) []any { return []any{&r.id, &r.account, &r.name, &r.body} },
	order:  byID[int64],
}

// SaveFlow stores a flow of an account, new or changed. A new one gets its ID. A name that another flow of the account has is a
// StatementError: ask for FlowNamed before.
func (tx *Tx) SaveFlow(d *kabar.FlowDef) error {
	if d.ID == 0 {
		key, err := tx.NewKey()
		if err != nil {
			return err
		}
		d.ID = kabar.FlowID(tx.b.db.Node(key))
	}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode a flow: %w", err)
	}
	return tx.flows.put(flowRow{int64(d.ID), int64(d.Account), d.Name, string(body)})
}

// Flow returns a flow of the account, or a NotFoundError.
func (tx *Tx) Flow(a kabar.AccountID, id kabar.FlowID) (*kabar.FlowDef, error) {
	row, err := tx.flows.see(int64(id))
	if err != nil {
		return nil, err
	}
	if row == nil || row.account != int64(a) {
		return nil, &NotFoundError{"flow"}
	}
	return openFlow(row)
}

// RemoveFlow forgets a flow. One that is not there is no error.
func (tx *Tx) RemoveFlow(id kabar.FlowID) error { return tx.flows.del(int64(id)) }

func openFlow(row *flowRow) (*kabar.FlowDef, error) {
	d := new(kabar.FlowDef)
	if err := json.Unmarshal([]byte(row.body), d); err != nil {
		return nil, fmt.Errorf("decode a flow: %w", err)
	}
	d.ID, d.Account, d.Name = kabar.FlowID(row.id), kabar.AccountID(row.account), row.name
	return d, nil
}

// Flow returns a flow of the account, or a NotFoundError.
func (db *DB) Flow(ctx context.Context, a kabar.AccountID, id kabar.FlowID) (*kabar.FlowDef, error) {
	row, err := readOne(ctx, db, flows, "id = $1 AND account_id = $2", int64(id), int64(a))
	if err != nil {
		return nil, notFound(err, "flow")
	}
	return openFlow(row)
}

// FlowNamed returns the account's flow of a name, or a NotFoundError.
func (db *DB) FlowNamed(ctx context.Context, a kabar.AccountID, name string) (*kabar.FlowDef, error) {
	row, err := readOne(ctx, db, flows, "account_id = $1 AND name = $2", int64(a), name)
	if err != nil {
		return nil, notFound(err, "flow")
	}
	return openFlow(row)
}

// Flows returns the flows of the account, oldest first.
func (db *DB) Flows(ctx context.Context, a kabar.AccountID) ([]*kabar.FlowDef, error) {
	rows, err := readAll(ctx, db, flows, "account_id = $1", int64(a))
	if err != nil {
		return nil, err
	}
	age := func(r flowRow) int64 { key, _ := db.NodeKey(uint64(r.id)); return key } // public ids are in no order
	slices.SortFunc(rows, func(a, b flowRow) int { return cmp.Compare(age(a), age(b)) })
	all := make([]*kabar.FlowDef, len(rows))
	for i := range rows {
		if all[i], err = openFlow(&rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
