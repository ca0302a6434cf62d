// Package sqlite opens the SQLite files of the server, the relay and the phone, all in the same safe way: WAL,
// synchronous=FULL, secure_delete, foreign keys on, one writing connection and a pool of readers, and an operating-system
// lock that lets one process own a file.
//
// It holds no table and no statement of anybody's; migrations are handed in. A DB is safe for concurrent use.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"modernc.org/sqlite"

	"kabar/internal/commit"
	"kabar/internal/filelock"
)

// oldestSafe is the first release without the WAL-reset bug that could lose commits with two or more connections.
const oldestSafe = "3.51.3"

// File is one open SQLite file.
type File struct {
	Read *sql.DB // any number of concurrent readers; writing through it is an error
	Conn *sql.DB // the one writing connection; take it only from one goroutine

	log  string // the path of its write-ahead log
	lock *os.File
	kept bool // closing failed, and the connection has the log still
}

// DB is a File with a group-commit writer.
type DB struct {
	*File
	ops *commit.Writer[Op]
}

// Op is one write. It runs inside a shared transaction and sees the effects of the operations before it. When it returns
// an error its own effects are undone and nobody else's are. It must not keep tx. It may run a second time after its first
// effects have been undone, so it sets afresh what it shares with its caller.
type Op func(tx *sql.Tx) error

// cache is how many KiB of pages each connection keeps in memory.
type cache struct{ writer, reader int }

var (
	serverCache = cache{16_000, 2000} // the hot path of a server
	smallCache  = cache{2000, 500}    // relay and phone: their rows are read once, soon after they were written
)

// Open opens a file as OpenFile does, with small caches, and starts its group-commit writer. The caller closes the DB.
func Open(path string) (*DB, error) {
	f, err := openFile(path, smallCache, Options{})
	if err != nil {
		return nil, err
	}
	db := &DB{File: f}
	db.ops = commit.NewWriter(db.batch, commit.Options{})
	return db, nil
}

// InUseError says that another process owns the file.
type InUseError = filelock.InUseError

// OpenFile opens or creates the file at path (mode 0600) and takes its lock. A second process gets an *InUseError that
// names the owner. The caller closes the file, and writes through Conn from one goroutine at a time.
func OpenFile(path string) (*File, error) { return OpenFileWith(path, Options{}) }

// Dial makes a connector for a data source name of the driver's.
type Dial func(dsn string) (driver.Connector, error)

// Options say how a file is opened.
type Options struct {
	Dial Dial         // makes the connections; nil: the driver does
	Log  *slog.Logger // hears of a write-ahead log that cannot be moved; nil: nobody does
}

// OpenFileWith opens a file as OpenFile does.
func OpenFileWith(path string, o Options) (*File, error) { return openFile(path, serverCache, o) }

func openFile(path string, c cache, o Options) (*File, error) {
	if o.Dial == nil {
		o.Dial = sqlite.NewConnector
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	lock, err := filelock.Take(path + ".lock")
	if err != nil {
		return nil, err
	}
	db := &File{lock: lock}
	if err := db.open(path, c, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return db, nil
}

func (db *File) open(path string, c cache, o Options) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite itself would create it with the umask's mode
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(path) // SQLite keeps the log beside the file that a link leads to
	if err != nil {
		return err
	}
	db.log = real + "-wal"
	if db.Conn, err = pool(o.Dial, path, &wal{path: db.log, log: o.Log, due: longLog}, 1, c.writer, ""); err != nil {
		return err
	}
	if db.Read, err = pool(o.Dial, path, nil, max(4, runtime.NumCPU()), c.reader, "&_pragma=query_only(1)"); err != nil {
		return err
	}
	var version string
	if err := db.Conn.QueryRow("SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if !atLeast(version, oldestSafe) {
		return fmt.Errorf("SQLite %s has a bug that can lose commits; %s or newer is needed", version, oldestSafe)
	}
	var verdict string
	if err := db.Conn.QueryRow("PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("the file is damaged: %s; restore a backup", verdict)
	}
	return nil
}

// LogSize returns the size of the write-ahead log in bytes: some 8 MiB, or as many as it once had up to 64 MiB, unless a reader that does not end
// or a disk that fails keeps it from being moved.
func (db *File) LogSize() (int64, error) {
	info, err := os.Stat(db.log)
	if errors.Is(err, fs.ErrNotExist) { // nothing has been written yet
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look at the write-ahead log: %w", err)
	}
	return info.Size(), nil
}

func pool(dial Dial, path string, log *wal, n, cacheKiB int, extra string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)" +
		"&_pragma=secure_delete(1)&_pragma=wal_autocheckpoint(0)&_pragma=journal_size_limit(67108864)" +
		fmt.Sprintf("&_pragma=cache_size(-%d)", cacheKiB) + extra
	c, err := dial(dsn)
	if err != nil {
		return nil, err
	}
	p := sql.OpenDB(connector{c, log})
	p.SetMaxOpenConns(n)
	p.SetMaxIdleConns(n)
	return p, nil
}

