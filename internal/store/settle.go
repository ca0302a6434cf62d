package store

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"time"
)

// A commit whose answer was lost has happened, or it has not. The writer finds out before it does anything else: nobody
// else writes to the store, so it has happened if the database holds what the batch wanted to write. As long as that is not
// known, whoever wrote has been told that the database is unavailable; what waits for a commit (a lane, a cache) is told
// as soon as it is known.

// settleAgain is after how long the writer looks again, if nobody writes meanwhile.
const settleAgain = time.Second

// settle finds out, in a transaction of its own, whether the open batch is stored.
func (db *DB) settle() (stored bool, err error) {
	ctx, cancel := db.within(context.Background())
	defer cancel()
	tx, err := db.conn.BeginTx(ctx, nil)
	if db.notice(err); err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	return db.settleIn(ctx, tx)
}

// settleIn finds out whether the open batch, if there is one, is stored, and calls what waits for its commit.
func (db *DB) settleIn(ctx context.Context, tx *sql.Tx) (stored bool, err error) {
	open := db.open
	if open == nil {
		return false, nil
	}
	now := &batch{db: db, ctx: ctx, tx: tx}
	stored = true
	for _, t := range open.tables {
		same, err := t.landed(now)
		if err != nil {
			return false, fmt.Errorf("look for the last commit: %w", err)
		}
		stored = stored && same
	}
	if db.open = nil; stored {
		open.done()
	}
	return stored, nil
}

// unsettled sees to it that the writer looks again for a commit that got no answer, also if nobody writes.
func (db *DB) unsettled() {
	if db.open == nil {
		return
	}
	if db.again == nil {
		db.again = time.AfterFunc(settleAgain, func() {
			_ = db.Write(context.Background(), nil, func(*Tx) error { return nil }) // whatever comes of it, the writer has looked
		})
		return
	}
	db.again.Reset(settleAgain)
}

// landed reports whether the database holds what the overlay wanted to write.
func (o *overlay[K, R]) landed(b *batch) (bool, error) {
	var args [][]any
	want := map[K]*R{}
	for k, s := range o.rows {
		if s.dirty {
			args, want[k] = append(args, o.t.args(k)), s.row
		}
	}
	if len(args) == 0 {
		return true, nil
	}
	have := map[K]*R{}
	err := b.load(&o.t.shape, args, func(rs *sql.Rows) error {
		row := new(R)
		err := rs.Scan(o.t.fields(row)...)
		have[o.t.key(row)] = row
		return err
	})
	if err != nil {
		return false, err
	}
	for k, w := range want {
		h := have[k]
		if (w == nil) != (h == nil) || w != nil && !reflect.DeepEqual(valuesOf(o.t.fields(w)), valuesOf(o.t.fields(h))) {
			return false, nil
		}
	}
	return true, nil
}
