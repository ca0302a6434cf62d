package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// Migration is one numbered step of a schema. Its number is its place in the list, from 1.
type Migration struct {
	Purpose string // one line, for people
	SQL     string // any number of statements
}

// Migrate brings the file to the newest schema, one transaction a step, so that a killed process leaves a whole step
// behind. The number of the last step is SQLite's user_version. A file that is newer than the list is refused.
func (db *DB) Migrate(ctx context.Context, steps []Migration) error {
	var have int
	if err := db.Conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > len(steps) {
		return fmt.Errorf("the file has schema %d, this program knows %d: run the newer program", have, len(steps))
	}
	for n := have; n < len(steps); n++ {
		if err := db.step(ctx, n+1, steps[n]); err != nil {
			return fmt.Errorf("migration %d (%s): %w", n+1, steps[n].Purpose, err)
		}
	}
	return nil
}

func (db *DB) step(ctx context.Context, number int, m Migration) error {
	tx, err := db.Conn.BeginTx(ctx, &sql.TxOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if _, err := tx.ExecContext(ctx, m.SQL); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", number)); err != nil {
		return err
	}
	return tx.Commit()
}
