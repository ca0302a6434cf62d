package store

import (
	"context"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kabar"
)

// Audit is one entry of what was done: never changed, never removed, and chained to the one before (chain.go). All of it lies
// open in the database, so that it names customers and what they wrote nowhere.
type Audit struct {
	ID      int64
	Seq     int64           // its number in the log; set by AddAudit
	Account kabar.AccountID // 0: the server
	At      time.Time
	Actor   string // "operator", "review" (the automatic one), "quality", "key …", "user …", "session …"
	Action  string // "template.approved", or the route that was called
	Subject string // "template/1234567890123456"
	Source  string // where the request came from: address and program, or the command; empty: the server itself
	Result  string // AuditOK, or how it was refused; empty in entries of earlier versions
	Detail  string // JSON; may be empty
}

type auditRow struct {
	id, account, at                int64
	actor, action, subject, detail string
	seq                            int64
	source, result                 string
	mac                            []byte
}

var audits = &table[int64, auditRow]{
	shape: shape{"audit", cols("id:bigint"), cols("account_id:bigint at:bigint actor:text action:text subject:text body:text " +
		"seq:bigint source:text result:text mac:bytea")},
	key:  func(r *auditRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *auditRow) []any {
		return []any{&r.id, &r.account, &r.at, &r.actor, &r.action, &r.subject, &r.detail, &r.seq, &r.source, &r.result, &r.mac}
	},
	order: byID[int64],
}

// maxAuditText bounds each text of an entry but its detail, in bytes: names and programs are what strangers say they are.
const maxAuditText = 256

// AddAudit writes down what was done, in the transaction that does it, and sets the entry's ID and Seq. Without a Source it gets
// that of the request or command (Record), and without a Result AuditOK.
func (tx *Tx) AddAudit(a *Audit) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	tx.act.entries++
	if a.Source == "" {
		a.Source = tx.act.source
	}
	if a.Result == "" {
		a.Result = AuditOK
	}
	for _, text := range []*string{&a.Actor, &a.Action, &a.Subject, &a.Source, &a.Result} {
		*text = plainText(*text)
	}
	row := auditRow{id: id, account: int64(a.Account), at: millis(a.At), actor: a.Actor, action: a.Action, subject: a.Subject, detail: a.Detail,
		source: a.Source, result: a.Result}
	if err := tx.chained(&row); err != nil {
		return err
	}
	a.ID, a.Seq = id, row.seq
	tx.audits.fresh(row)
	return nil
}

// plainText cuts a text, and makes of it what either database holds and a terminal shows.
func plainText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	for len(s) > maxAuditText {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

func (r *auditRow) open() Audit {
	return Audit{ID: r.id, Seq: r.seq, Account: kabar.AccountID(r.account), At: instant(r.at), Actor: r.actor, Action: r.action, Subject: r.subject,
		Source: r.source, Result: r.result, Detail: r.detail}
}

const auditsOf = "account_id = $1 AND subject = $2 AND id > $3"

// Audits returns up to limit entries about a subject of the account behind the one with the id after, oldest first.
func (db *DB) Audits(ctx context.Context, a kabar.AccountID, subject string, after int64, limit int) ([]Audit, error) {
	rows, err := readAll(ctx, db, audits, auditsOf+" ORDER BY id LIMIT $4", int64(a), subject, after, int64(limit))
	return opened(rows), err
}

const (
	auditNewest   = "seq < $1 ORDER BY seq DESC LIMIT $2"
	auditNewestOf = "seq < $1 AND account_id = $3 ORDER BY seq DESC LIMIT $2"
)

// AuditLog returns up to limit entries of an account, or of all when it is 0, before the one with the number before (0: the
// newest), newest first.
func (db *DB) AuditLog(ctx context.Context, a kabar.AccountID, before int64, limit int) ([]Audit, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	where, args := auditNewest, []any{before, int64(limit)}
	if a != 0 {
		where, args = auditNewestOf, append(args, int64(a))
	}
	rows, err := readAll(ctx, db, audits, where, args...)
	return opened(rows), err
}

func opened(rows []auditRow) []Audit {
	all := make([]Audit, len(rows))
	for i := range rows {
		all[i] = rows[i].open()
	}
	return all
}
