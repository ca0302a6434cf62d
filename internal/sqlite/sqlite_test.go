package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kabar/internal/sqlite"
)

var schema = []sqlite.Migration{{Purpose: "a table", SQL: "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT NOT NULL UNIQUE)"}}

func open(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestAFailingOperationLeavesNoTraceAndHurtsNobody(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	boom := errors.New("boom")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := db.Do(t.Context(), func(tx *sql.Tx) error {
				if _, err := tx.Exec("INSERT INTO t VALUES (?, ?)", i, "v"+string(rune('A'+i))); err != nil {
					return err
				}
				if i%2 == 1 {
					return boom
				}
				return nil
			})
			if want := i%2 == 1; errors.Is(err, boom) != want {
				t.Errorf("operation %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	var n, odd int
	if err := db.Read.QueryRow("SELECT count(*), coalesce(sum(k % 2), 0) FROM t").Scan(&n, &odd); err != nil {
		t.Fatal(err)
	}
	if n != 25 || odd != 0 {
		t.Fatalf("%d rows, %d of failed operations; want 25 and 0", n, odd)
	}
}

func TestASecondOpenNamesTheOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	open(t, path)
	_, err := sqlite.Open(path)
	var inUse *sqlite.InUseError
	if !errors.As(err, &inUse) || !strings.Contains(err.Error(), "process ") {
		t.Fatalf("second Open = %v, want an InUseError that names the process", err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	if _, err := db.Read.Exec("INSERT INTO t VALUES (1, 'x')"); err == nil {
		t.Fatal("a write through the read pool went through")
	}
}

func TestANewerFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, path)
	if err := db.Migrate(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Fatalf("Migrate to an older list = %v", err)
	}
}

func TestADamagedFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, path)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(raw[4096:], strings.Repeat("\xff", 4096))
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path); err == nil {
		t.Fatal("a damaged file was opened")
	}
}

func TestPragmas(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a b?c.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "1"} {
		var got string
		if err := db.Conn.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q (%v), want %q", pragma, got, err, want)
		}
	}
}
