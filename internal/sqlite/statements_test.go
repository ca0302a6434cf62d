package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"kabar/internal/sqlite"
)

func openAt(tb testing.TB) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(filepath.Join(tb.TempDir(), "x.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	if _, err := db.Conn.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"); err != nil {
		tb.Fatal(err)
	}
	return db
}

// TestValues has the arguments of a statement handed over as one.
func TestValues(t *testing.T) {
	db := openAt(t)
	const insert = "INSERT INTO t VALUES (?, ?), (?, ?)"
	for i := range int64(3) { // the same list serves one statement after another
		if _, err := db.Conn.Exec(insert, sqlite.Values{2 * i, "even", 2*i + 1, "odd"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Conn.Exec("DELETE FROM t WHERE id = ?", sqlite.Values{int64(5)}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Conn.Exec(insert, sqlite.Values{int64(9), "too few"}); err == nil {
		t.Error("two arguments of four were enough")
	}
	var found string
	if err := db.Conn.QueryRow("SELECT group_concat(id || v, ' ') FROM (SELECT * FROM t ORDER BY id)").Scan(&found); err != nil || found != "0even 1odd 2even 3odd 4even" {
		t.Errorf("%q, %v", found, err)
	}
}

// TestTheSameTextRunsWithinItself has a statement run while its rows are still read.
func TestTheSameTextRunsWithinItself(t *testing.T) {
	db := openAt(t)
	const insert, pick = "INSERT INTO t VALUES (?, ?)", "SELECT id FROM t WHERE id >= ? ORDER BY id"
	for i := range 3 {
		if err := db.Do(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(insert, i, "v"); return err }); err != nil {
			t.Fatal(err)
		}
	}
	var ids []int
	var read func(tx *sql.Tx, from int) error
	read = func(tx *sql.Tx, from int) error {
		rows, err := tx.Query(pick, from)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id int
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
			if err := read(tx, id+1); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	for range 2 {
		ids = nil
		if err := db.Do(t.Context(), func(tx *sql.Tx) error { return read(tx, 0) }); err != nil {
			t.Fatal(err)
		}
		if want := "[0 1 2 2 1 2 2]"; fmt.Sprint(ids) != want {
			t.Errorf("read %v, want %s", ids, want)
		}
	}
}

// TestAKeptStatementSeesTheSchemaAsItIs changes a table between two runs of one text, and fails a text before it succeeds.
func TestAKeptStatementSeesTheSchemaAsItIs(t *testing.T) {
	db := openAt(t)
	const text = "INSERT INTO t SELECT 1, 'x'"
	run := func() error {
		return db.Do(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(text); return err })
	}
	count := func() (n int) {
		if err := db.Read.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := run(); err != nil {
		t.Fatal(err)
	}
	if err := run(); err == nil {
		t.Fatal("the same key was stored twice")
	}
	for _, change := range []string{"DROP TABLE t", "CREATE TABLE t (id INTEGER, v TEXT)"} {
		if _, err := db.Conn.Exec(change); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := run(); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

// TestAPragmaIsNotKept: one that is prepared has taken effect already.
func TestAPragmaIsNotKept(t *testing.T) {
	db := openAt(t)
	for _, want := range []int{3, 5, 3} {
		if _, err := db.Conn.Exec(fmt.Sprintf("PRAGMA user_version = %d", want)); err != nil {
			t.Fatal(err)
		}
		var got int
		if err := db.Conn.QueryRow("PRAGMA user_version").Scan(&got); err != nil || got != want {
			t.Errorf("user_version = %d, %v; want %d", got, err, want)
		}
	}
}

// TestManyTextsAreNotAllKept runs more texts than a connection keeps.
func TestManyTextsAreNotAllKept(t *testing.T) {
	db := openAt(t)
	for range 2 {
		for i := range 300 {
			var got int
			if err := db.Conn.QueryRow(fmt.Sprintf("SELECT %d", i)).Scan(&got); err != nil || got != i {
				t.Fatalf("SELECT %d = %d, %v", i, got, err)
			}
		}
	}
}

// BenchmarkPointQuery is one row by its key, over the pool of readers.
func BenchmarkPointQuery(b *testing.B) {
	db := openAt(b)
	if _, err := db.Conn.Exec("INSERT INTO t VALUES (1, 'some text')"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var v string
		if err := db.Read.QueryRow("SELECT v FROM t WHERE id = ?", 1).Scan(&v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBatch is a batch of 16 small operations; the disk's sync is in it.
func BenchmarkBatch(b *testing.B) {
	db := openAt(b)
	var id int
	b.ReportAllocs()
	for b.Loop() {
		var wg sync.WaitGroup
		for range 16 {
			id++
			row := id
			wg.Go(func() {
				if err := db.Do(b.Context(), func(tx *sql.Tx) error { _, err := tx.Exec("INSERT INTO t VALUES (?, 'v')", row); return err }); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
}
