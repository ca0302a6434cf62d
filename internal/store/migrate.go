package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Step is one statement of a migration.
type Step struct {
	File      string
	Number    int // its place among the statements of the file, from 1
	Of        int // how many statements the file has
	Statement string
	Done      bool // it is committed; before, it has only begun
}

// Plan says what Migrate would do. It needs no master key.
func Plan(ctx context.Context, o Options) (s Schema, err error) {
	db, err := connected(ctx, o)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	return schemaOf(ctx, db.conn)
}

// Migrate brings a store up to date that nobody has open; it needs no master key. Each statement is committed by itself,
// together with a note of how far it has come: whenever the process is killed, the next run goes on at the statement after
// the last one that was committed. watch, which may be nil, is called twice a statement: when it begins and when it is
// committed. The end of ctx stops between two statements.
func Migrate(ctx context.Context, o Options, watch func(Step)) (err error) {
	db, err := connected(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	s, err := schemaOf(ctx, db.conn)
	if err != nil {
		return err
	}
	return db.migrate(ctx, s, watch)
}

// connected returns a store whose schema has not been looked at. One that a restore has not finished is a RestoringError.
func connected(ctx context.Context, o Options) (*DB, error) {
	db := newDB(o)
	if err := db.connect(ctx, o); err != nil {
		return nil, err
	}
	if err := db.refuseUnfinished(ctx); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

// migrate runs what s says is pending.
func (db *DB) migrate(ctx context.Context, s Schema, watch func(Step)) error {
	if s.Have > 0 && len(s.Pending) == 0 {
		return nil
	}
	files, err := migrationFiles()
	if err != nil {
		return err
	}
	if s.Have == 0 {
		return db.setUp(ctx, files)
	}
	for i, m := range s.Pending {
		number := s.Have + i + 1
		if err := db.migrateFile(ctx, number, m.Done, files[number-1], watch); err != nil {
			return fmt.Errorf("migration %s: %w\nStatements that had run stay; kabar migrate goes on behind them", m.Name, err)
		}
	}
	return nil
}

// setUp makes the schema of an empty store, in one transaction.
func (db *DB) setUp(ctx context.Context, files []migrationFile) error {
	return db.transaction(ctx, func(tx *sql.Tx) error {
		for i, f := range files {
			all := append(f.statements, insertNumber(i+1))
			if _, err := tx.ExecContext(ctx, db.flavour.ddl(strings.Join(all, "\n"))); err != nil {
				return fmt.Errorf("set up the store: %s: %w", f.Name, err)
			}
			//failpoint:set-up
		}
		return nil
	})
}

func insertNumber(number int) string {
	return fmt.Sprintf("INSERT INTO schema_version (number) VALUES (%d);", number)
}

func (db *DB) migrateFile(ctx context.Context, number, done int, f migrationFile, watch func(Step)) error {
	for i, statement := range f.statements {
		if i < done {
			continue
		}
		step := Step{File: f.Name, Number: i + 1, Of: len(f.statements), Statement: statement}
		if watch != nil {
			watch(step)
		}
		err := db.transaction(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, db.flavour.ddl(statement)); err != nil {
				return fmt.Errorf("statement %d of %d: %w", step.Number, step.Of, err)
			}
			return note(ctx, tx, number, step)
		})
		if err != nil {
			return err
		}
		//failpoint:migration
		if step.Done = true; watch != nil {
			watch(step)
		}
	}
	return nil
}

// note writes down, in the transaction of a statement, that it has run.
func note(ctx context.Context, tx *sql.Tx, number int, step Step) error {
	if step.Number == 1 {
		if _, err := tx.ExecContext(ctx, insertNumber(number)); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM meta WHERE name = $1", stepMeta); err != nil {
		return err
	}
	if step.Number == step.Of {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2)", stepMeta, []byte(strconv.Itoa(step.Number)))
	return err
}

// transaction commits what do has done on the writer's connection; the writer must not run yet.
func (db *DB) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := db.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}
