//go:build unix

package sqlite

import (
	"bytes"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/torture/disk"
)

// move moves the log, and tells how far it came.
func (f *File) move(t *testing.T, mode string) (p progress, err error) {
	t.Helper()
	writer, err := f.Conn.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }() // it goes back to the pool
	err = writer.Raw(func(inner any) (err error) {
		if mode == "NOOP" {
			p, err = inner.(*conn).moveLog(mode)
			return err
		}
		p, err = inner.(*conn).checkpoint(mode)
		return err
	})
	return p, err
}

// insert commits a row of several pages.
func insert(t *testing.T, f *File) {
	t.Helper()
	tx, err := f.Conn.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO t (body) VALUES (randomblob(30000))"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, q interface {
	QueryRow(string, ...any) *sql.Row
}) (rows int) {
	t.Helper()
	if err := q.QueryRow("SELECT count(*) FROM t").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func openT(t *testing.T, dir string) *File {
	t.Helper()
	f, err := OpenFile(filepath.Join(dir, "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestTheLogIsMoved by commits, and as soon as nobody reads it any more.
func TestTheLogIsMoved(t *testing.T) {
	f := openT(t, t.TempDir())
	defer func() { _ = f.Close() }()
	exec(t, f.Conn, "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
	longest := func(commits int) (most int64) {
		for range commits {
			insert(t, f)
			p, err := f.move(t, "NOOP")
			if err != nil {
				t.Fatal(err)
			}
			most = max(most, p.length)
		}
		return most
	}
	if n := longest(600); n < longLog || n > longLog+100 {
		t.Errorf("the log became %d pages long, want %d", n, longLog)
	}
	reading, err := f.Read.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, reading); n != 600 {
		t.Errorf("%d rows", n)
	}
	if n := longest(600); n < 2*longLog {
		t.Errorf("the log became %d pages long while it was read", n)
	}
	if size, err := f.LogSize(); err != nil || size < 2*longLog*4096 || size > 5*longLog*4096 {
		t.Errorf("the log has %d bytes, %v", size, err)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	longest(300)
	if n := longest(600); n > longLog+100 {
		t.Errorf("the log became %d pages long after it was read, want %d", n, longLog)
	}
}

// TestACheckpointFailsAfterHalfOne: what a reader has cut short was not synced, and is not forgotten when the next checkpoint fails, whichever
// of its calls it is, and whether the log is moved by the next one or by closing the file.
func TestACheckpointFailsAfterHalfOne(t *testing.T) {
	for _, closes := range []bool{false, true} {
		for n := int64(1); failsAfterHalf(t, n, closes) > 0; n++ {
			if n > 100 {
				t.Fatal("a checkpoint of a few pages makes more than 100 calls")
			}
		}
	}
}

// failsAfterHalf returns how many calls have failed.
func failsAfterHalf(t *testing.T, n int64, closes bool) int64 {
	t.Helper()
	dir := t.TempDir()
	d := claim(t, dir)
	f := openT(t, dir)
	defer func() { _ = f.Close() }() // its disk may be gone
	half(t, f)
	rows := 2
	if err := d.Fail(n, disk.EIO, 1); err != nil {
		t.Fatal(err)
	}
	_, err := f.move(t, "PASSIVE")
	hits := d.Heal()
	if hits > 0 && err == nil {
		t.Fatalf("call %d failed, and the checkpoint did not", n)
	}
	if closes {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	} else {
		if p, err := f.move(t, "PASSIVE"); err != nil || p.moved != p.length {
			t.Fatalf("%+v, %v", p, err)
		}
		insert(t, f)
		rows++
	}
	after := filepath.Join(t.TempDir(), "after")
	if err := d.Cut(uint64(n), after); err != nil {
		t.Fatal(err)
	}
	g := openT(t, after) // it looks whether the file is damaged
	defer func() { _ = g.Close() }()
	if have := count(t, g.Read); have != rows {
		t.Fatalf("call %d: %d rows of %d", n, have, rows)
	}
	return hits
}

// half makes a table with two rows, of which a checkpoint that a reader cuts short has moved the first.
func half(t *testing.T, f *File) {
	t.Helper()
	exec(t, f.Conn, "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
	insert(t, f)
	reading, err := f.Read.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, reading); n != 1 {
		t.Fatalf("%d rows", n)
	}
	insert(t, f)
	if p, err := f.move(t, "PASSIVE"); err != nil || p.moved == 0 || p.moved == p.length {
		t.Fatalf("%+v, %v: want half a checkpoint", p, err)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, dir string) *disk.Disk {
	t.Helper()
	d, err := disk.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Release)
	return d
}

// TestSyncsOfTheFileKeepFailing: the log grows by what is committed, and little more, somebody hears of it, and nothing is lost.
func TestSyncsOfTheFileKeepFailing(t *testing.T) {
	dir := t.TempDir()
	d := claim(t, dir)
	var heard bytes.Buffer
	f, err := OpenFileWith(filepath.Join(dir, "t.db"), Options{Log: slog.New(slog.NewTextHandler(&heard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // its disk is gone
	half(t, f)
	d.FailSyncs("t.db")
	for range 1000 {
		insert(t, f)
	}
	p, err := f.move(t, "NOOP")
	if err != nil {
		t.Fatal(err)
	}
	if p.length < 8*1000 || p.length > 2*8*1000 {
		t.Errorf("the log is %d pages long after 1,000 commits of 8", p.length)
	}
	if n := strings.Count(heard.String(), "cannot be moved"); n == 0 || n > 20 {
		t.Errorf("told %d times:\n%s", n, heard.String())
	}
	d.Heal()
	for p.moved < p.length {
		insert(t, f)
		if p, err = f.move(t, "NOOP"); err != nil || p.length > 5*8*1000 {
			t.Fatalf("%+v, %v", p, err)
		}
	}
	rows := count(t, f.Read)
	after := filepath.Join(t.TempDir(), "after")
	if err := d.Cut(1, after); err != nil {
		t.Fatal(err)
	}
	g := openT(t, after)
	defer func() { _ = g.Close() }()
	if n := count(t, g.Read); n != rows {
		t.Errorf("%d rows of %d", n, rows)
	}
}

// TestAFileBehindALink has its log beside the file that the link leads to.
func TestAFileBehindALink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, "real.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(elsewhere, "real.db"), filepath.Join(dir, "t.db")); err != nil {
		t.Fatal(err)
	}
	d := claim(t, elsewhere)
	f := openT(t, dir)
	half(t, f)
	if err := d.Fail(1, disk.EIO, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := f.move(t, "PASSIVE"); err == nil {
		t.Fatal("a checkpoint on a dead disk")
	}
	d.Heal()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestALogThatCannotBeMovedIsKept by closing the file: the next process moves it from its beginning.
func TestALogThatCannotBeMovedIsKept(t *testing.T) {
	dir := t.TempDir()
	d := claim(t, dir)
	f := openT(t, dir)
	half(t, f)
	if err := d.Fail(1, disk.EIO, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.move(t, "PASSIVE"); err == nil {
		t.Fatal("a checkpoint on a dead disk")
	}
	if err := f.Close(); err == nil {
		t.Error("the file was closed on a dead disk")
	}
	d.Heal()
	var used *InUseError
	if _, err := OpenFile(filepath.Join(dir, "t.db")); !errors.As(err, &used) {
		t.Errorf("opened again by the process that has the log still: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, "t.db-wal")); err != nil || info.Size() == 0 {
		t.Errorf("the log is gone: %v", err)
	}
	after := filepath.Join(t.TempDir(), "after")
	if err := d.Cut(1, after); err != nil {
		t.Fatal(err)
	}
	g := openT(t, after)
	defer func() { _ = g.Close() }()
	if n := count(t, g.Read); n != 2 {
		t.Errorf("%d rows of 2", n)
	}
}
