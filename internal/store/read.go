package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// readOne reads the one row that matches; sql.ErrNoRows if there is none.
func readOne[K comparable, R any](ctx context.Context, db *DB, t *table[K, R], where string, args ...any) (*R, error) {
	if slices.ContainsFunc(args, impossible) {
		return nil, sql.ErrNoRows
	}
	ctx, cancel := db.within(ctx)
	defer cancel()
	row := new(R)
	err := db.read.QueryRowContext(ctx, selectFrom(&t.shape, where), args...).Scan(t.fields(row)...)
	if err != nil {
		if err == sql.ErrNoRows {
			return nil, err
		}
		return nil, db.readFault(ctx, err)
	}
	return row, nil
}

// impossible reports whether an argument is a text that no row can hold: PostgreSQL has neither NUL nor invalid UTF-8 in a text, and
// refuses a statement that asks for one. Names come in paths and headers, where both can be written.
func impossible(arg any) bool {
	s, ok := arg.(string)
	return ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s))
}

// readKey reads the committed row with a key, unless it is kept; sql.ErrNoRows if there is none. The row is shared: nobody
// changes it.
func readKey[K comparable, R any](ctx context.Context, db *DB, t *table[K, R], kept *cache[K, R], k K) (*R, error) {
	if row, known := kept.get(k); row != nil {
		return row, nil
	} else if known {
		return nil, sql.ErrNoRows
	}
	return readOne(ctx, db, t, equals(t.keys, 1, " AND "), t.args(k)...)
}

// readAll reads the rows that match; where may end in ORDER BY and LIMIT.
func readAll[K comparable, R any](ctx context.Context, db *DB, t *table[K, R], where string, args ...any) ([]R, error) {
	ctx, cancel := db.within(ctx)
	defer cancel()
	rows, err := db.read.QueryContext(ctx, selectFrom(&t.shape, where), args...)
	if err != nil {
		return nil, db.readFault(ctx, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	var all []R
	for rows.Next() {
		all = append(all, *new(R))
		if err := rows.Scan(t.fields(&all[len(all)-1])...); err != nil {
			return nil, db.readFault(ctx, err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, db.readFault(ctx, err)
	}
	return all, nil
}

func selectFrom(s *shape, where string) string {
	return "SELECT " + strings.Join(s.columns(), ", ") + " FROM " + s.name + " WHERE " + where
}

// list reads the rows of a query, each with scan.
func list[T any](ctx context.Context, db *DB, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	ctx, cancel := db.within(ctx)
	defer cancel()
	rows, err := db.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, db.readFault(ctx, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, db.readFault(ctx, err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, db.readFault(ctx, err)
	}
	return all, nil
}

// errSlow ends what takes longer than the store's patience.
var errSlow = errors.New("the database has not answered in time")

// within gives a read, or a batch, the time it may take.
func (db *DB) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if db.patience == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, db.patience, errSlow)
}

// readFault is faultIn for a read. A statement that failed leaves a line in the log.
func (db *DB) readFault(ctx context.Context, err error) error {
	err = faultIn(ctx, err)
	db.logBroken(ctx, err)
	return err
}

// logBroken leaves a line of a statement that has failed: whoever asked is told no more than that.
func (db *DB) logBroken(ctx context.Context, err error) {
	if broken, ok := errors.AsType[*StatementError](err); ok {
		db.log.ErrorContext(ctx, "a statement of the store has failed", "err", broken)
	}
}

// faultIn is fault for what has run under a context of DB.within: that its time was up is the database's failure.
func faultIn(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSlow) {
		return &UnavailableError{errors.Join(cause, err)}
	}
	return fault(err)
}
