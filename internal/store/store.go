// Package store holds every SQL statement of the server, over SQLite or PostgreSQL, in one concrete type.
//
// Writes are operations of one group-commit writer: DB.Write queues a function, the writer runs all that wait in arrival
// order against an overlay of the rows they touch, writes the net result with one statement a table, commits once, and
// answers each after the commit. Reads go to a pool and see committed rows only.
//
// The store keeps, seals and finds; it decides nothing about messages. Every row carries the account and the number it
// belongs to, and whoever reads, changes or removes one says whose it must be: another number's row is "not found". Two
// kinds of reads ask for no owner: those of credentials (User, Login, Key), which say who somebody is, and those of the
// server's own work (Numbers, ScanJobs, Owner, HasFile, Sweep), which no request reaches. Message bodies, names, events and
// answers are sealed with a key a conversation, wrapped with a key a number, wrapped with the master key.
//
// Times come from the caller; there is no now() in SQL. All methods are safe for concurrent use.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"kabar/internal/commit"
	"kabar/internal/permute"
	"kabar/internal/secrets"
	"kabar/internal/sqlite"
)

// Options open a store.
type Options struct {
	Path string // of the SQLite file; or
	URL  string // postgres://…
	// Dial makes the connections to the SQLite file; nil: the driver does. A simulation keeps them from one life to the next.
	Dial sqlite.Dial
	// MaxConns is how many connections to PostgreSQL are opened at most: one writes, the others read. Zero: 9; at least 2.
	MaxConns int
	Master   secrets.Key
	Log      *slog.Logger
	Queue    int // operations that may wait; zero: the writer's default
	// Keep is how many rows of each busy table are kept in memory; zero: 8,192, about 8 MiB for a table; negative: none.
	Keep  int
	Batch int // operations of one transaction at most; zero: the writer's default; 1 is a transaction for each
	// Observe is told of each batch of writes, as in commit.Options; may be nil.
	Observe func(operations int, took time.Duration)
	// NoMigrate refuses a store with pending migrations instead of running them. An empty store is set up all the same:
	// there is nothing in it to make a copy of first.
	NoMigrate bool
}

// DB is an open store. It owns its database until Close: a second process is refused.
type DB struct {
	flavour flavour
	conn    *sql.DB // the writer's one connection
	read    *sql.DB
	sizing  sync.Mutex // held while the size of read changes: a snapshot has a connection of its own
	close   func() error
	logSize func() (int64, error) // nil with PostgreSQL
	log     *slog.Logger
	// patience is how long PostgreSQL may take for a batch or a read; 0: as long as it takes.
	patience time.Duration
	// What the writer's goroutine knows, and nobody else: whether the store is lost to another process, the batch whose
	// commit got no answer, with what makes the writer look for it again, and an empty view for the next transaction.
	lost  bool
	open  *batch
	spare *Tx
	again *time.Timer

	// By table, from when it is first needed: most are seldom. The writer's goroutine only; the connection keeps the statements
	// prepared.
	texts map[string]texts

	ops       *commit.Writer[op]
	master    secrets.Key // that the store was opened with; Tx.master is the one it has now
	keys      keyring
	chain     []byte // the key of the audit log
	naming    []byte // the key of pseudonyms
	lives     lives  // of answers
	kept      caches
	templates templateCache
	refs      *permute.Permutation

	// The block of keys this process may hand out: used by the writer's goroutine only.
	nextKey, endKey int64
}

// Errors about the store as a whole.
type (
	// StatementError says that a statement failed: a constraint, or a bug. The operation is not stored.
	StatementError struct{ Err error }
	// UnavailableError says that the database did not take a transaction: it is down, does not answer, or its disk is full.
	// The operation may be tried again later. It is not stored, but for one case that the caller cannot tell from the others:
	// when the connection was lost during the commit and no new one was to be had, it may be. So an operation that must not
	// happen twice has a key of its own (idempotency, the network's id, a version) and looks for itself first.
	UnavailableError struct{ Err error }
	// NotFoundError says that there is no such row, or that it belongs to somebody else.
	NotFoundError struct{ What string }
)

func (e *StatementError) Error() string   { return "store: " + e.Err.Error() }
func (e *UnavailableError) Error() string { return "store is unavailable: " + e.Err.Error() }
func (e *NotFoundError) Error() string    { return e.What + " not found" }

