package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// ownerLock is the advisory lock that the owner of a store holds on the connection that commits. PostgreSQL frees it when
// that connection ends, so a dead owner never blocks the next one.
const ownerLock = 0x6b61626172 // "kabar"

// readers is how many connections the read pool may open.
const readers = 8

func (db *DB) connectPostgres(ctx context.Context, url string) error {
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	host, _ := os.Hostname() // a name for people; without it the process id still tells
	conf.RuntimeParams["application_name"] = fmt.Sprintf("kabar: process %d on %s", os.Getpid(), host)
	db.flavour = postgresFlavour
	// Every connection that may commit takes the lock first: a store that was lost to another process stays lost.
	db.conn = stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(takeOwnership))
	db.conn.SetMaxOpenConns(1)
	db.read = stdlib.OpenDB(*conf)
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	db.close = func() error { return errors.Join(db.read.Close(), db.conn.Close()) }
	if err := db.conn.PingContext(ctx); err != nil {
		return errors.Join(fmt.Errorf("open the store: %w", err), db.close())
	}
	pools := db.close
	db.close = func() error {
		db.release()
		return pools()
	}
	return nil
}

// release frees the owner's lock: the server notices a closed connection only a moment later, and the next start would
// find the database in use.
func (db *DB) release() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = db.conn.ExecContext(ctx, "SELECT pg_advisory_unlock_all()") // without a connection there is no lock either
}

func takeOwnership(ctx context.Context, c *pgx.Conn) error {
	var mine bool
	if err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(ownerLock)).Scan(&mine); err != nil {
		return err
	}
	if mine {
		return nil
	}
	var owner string
	err := c.QueryRow(ctx, `SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		LIMIT 1`).Scan(&owner)
	if err != nil {
		owner = "another process"
	}
	return errors.Join(&InUseError{Owner: owner}, c.Close(ctx)) // nobody else closes a connection that is refused here
}

// InUseError says that another process owns the database.
type InUseError struct{ Owner string }

func (e *InUseError) Error() string {
	return fmt.Sprintf("the database is in use by %q: stop that process, or use another database", e.Owner)
}
