package memory_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"kabar/internal/sqlite"
	"kabar/internal/torture/memory"
)

func open(t *testing.T) (*memory.Disk, *sqlite.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	d, err := memory.New(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := sqlite.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	run(t, f, "CREATE TABLE t (v INTEGER)")
	return d, f
}

func run(t *testing.T, f *sqlite.File, text string) {
	t.Helper()
	if _, err := f.Conn.Exec(text); err != nil {
		t.Fatal(err)
	}
}

// sum is what both the writer and a reader see.
func sum(t *testing.T, f *sqlite.File) (n int) {
	t.Helper()
	var seen int
	const text = "SELECT coalesce(sum(v), 0) FROM t"
	for db, to := range map[*sql.DB]*int{f.Conn: &n, f.Read: &seen} {
		if err := db.QueryRow(text).Scan(to); err != nil {
			t.Fatal(err)
		}
	}
	if n != seen {
		t.Fatalf("the writer sees %d, a reader %d", n, seen)
	}
	return n
}

// TestAnEarlierStateIsFoundByOpenConnections: pages that a connection keeps of what is gone must not be seen again.
func TestAnEarlierStateIsFoundByOpenConnections(t *testing.T) {
	d, f := open(t)
	db, wal := d.Save()
	run(t, f, "INSERT INTO t VALUES (1)")
	oneDB, one := d.Save()
	short := d.Logged()
	run(t, f, "INSERT INTO t VALUES (2)")
	twoDB, two := d.Save()
	if got := sum(t, f); got != 3 {
		t.Fatalf("sum = %d, want 3", got)
	}
	for _, c := range []struct {
		what    string
		db, wal []byte
		want    int
	}{
		{"before both commits", db, wal, 0},
		{"behind both", twoDB, two, 3},
		{"between them", oneDB, one, 1},
		{"with the second cut off", twoDB, two[:short], 1},
		{"with half of the second", twoDB, two[:short+100], 1},
	} {
		if err := d.Load(c.db, c.wal); err != nil {
			t.Fatal(err)
		}
		if got := sum(t, f); got != c.want {
			t.Errorf("%s: sum = %d, want %d", c.what, got, c.want)
		}
		run(t, f, "INSERT INTO t VALUES (10)") // it can be written, too
		if got := sum(t, f); got != c.want+10 {
			t.Errorf("%s: sum after a commit = %d, want %d", c.what, got, c.want+10)
		}
	}
}

func TestNothingIsLoadedBelowATransaction(t *testing.T) {
	d, f := open(t)
	db, wal := d.Save()
	tx, err := f.Conn.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Load(db, wal); err == nil {
		t.Error("the ground was pulled away under a transaction")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

// TestAReaderKeepsItsSnapshot: locks and shared memory work as they do between processes.
func TestAReaderKeepsItsSnapshot(t *testing.T) {
	_, f := open(t)
	run(t, f, "INSERT INTO t VALUES (1)")
	tx, err := f.Read.Begin()
	if err != nil {
		t.Fatal(err)
	}
	see := func() (n int) {
		if err := tx.QueryRow("SELECT sum(v) FROM t").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := see(); got != 1 {
		t.Fatalf("sum = %d, want 1", got)
	}
	run(t, f, "INSERT INTO t VALUES (2)")
	run(t, f, "PRAGMA wal_checkpoint(PASSIVE)")
	if got := see(); got != 1 {
		t.Errorf("within its transaction a reader sees %d, want 1", got)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := sum(t, f); got != 3 {
		t.Errorf("sum = %d, want 3", got)
	}
}

// TestOthersFilesAreLeftAlone: the VFS is the whole process's.
func TestOthersFilesAreLeftAlone(t *testing.T) {
	open(t)
	f, err := sqlite.OpenFile(filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, f, "CREATE TABLE t (v INTEGER)")
	run(t, f, "INSERT INTO t VALUES (5)")
	if got := sum(t, f); got != 5 {
		t.Errorf("sum = %d, want 5", got)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
