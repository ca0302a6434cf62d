package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// op is one write: what it will need, and what it does. It runs on the writer's goroutine, in arrival order, against the
// overlay; it must not do I/O, and must not keep tx.
type op struct {
	hint func(*Tx)
	do   func(*Tx) error
}

// flusher is an overlay whose row and key types are forgotten.
type flusher interface {
	loadWanted() error
	flush() error
	landed(now *batch) (bool, error) // in a later transaction
}

// batch is one transaction: the rows that its operations see and change.
type batch struct {
	db     *DB
	ctx    context.Context // ends when the database has taken too long
	tx     *sql.Tx
	tables []flusher
	undo   []func() // how to take back what the running operation has done
	after  []func() // cache changes, made only once the commit has succeeded
}

// runBatch decides and commits operations: load what they have announced, decide them one after another, write the net
// result, commit once. When a statement fails, the operations run again, each in a transaction of its own, so that the one
// at fault is the only one that is refused. When the database does not answer, nothing runs again: a commit whose answer
// was lost may have happened (settle.go).
func (db *DB) runBatch(ops []op) []error {
	errs, err := db.transact(ops)
	if err == nil {
		return errs
	}
	var down *UnavailableError
	if len(ops) == 1 || errors.As(err, &down) {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	for i := range ops {
		one, err := db.transact(ops[i : i+1])
		if err != nil {
			errs[i] = err
		} else {
			errs[i] = one[0]
		}
	}
	return errs
}

// transact runs ops in one transaction. The errors are the operations' own refusals, which cost nobody else anything; err
// is the transaction's, after which nothing is stored, or it is not known yet whether it is.
func (db *DB) transact(ops []op) (errs []error, err error) {
	defer db.unsettled()
	errs = make([]error, len(ops))
	ctx, cancel := db.within(context.Background())
	defer cancel()
	sqlTx, err := db.conn.BeginTx(ctx, nil)
	if db.notice(err); err != nil {
		return errs, &UnavailableError{err}
	}
	b := &batch{db: db, ctx: ctx, tx: sqlTx}
	if _, err = db.settleIn(ctx, sqlTx); err == nil {
		if err = b.decide(newTx(b), ops, errs); err == nil {
			err = b.flush()
		}
	}
	if err != nil {
		_ = sqlTx.Rollback() // err says why; a failed rollback closes the connection by itself
		db.recount()
		return errs, err
	}
	return errs, b.commit()
}

// commit commits. When no answer comes, it asks the database whether it has happened.
func (b *batch) commit() error {
	err := b.tx.Commit()
	if err == nil {
		b.done()
		return nil
	}
	_ = b.tx.Rollback() // what could be committed no longer can
	b.db.open = b
	if stored, unknown := b.db.settle(); unknown == nil && stored {
		return nil
	}
	b.db.recount()
	return &UnavailableError{fmt.Errorf("commit: %w", err)}
}

// done tells those who wait for the commit.
func (b *batch) done() {
	for _, f := range b.after {
		f()
	}
}

func (b *batch) decide(tx *Tx, ops []op, errs []error) error {
	for _, o := range ops {
		if o.hint != nil {
			o.hint(tx)
		}
	}
	for _, t := range b.tables {
		if err := t.loadWanted(); err != nil {
			return err
		}
	}
	for i, o := range ops {
		b.undo = b.undo[:0]
		after := len(b.after)
		if errs[i] = o.do(tx); errs[i] == nil {
			continue
		}
		var broken *StatementError
		var down *UnavailableError
		if errors.As(errs[i], &broken) || errors.As(errs[i], &down) {
			return errs[i]
		}
		for _, v := range slices.Backward(b.undo) {
			v()
		}
		b.after = b.after[:after]
	}
	return nil
}

func (b *batch) flush() error {
	for _, t := range b.tables {
		if err := t.flush(); err != nil {
			return err
		}
	}
	return nil
}

// load runs a table's load statement for some keys.
func (b *batch) load(s *shape, keys [][]any, scan func(*sql.Rows) error) error {
	text := b.db.texts[s.name].load
	if b.db.flavour == postgresFlavour {
		return b.query(text, arrays(s.keys, keys), scan)
	}
	for _, k := range keys {
		if err := b.query(text, k, scan); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) query(text string, args []any, scan func(*sql.Rows) error) error {
	rows, err := b.tx.StmtContext(b.ctx, b.db.stmts[text]).QueryContext(b.ctx, args...)
	if err != nil {
		return faultIn(b.ctx, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	for rows.Next() {
		if err := scan(rows); err != nil {
			if b.ctx.Err() != nil {
				return faultIn(b.ctx, err)
			}
			return &StatementError{err}
		}
	}
	if err := rows.Err(); err != nil {
		return faultIn(b.ctx, err)
	}
	return nil
}

// write runs a table's insert, update and remove statements.
func (b *batch) write(s *shape, inserts, updates, removes [][]any) error {
	all := append(append([]column(nil), s.keys...), s.cols...)
	t := b.db.texts[s.name]
	for _, w := range []struct {
		text string
		cols []column
		rows [][]any
	}{{t.remove, s.keys, removes}, {t.insert, all, inserts}, {t.update, all, updates}} {
		if err := b.exec(w.text, w.cols, w.rows); err != nil {
			return faultIn(b.ctx, fmt.Errorf("write %s: %w", s.name, err))
		}
	}
	return nil
}

func (b *batch) exec(text string, cols []column, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	stmt := b.tx.StmtContext(b.ctx, b.db.stmts[text])
	if b.db.flavour == postgresFlavour {
		_, err := stmt.ExecContext(b.ctx, arrays(cols, rows)...)
		return err
	}
	for _, r := range rows {
		if _, err := stmt.ExecContext(b.ctx, r...); err != nil {
			return err
		}
	}
	return nil
}

// arrays turns rows into one typed slice a column.
func arrays(cols []column, rows [][]any) []any {
	out := make([]any, len(cols))
	for c, col := range cols {
		switch col.kind {
		case "bigint":
			out[c] = columnOf[int64](rows, c)
		case "text":
			out[c] = columnOf[string](rows, c)
		case "bytea":
			out[c] = columnOf[[]byte](rows, c)
		}
	}
	return out
}

func columnOf[T any](rows [][]any, c int) []T {
	vs := make([]T, len(rows))
	for i, r := range rows {
		vs[i] = r[c].(T)
	}
	return vs
}
