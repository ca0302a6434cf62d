package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// raw hands f a connection to the database that goes past the store.
func (s *Env) raw(tb testing.TB, f func(db *sql.DB) error) {
	tb.Helper()
	driver, source := "pgx", s.Options.URL
	if s.Options.Path != "" {
		driver = "sqlite"
		source = "file:" + (&url.URL{Path: filepath.ToSlash(s.Options.Path)}).EscapedPath() + "?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if err := errors.Join(f(db), db.Close()); err != nil {
		tb.Fatal(err)
	}
}

// Exec executes a statement behind the store's back. Placeholders are $1, $2.
func (s *Env) Exec(tb testing.TB, text string, args ...any) (err error) {
	tb.Helper()
	s.raw(tb, func(db *sql.DB) error {
		_, err = db.ExecContext(tb.Context(), text, args...)
		return nil
	})
	return err
}

// Query returns the rows of a statement, each value as text or as its bytes.
func (s *Env) Query(tb testing.TB, text string, args ...any) (rows [][]string) {
	tb.Helper()
	s.raw(tb, func(db *sql.DB) (err error) {
		rows, err = query(tb, db, text, args...)
		return err
	})
	return rows
}

func query(tb testing.TB, db *sql.DB, text string, args ...any) (all [][]string, err error) {
	rows, err := db.QueryContext(tb.Context(), text, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, into := make([]string, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// Column is a column of a table.
type Column struct{ Table, Name, Type string }

func (c Column) String() string { return c.Table + "." + c.Name }

// Columns returns every column of the store's tables, with its type in upper case.
func (s *Env) Columns(tb testing.TB) []Column {
	tb.Helper()
	text := "SELECT table_name, column_name, upper(data_type) FROM information_schema.columns WHERE table_schema = 'public'"
	if s.Database == "sqlite" {
		text = "SELECT t.name, c.name, upper(c.type) FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'"
	}
	var all []Column
	for _, r := range s.Query(tb, text) {
		all = append(all, Column{r[0], r[1], r[2]})
	}
	if len(all) == 0 {
		tb.Fatal("storetest: the store has no columns")
	}
	return all
}

// Find returns the places where one of the needles lies in the clear: columns, and on SQLite also the files themselves,
// which hold what has been changed and deleted, too.
func (s *Env) Find(tb testing.TB, needles ...string) (places []string) {
	tb.Helper()
	look := func(place, in string) {
		for _, n := range needles {
			if strings.Contains(in, n) {
				places = append(places, fmt.Sprintf("%q in %s", n, place))
			}
		}
	}
	columns := s.Columns(tb)
	s.raw(tb, func(db *sql.DB) error {
		for _, c := range columns {
			if c.Type != "TEXT" && c.Type != "BYTEA" {
				continue
			}
			rows, err := query(tb, db, "SELECT "+c.Name+" FROM "+c.Table)
			if err != nil {
				return err
			}
			look(c.String(), fmt.Sprint(rows))
		}
		return nil
	})
	for _, suffix := range []string{"", "-wal", "-journal"} {
		if s.Database != "sqlite" {
			break
		}
		b, err := os.ReadFile(s.Options.Path + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			tb.Fatal(err)
		}
		look("the file"+suffix, string(b))
	}
	return places
}
