package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"kabar"
)

type policyRow struct {
	account int64
	body    string
}

var policies = &table[int64, policyRow]{
	shape:  shape{"template_policy", cols("account_id:bigint"), cols("body:text")},
	key:    func(r *policyRow) int64 { return r.account },
	args:   one[int64],
	fields: func(r *policyRow) []any { return []any{&r.account, &r.body} },
	order:  byID[int64],
}

// SavePolicy stores how an account's templates are handled.
func (tx *Tx) SavePolicy(a kabar.AccountID, p kabar.TemplatePolicy) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode the policy of templates: %w", err)
	}
	return tx.policies.put(policyRow{int64(a), string(body)})
}

// Policy returns how an account's templates are handled; manual review unless somebody has said otherwise.
func (tx *Tx) Policy(a kabar.AccountID) (kabar.TemplatePolicy, error) {
	row, err := tx.policies.see(int64(a))
	if err != nil || row == nil {
		return kabar.TemplatePolicy{Review: kabar.ReviewManual}, err
	}
	return openPolicy(row)
}

// Policy returns how an account's templates are handled; manual review unless somebody has said otherwise.
func (db *DB) Policy(ctx context.Context, a kabar.AccountID) (kabar.TemplatePolicy, error) {
	row, err := readKey(ctx, db, policies, db.kept.policies, int64(a))
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return kabar.TemplatePolicy{Review: kabar.ReviewManual}, err
	}
	return openPolicy(row)
}

func openPolicy(row *policyRow) (p kabar.TemplatePolicy, err error) {
	if err := json.Unmarshal([]byte(row.body), &p); err != nil {
		return p, fmt.Errorf("decode the policy of templates: %w", err)
	}
	return p, nil
}
