package sqlite

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// manyHandles makes a table as the store has one: its index is written to at random, and its pages are split. It returns what is in it.
func manyHandles(t *testing.T, f *File, n int) (all []string) {
	t.Helper()
	exec(t, f.Conn, "CREATE TABLE handle (number_id BIGINT NOT NULL, handle TEXT NOT NULL, other BIGINT NOT NULL, PRIMARY KEY (number_id, handle))")
	exec(t, f.Conn, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO handle SELECT 1, '62812' || printf('%09d', (i * 618033989) % 1000000007), i FROM n`, n)
	rows, err := f.Read.QueryContext(t.Context(), "SELECT handle FROM handle ORDER BY other")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	for rows.Next() {
		var h string
		if err := rows.Scan(&h); err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	if err := rows.Err(); err != nil || len(all) != n {
		t.Fatalf("%d rows: %v", len(all), err)
	}
	return all
}

func exec(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
}

// left returns those of the handles that the files hold.
func left(t *testing.T, path string, needles [][]byte) (found [][]byte) {
	t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		there := map[string]bool{}
		for at := 0; at+14 <= len(b); at++ { // of so many a search for each takes half a minute
			if bytes.HasPrefix(b[at:], []byte("62812")) {
				there[string(b[at:at+14])] = true
			}
		}
		for _, needle := range needles {
			if there[string(needle)] {
				found = append(found, needle)
			}
		}
	}
	return found
}

// What is deleted stays in the space between the rows of pages that were split, and in the log. Scrub leaves none, and every other row.
func TestScrubLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kabar.db")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // the test has looked
	all := manyHandles(t, f, 20_000)
	var gone [][]byte
	for _, h := range all[:10_000] {
		gone = append(gone, []byte(h))
	}
	exec(t, f.Conn, "DELETE FROM handle WHERE other <= ?", len(gone))
	if err := cut(t.Context(), f.Conn); err != nil {
		t.Fatal(err)
	}
	ghosts := left(t, path, gone)
	if len(ghosts) == 0 {
		t.Fatal("secure_delete alone has left nothing: this test misses its mark")
	}
	t.Logf("secure_delete alone leaves %d of %d", len(ghosts), len(gone))
	if err := Scrub(t.Context(), f.Conn, f.Read, ghosts); err != nil {
		t.Fatal(err)
	}
	if n := len(left(t, path, ghosts)); n != 0 {
		t.Errorf("%d of the deleted are still in the files", n)
	}
	var rows int
	if err := f.Read.QueryRow("SELECT count(*) FROM handle").Scan(&rows); err != nil || rows != len(all)-len(gone) {
		t.Errorf("%d rows, want %d: %v", rows, len(all)-len(gone), err)
	}
	var verdict string
	if err := f.Read.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the file is %s, %v", verdict, err)
	}
}

// A reader of an older state keeps the log; when it has ended, the next try succeeds. What is in a row stays.
func TestScrubWaitsForReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kabar.db")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // the test has looked
	manyHandles(t, f, 10)
	reader, err := f.Read.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reader.QueryRow("SELECT count(*) FROM handle").Scan(&n); err != nil {
		t.Fatal(err)
	}
	exec(t, f.Conn, "INSERT INTO handle VALUES (1, '4915123456789', 1)")
	if err := Scrub(t.Context(), f.Conn, f.Read, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("while somebody reads: %v", err)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := Scrub(t.Context(), f.Conn, f.Read, [][]byte{[]byte("4915123456789"), nil}); err != nil {
		t.Fatal(err)
	}
	if err := f.Read.QueryRow("SELECT count(*) FROM handle").Scan(&n); err != nil || n != 11 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// Pages that are no b-tree's are left alone.
func TestBetween(t *testing.T) {
	leaf := make([]byte, 64)
	copy(leaf, []byte{13, 0, 0, 0, 1, 0, 48, 0, 0, 48})
	for name, tt := range map[string]struct {
		page     []byte
		first    bool
		from, to int
	}{
		"a leaf":            {leaf, false, 10, 48},
		"the first page":    {append(make([]byte, 100), leaf...), true, 0, 0}, // its rows stand beyond the offsets that leaf has
		"an overflow page":  {append([]byte{13, 0, 0, 0, 9, 0, 40}, bytes.Repeat([]byte("text"), 20)...), false, 0, 0},
		"another":           {make([]byte, 64), false, 0, 0},
		"too short":         {[]byte{13}, false, 0, 0},
		"beyond the page":   {append([]byte{10, 0, 0, 0, 0, 1, 0}, make([]byte, 20)...), false, 0, 0},
		"more than its end": {append([]byte{5, 0, 0, 255, 255, 0, 20}, make([]byte, 40)...), false, 0, 0},
	} {
		if from, to := between(tt.page, tt.first); from != tt.from || to != tt.to {
			t.Errorf("%s: %d to %d, want %d to %d", name, from, to, tt.from, tt.to)
		}
	}
}
