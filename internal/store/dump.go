package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Column is a column of a table as a backup describes it.
type Column struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // "bigint", "text" or "bytea": in Go int64, string or []byte
}

// Table is a table as a backup describes it.
type Table struct {
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`
}

// Snapshot is a store at one moment, whatever is written meanwhile. Its values are as they lie in the database: what is
// sealed stays sealed. It is for one goroutine, and its owner ends it.
//
// While it lasts, SQLite cannot shorten its WAL file and PostgreSQL cannot clear away rows that have been replaced.
type Snapshot struct {
	Schema    int     // number of the migration the store is at
	MasterKey string  // the ID of the master key that opens it; empty: a store of schema 1 may not say
	Tables    []Table // every table but that of the schema's number, by name; as the database describes them, whatever its schema

	sessions string
	tx       *sql.Tx
	giveBack func() // its connection
	close    func() error
}

// Snapshot begins a snapshot that leaves out the entries of drivers whose names begin with sessions.
func (db *DB) Snapshot(ctx context.Context, sessions string) (*Snapshot, error) {
	o := &sql.TxOptions{}
	if db.flavour == postgresFlavour {
		o = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	db.widen(1)
	s := &Snapshot{sessions: sessions, giveBack: sync.OnceFunc(func() { db.widen(-1) }), close: func() error { return nil }}
	var err error
	if s.tx, err = db.read.BeginTx(ctx, o); err != nil {
		s.giveBack()
		return nil, fmt.Errorf("begin a snapshot: %w", fault(err))
	}
	if err := s.describe(ctx, db.flavour); err != nil {
		return nil, errors.Join(fmt.Errorf("begin a snapshot: %w", err), s.End())
	}
	return s, nil
}

// widen changes how many connections may read, so that a snapshot takes none from the others.
func (db *DB) widen(by int) {
	db.sizing.Lock()
	defer db.sizing.Unlock()
	db.read.SetMaxOpenConns(db.read.Stats().MaxOpenConnections + by)
}

// OpenSnapshot takes a snapshot of a store that nobody has open, of any schema. It needs no master key. The store is owned
// until Close.
func OpenSnapshot(ctx context.Context, o Options, sessions string) (*Snapshot, error) {
	db, err := connected(ctx, o)
	if err != nil {
		return nil, err
	}
	s, err := db.Snapshot(ctx, sessions)
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	s.close = db.close
	return s, nil
}

// End ends the snapshot's transaction. A second call does nothing.
func (s *Snapshot) End() error {
	defer s.giveBack()
	if err := s.tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("end a snapshot: %w", err)
	}
	return nil
}

// Close ends the snapshot, and closes the store if OpenSnapshot has opened it.
func (s *Snapshot) Close() error { return errors.Join(s.End(), s.close()) }

// describe fixes the snapshot by its first read.
func (s *Snapshot) describe(ctx context.Context, f flavour) error {
	if err := s.tx.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM schema_version").Scan(&s.Schema); err != nil {
		return err
	}
	rows, err := s.tx.QueryContext(ctx, f.catalog())
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	for rows.Next() {
		var table string
		var c Column
		if err := rows.Scan(&table, &c.Name, &c.Kind); err != nil {
			return err
		}
		if c.Kind == "integer" { // how SQLite is told of a growing key
			c.Kind = "bigint"
		}
		if last := len(s.Tables) - 1; last < 0 || s.Tables[last].Name != table {
			s.Tables = append(s.Tables, Table{Name: table})
		}
		last := &s.Tables[len(s.Tables)-1]
		last.Columns = append(last.Columns, c)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	slices.SortFunc(s.Tables, func(a, b Table) int { return cmp.Compare(a.Name, b.Name) })
	for _, t := range s.Tables {
		if err := t.Check(); err != nil {
			return err
		}
	}
	return s.whole(ctx)
}

// whole refuses a store that a migration has left half way, whose columns belong to no schema, and reads which key it needs.
func (s *Snapshot) whole(ctx context.Context) error {
	if s.Schema == 0 {
		return errors.New("the store is empty")
	}
	var half int
	if err := s.tx.QueryRowContext(ctx, "SELECT count(*) FROM meta WHERE name = $1", stepMeta).Scan(&half); err != nil {
		return err
	}
	if half > 0 {
		return errors.New("a migration of the store has not been finished: run kabar migrate first")
	}
	err := s.tx.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", masterMeta).Scan(&s.MasterKey)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return nil
}

// catalog returns the query for the columns of every table, in order.
func (f flavour) catalog() string {
	if f == sqliteFlavour {
		return `SELECT t.name, c.name, lower(c.type) FROM sqlite_schema t JOIN pragma_table_info(t.name) c
			WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> 'schema_version' ORDER BY t.name, c.cid`
	}
	return `SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
		JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
		WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name <> 'schema_version'
		ORDER BY c.table_name, c.ordinal_position`
}

// Check refuses a description that cannot be of a table of a store: names and kinds become parts of statements.
func (t Table) Check() error {
	if !isName(t.Name) || len(t.Columns) == 0 {
		return fmt.Errorf("table %q is none of a kabar server", t.Name)
	}
	for i, c := range t.Columns {
		known := slices.Contains([]string{"bigint", "text", "bytea"}, c.Kind)
		if !isName(c.Name) || !known || slices.ContainsFunc(t.Columns[:i], func(o Column) bool { return o.Name == c.Name }) {
			return fmt.Errorf("table %s: column %q of the kind %q is none of a kabar server", t.Name, c.Name, c.Kind)
		}
	}
	return nil
}

func (t Table) columns() []column {
	cs := make([]column, len(t.Columns))
	for i, c := range t.Columns {
		cs[i] = column{name: c.Name, kind: c.Kind}
	}
	return cs
}

func isName(s string) bool {
	return s != "" && len(s) < 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// Count returns how many rows a table has in the snapshot.
func (s *Snapshot) Count(ctx context.Context, t Table) (n int64, err error) {
	where, args := s.where(t)
	if err := s.tx.QueryRowContext(ctx, "SELECT count(*) FROM "+t.Name+" WHERE "+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count %s: %w", t.Name, fault(err))
	}
	return n, nil
}

// Rows calls each with every row of a table, in the order of its columns. What each is handed is its own until it returns.
func (s *Snapshot) Rows(ctx context.Context, t Table, each func(row []any) error) error {
	where, args := s.where(t)
	rows, err := s.tx.QueryContext(ctx, selectFrom(&shape{name: t.Name, cols: t.columns()}, where), args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, fault(err))
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	into := pointers(t.Columns)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("read %s: %w", t.Name, fault(err))
		}
		if err := each(valuesOf(into)); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", t.Name, fault(err))
	}
	return nil
}

// where leaves out the sessions.
func (s *Snapshot) where(t Table) (text string, args []any) {
	if t.Name != states.name || s.sessions == "" {
		return "1 = 1", nil
	}
	return "substr(name, 1, $1) <> $2", []any{len(s.sessions), s.sessions}
}

// pointers returns a place for each value of a row.
func pointers(cols []Column) []any {
	into := make([]any, len(cols))
	for i, c := range cols {
		switch c.Kind {
		case "bigint":
			into[i] = new(int64)
		case "text":
			into[i] = new(string)
		default:
			into[i] = new([]byte)
		}
	}
	return into
}