// IsNotFound reports whether an error is a NotFoundError, or wraps one.
func IsNotFound(err error) bool {
	_, missing := errors.AsType[*NotFoundError](err)
	return missing
}

// Unwrap returns the database's own error.
func (e *StatementError) Unwrap() error { return e.Err }

// Unwrap returns the database's own error.
func (e *UnavailableError) Unwrap() error { return e.Err }

// ErrFull says that the write queue is full: answer "overloaded" and ask to retry.
var ErrFull = commit.ErrFull

// Open opens or creates a store and brings its schema up to date.
func Open(ctx context.Context, o Options) (*DB, error) {
	db, err := connected(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := db.start(ctx, o); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

func newDB(o Options) *DB {
	db := &DB{log: o.Log, master: o.Master, kept: newCaches(o.Keep)}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	return db
}

func (db *DB) connect(ctx context.Context, o Options) error {
	if o.URL != "" {
		if !strings.HasPrefix(o.URL, "postgres://") && !strings.HasPrefix(o.URL, "postgresql://") {
			return fmt.Errorf("open the store: a database URL begins with postgres://")
		}
		return db.connectPostgres(ctx, o)
	}
	file, err := sqlite.OpenFileWith(o.Path, sqlite.Options{Dial: o.Dial, Log: db.log})
	if err != nil {
		return err
	}
	db.flavour, db.conn, db.read, db.close, db.logSize = sqliteFlavour, file.Conn, file.Read, file.Close, file.LogSize
	return nil
}

func (db *DB) start(ctx context.Context, o Options) error {
	s, err := schemaOf(ctx, db.conn)
	if err != nil {
		return err
	}
	if o.NoMigrate && s.Have > 0 && len(s.Pending) > 0 {
		return &PendingError{s}
	}
	if err := db.migrate(ctx, s, nil); err != nil {
		return err
	}
	db.texts = map[string]texts{}
	db.ops = commit.NewWriter(db.runBatch, commit.Options{Queue: o.Queue, Batch: o.Batch, Observe: o.Observe})
	if err := db.openKeys(ctx); err != nil {
		db.ops.Close()
		return err
	}
	return nil
}

// Write queues do and returns after it has been committed, or has been refused: then nothing of it is stored. The error is
// the one do returned, ErrFull, or the store's own. do may run more than once; it must change nothing but tx and variables
// of its own that it sets afresh. hint, which may be nil, announces the rows that do will ask for.
//
// The end of ctx ends the wait only: the operation may still run, and be stored. So a caller that gets ctx's error must
// not read variables that do writes. A Record in ctx leaves its entry in the audit log with the write.
func (db *DB) Write(ctx context.Context, hint func(*Tx), do func(*Tx) error) error {
	if r := recordOf(ctx); r != nil {
		return db.recorded(ctx, r, hint, do)
	}
	return db.write(ctx, hint, do)
}

func (db *DB) write(ctx context.Context, hint func(*Tx), do func(*Tx) error) error {
	err := db.ops.Do(ctx, op{hint, do})
	if errors.Is(err, commit.ErrClosed) {
		return &UnavailableError{err} // the program is about to end; the next one takes it
	}
	db.logBroken(ctx, err)
	return err
}

// Probe commits something of no importance, each time something else: whether the store can be written, disk and all.
func (db *DB) Probe(ctx context.Context, now time.Time) error {
	return db.Write(ctx, nil, func(tx *Tx) error { return tx.meta.put(metaRow{probeMeta, []byte(now.UTC().Format(time.RFC3339Nano))}) })
}

const probeMeta = "probe"

// Waiting returns how many writes are queued, and how many may be.
func (db *DB) Waiting() (n, limit int) { return db.ops.Waiting() }

// LogSize returns the size of SQLite's write-ahead log in bytes; PostgreSQL keeps its own.
func (db *DB) LogSize() (int64, error) {
	if db.logSize == nil {
		return 0, nil
	}
	return db.logSize()
}

// Close commits what is queued and closes the database.
func (db *DB) Close() error {
	db.ops.Close()
	if db.again != nil {
		db.again.Stop()
	}
	return db.close()
}
