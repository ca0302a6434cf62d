package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// unfinished is the schema number that a store has, beside its own, while a restore fills it.
const unfinished = -1

// RestoringError says that a restore into the store has not come to its end: the store is of no use.
type RestoringError struct{}

func (e *RestoringError) Error() string {
	return "a restore into this store was not finished: delete the data folder, with --database drop the database and create it again, " +
		"then run kabar restore again"
}

// NotEmptyError says that there is something already where a restore should go.
type NotEmptyError struct{ Tables int }

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("the database has %d tables already: a restore needs an empty one", e.Tables)
}

// SchemaWanted returns the number of the newest schema this program knows.
func SchemaWanted() (int, error) {
	files, err := migrationFiles()
	return len(files), err
}

// KeyTables are the tables that say which master key a store needs.
func KeyTables() []string { return []string{metas.name, numbers.name} }

// Loader fills a new store with the rows of a snapshot. Until Finish has returned, nobody can open the store: Open, Plan and
// Migrate give a RestoringError, also after the process has been killed. A Loader is for one goroutine.
type Loader struct {
	db   *DB
	open bool // the store's own start has succeeded
}

// NewLoader sets up a schema in a database without tables. Of a newer schema than this program knows it is an error.
func NewLoader(ctx context.Context, o Options, schema int) (*Loader, error) {
	files, err := migrationFiles()
	if err != nil {
		return nil, err
	}
	if schema < 1 || schema > len(files) {
		return nil, &NewerError{Schema{Have: schema, Want: len(files)}}
	}
	db := newDB(o)
	if err := db.connect(ctx, o); err != nil {
		return nil, err
	}
	err = db.refuseUnfinished(ctx)
	if err == nil {
		err = db.refuseTables(ctx)
	}
	if err == nil {
		_, err = db.conn.ExecContext(ctx, insertNumber(unfinished))
	}
	if err == nil {
		err = db.setUp(ctx, files[:schema])
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set up the new store: %w", err), db.close())
	}
	return &Loader{db: db}, nil
}

// refuseUnfinished refuses a store that a restore has not finished.
func (db *DB) refuseUnfinished(ctx context.Context) error {
	if _, err := db.conn.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_version (number BIGINT NOT NULL)"); err != nil {
		return fmt.Errorf("read the schema number: %w", err)
	}
	var n int
	if err := db.conn.QueryRowContext(ctx, "SELECT count(*) FROM schema_version WHERE number = $1", unfinished).Scan(&n); err != nil {
		return fmt.Errorf("read the schema number: %w", err)
	}
	if n > 0 {
		return &RestoringError{}
	}
	return nil
}

func (db *DB) refuseTables(ctx context.Context) error {
	var n int
	if err := db.conn.QueryRowContext(ctx, "SELECT count(DISTINCT n) FROM ("+db.flavour.tableNames()+") AS t").Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return &NotEmptyError{n}
	}
	return nil
}

// tableNames returns a query for the names, as n, of every table but that of the schema's number.
func (f flavour) tableNames() string {
	if f == sqliteFlavour {
		return "SELECT name AS n FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'schema_version'"
	}
	return "SELECT table_name AS n FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' " +
		"AND table_name <> 'schema_version'"
}

// Insert stores rows of a table in one transaction: the columns are those of t, the values what Snapshot.Rows gives.
func (l *Loader) Insert(ctx context.Context, t Table, rows [][]any) error {
	if err := t.Check(); err != nil {
		return err
	}
	if len(rows) == 0 {
		return nil
	}
	err := l.db.transaction(ctx, func(tx *sql.Tx) error { return l.db.insert(ctx, tx, t, rows) })
	if err != nil {
		return fmt.Errorf("load %s: %w", t.Name, err)
	}
	return nil
}

func (db *DB) insert(ctx context.Context, tx *sql.Tx, t Table, rows [][]any) error {
	columns := t.columns()
	all := strings.Join((&shape{cols: columns}).columns(), ", ")
	if db.flavour == postgresFlavour {
		flat := cells{width: len(columns)}
		for _, r := range rows {
			flat.add(r)
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s AS u(%s)", t.Name, all, all, unnest(columns), all),
			arrays(columns, flat)...)
		return err
	}
	stmt, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", t.Name, all, places(len(columns))))
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }() // it ends with the transaction anyway
	for _, r := range rows {
		if _, err := stmt.ExecContext(ctx, r...); err != nil {
			return err
		}
	}
	return nil
}

// Open brings the loaded store to this program's schema and opens it with the master key: one that does not fit is
// ErrMasterKey.
func (l *Loader) Open(ctx context.Context) error {
	if l.open {
		return nil
	}
	if err := l.db.start(ctx, Options{}); err != nil {
		return err
	}
	l.open = true
	return nil
}

// Close closes the store.
func (l *Loader) Close() error {
	if l.open {
		return l.db.Close()
	}
	return l.db.close()
}
