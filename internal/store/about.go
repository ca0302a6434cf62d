package store

import (
	"context"
	"fmt"
	"time"
)

// About is what a database says of itself.
type About struct {
	Version string    // SQLite 3.51.3, PostgreSQL 17.2
	Now     time.Time // its clock; zero for SQLite, which has ours
}

// About asks the database. Its clock is for comparing only: times that are stored come from the caller.
func (db *DB) About(ctx context.Context) (a About, err error) {
	if db.flavour == postgresFlavour {
		err = db.read.QueryRowContext(ctx, "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1), clock_timestamp()").
			Scan(&a.Version, &a.Now)
	} else {
		err = db.read.QueryRowContext(ctx, "SELECT 'SQLite ' || sqlite_version()").Scan(&a.Version)
	}
	if err != nil {
		err = fault(fmt.Errorf("ask the database: %w", err))
	}
	return a, err
}
