package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
)

// A checkpoint moves pages from the write-ahead log to the file. SQLite makes them by itself, and on a disk whose syncs fail now and then that
// can damage the file: one that is cut short by a reader counts its pages as moved, and leaves their sync to the next one. When that sync
// fails, Linux forgets the pages, the one after it does not write them again, and the log that holds them is begun anew. So checkpoints are
// made here, after commits, where it is seen that one has failed.

// How long the log becomes, in pages of 4 KiB, before it is moved. Its length is asked for behind every so many commits.
const (
	longLog  = 2000
	askAfter = 8
)

// errKept says that a connection was not closed, since that would lose what is in the log.
var errKept = errors.New("the write-ahead log is kept, and moved when the next process opens the file")

// wal is what is known of the write-ahead log of a file. The writing connection alone changes it.
type wal struct {
	path    string
	log     *slog.Logger
	commits int   // since its length was asked for
	due     int64 // how long it is at the next checkpoint
	lost    bool  // a checkpoint has failed, and pages that count as moved may be missing in the file
	anew    int64 // how long it was when all of its pages were written anew: what was moved up to there is not missed
}

// progress is how far the log has been moved, in pages.
type progress struct {
	busy          bool
	length, moved int64
}

// BeginTx implements driver.ConnBeginTx. Of the writing connection it begins a transaction that writes, by statements that are kept.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.wal == nil {
		return c.driverConn.BeginTx(ctx, opts)
	}
	if opts.ReadOnly {
		return nil, errors.New("the writing connection has no transactions that only read")
	}
	if err := c.run("BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	return writeTx{c}, nil
}

// writeTx is a transaction of the writing connection.
type writeTx struct{ conn *conn }

// Commit implements driver.Tx. What is committed stays so when the log cannot be moved: it becomes longer meanwhile.
func (t writeTx) Commit() error {
	if err := t.conn.run("COMMIT"); err != nil {
		_ = t.Rollback() // unless it was undone with the failure
		return err
	}
	t.conn.wal.commits++
	if t.conn.wal.commits >= askAfter {
		t.conn.wal.commits = 0
		t.conn.shorten()
	}
	return nil
}

// Rollback implements driver.Tx.
func (t writeTx) Rollback() error { return t.conn.run("ROLLBACK") }

// run executes a statement without arguments to its end: one that took effect must not be reported as ended by a context.
func (c *conn) run(text string) error {
	s, err := c.take(context.Background(), text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background(), nil)
	c.give(text, s, err)
	return err
}

// shorten moves the log when it has become long. If that does not work, or readers leave some of it, it is tried again when the log is a
// quarter longer: what an attempt costs grows with it.
func (c *conn) shorten() {
	p, err := c.moveLog("NOOP")
	if err == nil && p.length < c.wal.due {
		return
	}
	if err == nil {
		p, err = c.checkpoint("PASSIVE")
	}
	if err == nil && p.moved == p.length {
		return
	}
	if now, unknown := c.moveLog("NOOP"); unknown == nil {
		c.wal.due = now.length + max(now.length, longLog)/4
	}
	if err != nil {
		c.wal.log.Warn("the write-ahead log of the database cannot be moved into it, and grows meanwhile", "err", err, "next", c.wal.due)
	}
}

// checkpoint moves the log, as far as readers let it, in one of the modes of SQLite.
func (c *conn) checkpoint(mode string) (progress, error) {
	if c.wal.lost {
		if err := c.writeAnew(); err != nil {
			return progress{}, fmt.Errorf("write the log anew: %w", err)
		}
	}
	p, err := c.moveLog(mode)
	switch {
	case err != nil:
		now, unknown := c.moveLog("NOOP")
		c.wal.lost = unknown != nil || now.moved > c.wal.anew
	case p.moved == p.length:
		c.wal.due, c.wal.anew = longLog, 0
	}
	return p, err
}

// moveLog has SQLite move the log. NOOP moves nothing.
func (c *conn) moveLog(mode string) (p progress, err error) {
	ctx, text := context.Background(), "PRAGMA wal_checkpoint("+mode+")" // half of a checkpoint would have to be made again
	s, err := c.take(ctx, text)
	if err != nil {
		return p, err
	}
	defer func() { c.give(text, s, err) }()
	rows, err := s.QueryContext(ctx, nil)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 3)
	if err := rows.Next(row); err != nil {
		return p, err
	}
	var n [3]int64
	for i, v := range row {
		ok := false
		if n[i], ok = v.(int64); !ok {
			return p, fmt.Errorf("%s: %T in place of a number", text, v)
		}
	}
	return progress{busy: n[0] != 0, length: n[1], moved: n[2]}, nil
}

// writeAnew writes every page that is in the log to its end, so that the next checkpoint moves all of them.
func (c *conn) writeAnew() error {
	p, err := c.moveLog("NOOP")
	if err != nil {
		return err
	}
	pages, err := logged(c.wal.path, p.length)
	if err != nil {
		return err
	}
	if err := c.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err = c.touch(pages); err == nil {
		err = c.run("COMMIT")
	}
	if err != nil {
		_ = c.run("ROLLBACK") // unless it was undone with the failure
		return err
	}
	c.wal.lost, c.wal.anew = false, p.length
	return nil
}

// touch writes pages as they are. One that the file has no more matches nothing.
func (c *conn) touch(pages []int64) error {
	for _, n := range pages {
		if _, err := c.ExecContext(context.Background(), "UPDATE sqlite_dbpage SET data = data WHERE pgno = ?", []driver.NamedValue{{Ordinal: 1, Value: n}}); err != nil {
			return err
		}
	}
	return nil
}

// logged returns the numbers of the pages in the first frames of a log (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
func logged(path string, frames int64) (pages []int64, err error) {
	if frames == 0 {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it has only been read
	const head, frameHead = 32, 24
	var b [head]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(b[8:]))
	for i := range frames {
		if _, err := f.ReadAt(b[:4], head+i*(frameHead+size)); err != nil {
			return nil, err
		}
		pages = append(pages, int64(binary.BigEndian.Uint32(b[:])))
	}
	slices.Sort(pages)
	return slices.Compact(pages), nil
}

// settle moves what a failed checkpoint may have lost, before the connection is closed: SQLite would move the rest of the log and remove it.
func (c *conn) settle() error {
	if c.wal == nil || !c.wal.lost {
		return nil
	}
	if _, err := c.checkpoint("PASSIVE"); err != nil {
		return fmt.Errorf("%w: %w", errKept, err)
	}
	return nil
}
