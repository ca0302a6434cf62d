package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// secure_delete writes zeros over what is deleted, and that is not all: when a page of a b-tree is split or joined, its rows are written
// anew, and copies of those that went to another page stay in the space between, where a later DELETE does not find them. In a file of
// 5,000 phone numbers it was one in a thousand. And the write-ahead log holds pages as they were until it is cut off.

// ErrBusy says that the log cannot be cut off: somebody reads an older state of the database.
var ErrBusy = errors.New("the database is being read, by a backup say: what was removed can be overwritten when that has ended")

// How often the log is tried to be cut off, and how long the writer waits for readers each time: others wait with it.
const (
	cutTries = 20
	cutWait  = 100 * time.Millisecond
	cutPause = 150 * time.Millisecond
)

// Scrub writes zeros over every copy of the needles that is in no row, and cuts off the write-ahead log. conn is the writing connection,
// which is used for moments; read reads the file, page by page. ErrBusy says that it has to be tried again later.
func Scrub(ctx context.Context, conn, read *sql.DB, needles [][]byte) error {
	needles = slices.DeleteFunc(slices.Clone(needles), func(n []byte) bool { return len(n) == 0 })
	if err := cut(ctx, conn); err != nil {
		return err
	}
	found, err := search(ctx, read, needles)
	if err != nil {
		return fmt.Errorf("read the pages of the database: %w", err)
	}
	if len(found) == 0 {
		return nil
	}
	if err := clean(ctx, conn, found); err != nil {
		return fmt.Errorf("clean pages of the database: %w", err)
	}
	return cut(ctx, conn)
}

// cut moves what is in the log to the file and cuts it off.
func cut(ctx context.Context, conn *sql.DB) error {
	for range cutTries {
		busy, err := checkpoint(ctx, conn)
		if err != nil {
			return fmt.Errorf("cut off the log of the database: %w", err)
		}
		if !busy {
			return nil
		}
		select {
		case <-time.After(cutPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ErrBusy
}

func checkpoint(ctx context.Context, writer *sql.DB) (busy bool, err error) {
	c, err := writer.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }() // it goes back to the pool
	var was int64
	if err := c.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&was); err != nil {
		return false, err
	}
	if _, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", cutWait.Milliseconds())); err != nil {
		return false, err
	}
	err = c.Raw(func(inner any) error {
		p, err := inner.(*conn).checkpoint("TRUNCATE")
		busy = p.busy
		return err
	})
	_, after := c.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", was))
	return busy, errors.Join(err, after)
}

// search returns the pages that hold a needle.
func search(ctx context.Context, read *sql.DB, needles [][]byte) (found []int64, err error) {
	var pages int64
	if err := read.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return nil, err
	}
	stmt, err := read.PrepareContext(ctx, "SELECT data FROM sqlite_dbpage WHERE pgno = ?")
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Close() }() // it has only read
	var page sql.RawBytes
	for n := int64(1); n <= pages; n++ {
		hit, err := holds(ctx, stmt, n, &page, needles)
		if err != nil {
			return nil, err
		}
		if hit {
			found = append(found, n)
		}
	}
	return found, nil
}

func holds(ctx context.Context, stmt *sql.Stmt, n int64, page *sql.RawBytes, needles [][]byte) (hit bool, err error) {
	rows, err := stmt.QueryContext(ctx, n)
	if err != nil {
		return false, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	for rows.Next() {
		if err := rows.Scan(page); err != nil {
			return false, err
		}
		hit = slices.ContainsFunc(needles, func(needle []byte) bool { return bytes.Contains(*page, needle) })
	}
	return hit, rows.Err()
}

// clean writes zeros into the space between the rows of pages, each in a transaction of its own.
func clean(ctx context.Context, conn *sql.DB, pages []int64) error {
	for _, n := range pages {
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		var page []byte
		if err = tx.QueryRowContext(ctx, "SELECT data FROM sqlite_dbpage WHERE pgno = ?", n).Scan(&page); err == nil {
			if from, to := between(page, n == 1); to > from {
				clear(page[from:to])
				_, err = tx.ExecContext(ctx, "UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?", page, n)
			}
		}
		if err != nil {
			_ = tx.Rollback() // err says why
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// between returns where the space between the pointers to the rows of a b-tree's page and the rows lies; nothing for a page that is none
// (https://www.sqlite.org/fileformat2.html#b_tree_pages).
func between(page []byte, first bool) (from, to int) {
	head := page
	if first { // the header of the file comes before
		head = page[min(100, len(page)):]
	}
	if len(head) < 12 {
		return 0, 0
	}
	size := 0
	switch head[0] {
	case 2, 5: // interior
		size = 12
	case 10, 13: // leaf
		size = 8
	default:
		return 0, 0
	}
	cells, content := int(binary.BigEndian.Uint16(head[3:])), int(binary.BigEndian.Uint16(head[5:]))
	if content == 0 {
		content = 1 << 16
	}
	begin := len(page) - len(head) + size
	if from = begin + 2*cells; from > content || content > len(page) {
		return 0, 0
	}
	for at := begin; at < from; at += 2 { // a page of another kind may begin with the same byte, and is left alone
		if row := int(binary.BigEndian.Uint16(page[at:])); row < content || row >= len(page) {
			return 0, 0
		}
	}
	return from, content
}
