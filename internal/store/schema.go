package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migration is a numbered file that changes the schema.
type Migration struct {
	Name       string // of the file: 0002_server.sql
	Purpose    string // its first line
	Statements int
	Done       int // statements that have run already: the process that ran them has been killed
}

func (m Migration) String() string {
	if m.Done == 0 {
		return m.Name
	}
	return fmt.Sprintf("%s, %d of %d statements done", m.Name, m.Done, m.Statements)
}

// Schema says how far a store's schema is from this program's.
type Schema struct {
	Have, Want int         // numbers of the last migration that is complete, and of the last one there is
	Pending    []Migration // what is left to do; only the first can be done in part
}

// LatestSchema returns the number of the schema that this program works with.
func LatestSchema() (int, error) {
	files, err := migrationFiles()
	return len(files), err
}

// stepMeta is the row of meta that says how many statements of the newest migration have run. There is none when all have.
const stepMeta = "migration"

// schemaOf reads how far the store is; an empty store has schema 0. One that a newer program has used is a *NewerError.
func schemaOf(ctx context.Context, conn *sql.DB) (Schema, error) {
	files, err := migrationFiles()
	if err != nil {
		return Schema{}, err
	}
	s := Schema{Want: len(files)}
	newest, done, err := progressOf(ctx, conn)
	if err != nil {
		return s, fmt.Errorf("read the schema number: %w", err)
	}
	if s.Have = newest; newest > s.Want {
		return s, &NewerError{s}
	}
	if done > 0 {
		s.Have--
	}
	for _, f := range files[s.Have:] {
		m := f.Migration
		m.Done, done = done, 0
		s.Pending = append(s.Pending, m)
	}
	return s, nil
}

// progressOf returns the number of the newest migration that has begun, and how many of its statements have run; 0 means all.
// A migration has its number from its first statement on, so that an older program does not start on half of it.
func progressOf(ctx context.Context, conn *sql.DB) (newest, done int, err error) {
	if _, err = conn.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_version (number BIGINT NOT NULL)"); err != nil {
		return 0, 0, err
	}
	if err = conn.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM schema_version").Scan(&newest); err != nil || newest == 0 {
		return 0, 0, err
	}
	var note []byte
	err = conn.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", stepMeta).Scan(&note)
	if errors.Is(err, sql.ErrNoRows) {
		return newest, 0, nil
	}
	if err == nil {
		done, err = strconv.Atoi(string(note))
	}
	return newest, done, err
}

// migrationFile is a migration with its statements.
type migrationFile struct {
	Migration
	statements []string
}

func migrationFiles() ([]migrationFile, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	files := make([]migrationFile, len(names))
	for i, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(string(text), "\n")
		f := migrationFile{statements: statements(string(text))}
		f.Migration = Migration{Name: strings.TrimPrefix(name, "migrations/"), Purpose: strings.TrimPrefix(first, "-- "), Statements: len(f.statements)}
		files[i] = f
	}
	return files, nil
}

// statements splits a migration: a statement ends with a line that ends in a semicolon. Semicolons elsewhere, and lines that
// are comments, end nothing; a migration must not break a line behind a semicolon within a text or a function's body.
func statements(text string) []string {
	var all []string
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" || strings.HasPrefix(strings.TrimSpace(line), "--") {
			continue
		}
		lines = append(lines, line)
		if strings.HasSuffix(line, ";") {
			all, lines = append(all, strings.Join(lines, "\n")), nil
		}
	}
	if lines != nil {
		all = append(all, strings.Join(lines, "\n"))
	}
	return all
}

// PendingError says that migrations have to run before this program can use the store.
type PendingError struct{ Schema }

func (e *PendingError) Error() string {
	names := make([]string, len(e.Pending))
	for i, m := range e.Pending {
		names[i] = m.String()
	}
	return fmt.Sprintf("the store has schema %d and this program needs %d: make a backup, then run kabar migrate (pending: %s)",
		e.Have, e.Want, strings.Join(names, "; "))
}

// NewerError says that a newer program has used the store.
type NewerError struct{ Schema }

func (e *NewerError) Error() string {
	return fmt.Sprintf("the store has schema %d and this program knows %d: start the newer program it was last used with (kabar version says which one "+
		"this is), or restore a backup of this one into an empty folder with kabar restore", e.Have, e.Want)
}
