package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema says how far a store's schema is from this program's.
type Schema struct {
	Have, Want int
	Pending    []string // file names of the migrations that have not run
}

// schemaOf reads the store's schema number; an empty store has 0.
func schemaOf(ctx context.Context, conn *sql.DB) (Schema, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return Schema{}, err
	}
	s := Schema{Want: len(files)}
	if _, err := conn.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_version (number BIGINT NOT NULL)"); err != nil {
		return s, fmt.Errorf("read the schema number: %w", err)
	}
	if err := conn.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM schema_version").Scan(&s.Have); err != nil {
		return s, fmt.Errorf("read the schema number: %w", err)
	}
	for _, f := range files[min(s.Have, len(files)):] {
		s.Pending = append(s.Pending, strings.TrimPrefix(f, "migrations/"))
	}
	return s, nil
}

// migrate runs what is pending, one transaction a file, so that a killed process leaves whole steps behind.
func (db *DB) migrate(ctx context.Context) error {
	s, err := schemaOf(ctx, db.conn)
	if err != nil {
		return err
	}
	if s.Have > s.Want {
		return fmt.Errorf("the store has schema %d and this program knows %d: start the newer program it was last used with", s.Have, s.Want)
	}
	for i, name := range s.Pending {
		text, err := migrations.ReadFile("migrations/" + name)
		if err != nil {
			return err
		}
		if err := db.step(ctx, s.Have+i+1, string(text)); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
	}
	return nil
}

func (db *DB) step(ctx context.Context, number int, text string) error {
	tx, err := db.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if _, err := tx.ExecContext(ctx, db.flavour.ddl(text)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO schema_version VALUES (%d)", number)); err != nil {
		return err
	}
	return tx.Commit()
}
