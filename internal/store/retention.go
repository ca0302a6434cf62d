package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"kabar"
)

type retentionRow struct{ account, messages, media, events, answers, broadcasts int64 }

var retentions = &table[int64, retentionRow]{
	shape: shape{"retention", cols("account_id:bigint"), cols("messages:bigint media:bigint events:bigint answers:bigint broadcasts:bigint")},
	key:   func(r *retentionRow) int64 { return r.account },
	args:  one[int64],
	fields: func(r *retentionRow) []any {
		return []any{&r.account, &r.messages, &r.media, &r.events, &r.answers, &r.broadcasts}
	},
	order: byID[int64],
}

// SaveRetention stores for how long an account keeps things.
func (tx *Tx) SaveRetention(a kabar.AccountID, r kabar.Retention) error {
	tx.about(int64(a), "account")
	tx.After(func() { tx.b.db.lives.set(int64(a), storedDays(r.Answers)) })
	return tx.retentions.put(retentionRow{int64(a), storedDays(r.Messages), storedDays(r.Media), storedDays(r.Events), storedDays(r.Answers),
		storedDays(r.Broadcasts)})
}

// Retention returns for how long an account keeps things.
func (tx *Tx) Retention(a kabar.AccountID) (kabar.Retention, error) {
	row, err := tx.retentions.see(int64(a))
	if err != nil || row == nil {
		return kabar.Retention{}, err
	}
	return openRetention(row), nil
}

// Retention returns for how long an account keeps things.
func (db *DB) Retention(ctx context.Context, a kabar.AccountID) (kabar.Retention, error) {
	row, err := readOne(ctx, db, retentions, "account_id = $1", int64(a))
	if errors.Is(err, sql.ErrNoRows) {
		return kabar.Retention{}, nil
	}
	if err != nil {
		return kabar.Retention{}, err
	}
	return openRetention(row), nil
}

func openRetention(r *retentionRow) kabar.Retention {
	return kabar.Retention{Messages: daysOf(r.messages), Media: daysOf(r.media), Events: daysOf(r.events), Answers: daysOf(r.answers),
		Broadcasts: daysOf(r.broadcasts)}
}

// unsaid stands for days that nobody has set.
const unsaid = -1

func storedDays(days *int) int64 {
	if days == nil {
		return unsaid
	}
	return int64(*days)
}

func daysOf(stored int64) *int {
	if stored == unsaid {
		return nil
	}
	days := int(stored)
	return &days
}

// day is what retention counts in.
const day = 24 * time.Hour

// lives are how long the answers of accounts are kept: in memory, since each request with a key asks. The zero value is ready.
type lives struct {
	mu sync.RWMutex
	by map[int64]time.Duration // of accounts that say so
}

func (l *lives) set(account, days int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = map[int64]time.Duration{}
	}
	if delete(l.by, account); days > 0 {
		l.by[account] = time.Duration(days) * day
	}
}

func (l *lives) of(account int64) time.Duration {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if life, ok := l.by[account]; ok {
		return life
	}
	return AnswerLife
}

func (l *lives) longest() time.Duration {
	l.mu.RLock()
	defer l.mu.RUnlock()
	longest := AnswerLife
	for _, life := range l.by {
		longest = max(longest, life)
	}
	return longest
}

func (db *DB) openLives(ctx context.Context) error {
	rows, err := readAll(ctx, db, retentions, "account_id > 0")
	for _, r := range rows {
		db.lives.set(r.account, r.answers)
	}
	return err
}
