package store

import (
	"context"
	"time"

	"kabar"
)

// Audit is one entry of what was done with an account: never changed, never removed.
type Audit struct {
	ID      int64
	Account kabar.AccountID
	At      time.Time
	Actor   string // "operator", "review" (the automatic one), "quality", or whose key it was
	Action  string // "template.approved"
	Subject string // "template/1234567890123456"
	Detail  string // JSON
}

type auditRow struct {
	id, account, at                int64
	actor, action, subject, detail string
}

var audits = &table[int64, auditRow]{
	shape: shape{"audit", cols("id:bigint"), cols("account_id:bigint at:bigint actor:text action:text subject:text body:text")},
	key:   func(r *auditRow) int64 { return r.id },
	args:  one[int64],
	fields: func(r *auditRow) []any {
		return []any{&r.id, &r.account, &r.at, &r.actor, &r.action, &r.subject, &r.detail}
	},
	order: byID[int64],
}

// AddAudit writes down what was done, in the transaction that does it, and sets the entry's ID.
func (tx *Tx) AddAudit(a *Audit) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	a.ID = id
	tx.audits.fresh(auditRow{id, int64(a.Account), millis(a.At), a.Actor, a.Action, a.Subject, a.Detail})
	return nil
}

const auditsOf = "account_id = $1 AND subject = $2 AND id > $3"

// Audits returns up to limit entries about a subject of the account behind the one with the id after, oldest first.
func (db *DB) Audits(ctx context.Context, a kabar.AccountID, subject string, after int64, limit int) ([]Audit, error) {
	rows, err := readAll(ctx, db, audits, auditsOf+" ORDER BY id LIMIT $4", int64(a), subject, after, int64(limit))
	all := make([]Audit, len(rows))
	for i, r := range rows {
		all[i] = Audit{r.id, kabar.AccountID(r.account), instant(r.at), r.actor, r.action, r.subject, r.detail}
	}
	return all, err
}
