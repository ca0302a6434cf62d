package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"kabar/internal/sqlite"
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
	committed()
	settled(stays bool) // by the operation that has run
	empty()
	landed(now *batch) (bool, error) // in a later transaction
}

// batch is one transaction: the rows that its operations see and change.
type batch struct {
	db     *DB
	ctx    context.Context // ends when the database has taken too long
	tx     *sql.Tx
	tables []flusher
	rows   writes // of the table that is being written

	changed []flusher // by the running operation
	after   []func()  // cache changes, made only once the commit has succeeded
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
	tx := db.spare
	if db.spare = nil; tx == nil {
		tx = newTx(&batch{db: db})
	}
	b := tx.b
	b.ctx, b.tx = ctx, sqlTx
	if _, err = db.settleIn(ctx, sqlTx); err == nil {
		if err = b.decide(tx, ops, errs); err == nil {
			err = b.flush()
		}
	}
	if err != nil {
		_ = sqlTx.Rollback() // err says why; a failed rollback closes the connection by itself
		db.doubt()
		return errs, err
	}
	if err = b.commit(); err == nil {
		b.empty()
		db.spare = tx
	}
	return errs, err
}

// commit commits. When no answer comes, it asks the database whether it has happened.
func (b *batch) commit() error {
	//failpoint:commit
	err := b.tx.Commit()
	//failpoint:after-commit
	if err == nil {
		b.done()
		return nil
	}
	_ = b.tx.Rollback() // what could be committed no longer can
	b.db.open = b
	if stored, unknown := b.db.settle(); unknown == nil && stored {
		return nil
	}
	b.db.doubt()
	return &UnavailableError{fmt.Errorf("commit: %w", err)}
}

// empty forgets a transaction that is over, so that the next one can use the maps of this one: to make them anew costs more than to
// fill them with the few rows of most batches.
func (b *batch) empty() {
	for _, t := range b.tables {
		t.empty()
	}
	clear(b.after)
	b.after = b.after[:0]
}

// done tells those who wait for the commit.
func (b *batch) done() {
	for _, t := range b.tables {
		t.committed()
	}
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
		after := len(b.after)
		errs[i] = o.do(tx)
		var broken *StatementError
		var down *UnavailableError
		if errors.As(errs[i], &broken) || errors.As(errs[i], &down) {
			return errs[i]
		}
		b.settled(errs[i] == nil)
		if errs[i] != nil {
			b.after = b.after[:after]
		}
	}
	return nil
}

// settled ends an operation: what it has changed stays, or is taken back.
func (b *batch) settled(stays bool) {
	for _, t := range b.changed {
		t.settled(stays)
	}
	b.changed = b.changed[:0]
}

func (b *batch) flush() error {
	for _, t := range b.tables {
		if err := t.flush(); err != nil {
			return err
		}
	}
	return nil
}

// texts returns the statements of a table.
func (b *batch) texts(s *shape) texts {
	t, made := b.db.texts[s.name]
	if !made {
		t = b.db.flavour.texts(s)
		b.db.texts[s.name] = t
	}
	return t
}

// load runs a table's load statement for some keys.
func (b *batch) load(s *shape, keys [][]any, scan func(*sql.Rows) error) error {
	text := b.texts(s).load
	if b.db.flavour == postgresFlavour {
		all := cells{width: len(s.keys)}
		for _, k := range keys {
			all.add(k)
		}
		return b.query(text, arrays(s.keys, all), scan)
	}
	for _, k := range keys {
		if err := b.query(text, k, scan); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) query(text string, args []any, scan func(*sql.Rows) error) error {
	rows, err := b.tx.QueryContext(b.ctx, text, args...)
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

// writes are the rows of a table that a transaction writes.
type writes struct{ inserts, updates, removes cells }

func (w *writes) empty(s *shape) {
	keys, all := len(s.keys), len(s.keys)+len(s.cols)
	w.inserts.empty(all)
	w.updates.empty(all)
	w.removes.empty(keys)
}

// write runs a table's insert, update and remove statements over the batch's rows.
func (b *batch) write(s *shape) error {
	t, rows := b.texts(s), &b.rows
	if b.db.flavour == sqliteFlavour && rows.inserts.early(t.all) {
		t.insert = t.early
	}
	for _, w := range []struct {
		chunks []rowsText
		cols   []column
		rows   *cells
	}{{[]rowsText{{1, t.remove}}, s.keys, &rows.removes}, {t.insert, t.all, &rows.inserts}, {t.update, t.all, &rows.updates}} {
		if err := b.exec(w.chunks, w.cols, w.rows); err != nil {
			return faultIn(b.ctx, fmt.Errorf("write %s: %w", s.name, err))
		}
	}
	return nil
}

func (b *batch) exec(chunks []rowsText, cols []column, rows *cells) error {
	n := rows.rows()
	if n == 0 {
		return nil
	}
	if b.db.flavour == postgresFlavour {
		_, err := b.tx.ExecContext(b.ctx, chunks[0].text, arrays(cols, *rows)...)
		return err
	}
	done := 0
	for _, c := range chunks {
		for ; n-done >= c.rows; done += c.rows {
			if _, err := b.tx.ExecContext(b.ctx, c.text, sqlite.Values(rows.part(done, c.rows))); err != nil {
				return err
			}
		}
	}
	return nil
}