// Do runs op in the next group commit and returns after it is on disk.
func (db *DB) Do(ctx context.Context, op func(tx *sql.Tx) error) error { return db.ops.Do(ctx, op) }

// batch runs operations in one transaction. They seldom fail, and a savepoint for each costs as much as a small operation: so
// they run without, and only when one of them fails all of them run again, each behind a savepoint.
func (db *DB) batch(ops []Op) []error {
	errs := make([]error, len(ops))
	failed := false
	err := db.transact(func(tx *sql.Tx) error {
		for _, op := range ops {
			if err := op(tx); err != nil {
				failed = true
				return err
			}
		}
		return nil
	})
	if failed && len(ops) > 1 {
		err = db.transact(func(tx *sql.Tx) (err error) {
			for i := 0; i < len(ops) && err == nil; i++ {
				errs[i], err = guarded(tx, ops[i])
			}
			return err
		})
	}
	return fill(errs, err)
}

// transact commits what run does. After an error nothing of it is stored.
func (db *DB) transact(run func(tx *sql.Tx) error) error {
	tx, err := db.Conn.Begin()
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := run(tx); err != nil {
		_ = tx.Rollback() // the transaction is lost anyway; err says why
		return err
	}
	//failpoint:file-commit
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback()
		return fmt.Errorf("commit: %w", err)
	}
	//failpoint:file-committed
	return nil
}

// guarded runs op behind a savepoint. The first result is op's own error, the second one spoils the transaction.
func guarded(tx *sql.Tx, op Op) (own, fatal error) {
	if _, err := tx.Exec("SAVEPOINT op"); err != nil {
		return nil, fmt.Errorf("savepoint: %w", err)
	}
	if own = op(tx); own != nil {
		if _, err := tx.Exec("ROLLBACK TO op"); err != nil {
			return own, fmt.Errorf("roll back one operation: %w", err)
		}
	}
	if _, err := tx.Exec("RELEASE op"); err != nil {
		return own, fmt.Errorf("release savepoint: %w", err)
	}
	return own, nil
}

// fill gives err to every operation that has not failed by itself: none of them is stored.
func fill(errs []error, err error) []error {
	for i := range errs {
		if errs[i] == nil {
			errs[i] = err
		}
	}
	return errs
}

// Close commits what is queued, closes the file and frees its lock.
func (db *DB) Close() error {
	db.ops.Close()
	return db.File.Close()
}

// Close closes the file and frees its lock. It may be called more than once. When the write-ahead log cannot be moved now, and closing would
// lose what is in it, it stays open, with the lock, until the process ends.
func (db *File) Close() error {
	var err error
	for _, p := range []*sql.DB{db.Read, db.Conn} { // the writer last: it checkpoints the WAL
		if p != nil {
			err = errors.Join(err, p.Close())
		}
	}
	db.kept = db.kept || errors.Is(err, errKept)
	if db.lock != nil && !db.kept {
		err = errors.Join(err, db.lock.Close())
		db.lock = nil
	}
	return err
}

func atLeast(version, oldest string) bool {
	parse := func(s string) (v [3]int) {
		_, _ = fmt.Sscanf(s, "%d.%d.%d", &v[0], &v[1], &v[2]) // what is missing counts as 0: older
		return v
	}
	have, want := parse(version), parse(oldest)
	for i := range have {
		if have[i] != want[i] {
			return have[i] > want[i]
		}
	}
	return true
}
