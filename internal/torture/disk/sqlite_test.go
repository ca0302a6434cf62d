//go:build unix

package disk_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	driver "modernc.org/sqlite"
	sqlite "modernc.org/sqlite/lib"

	"kabar/internal/torture/disk"
)

// base is a folder with a database that has an empty table.
func base(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	db := open(t, dir, "FULL")
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// open opens a database in WAL mode with several connections and a WAL so short that checkpoints are frequent.
func open(t *testing.T, dir, synchronous string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "t.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous("+synchronous+
		")&_pragma=busy_timeout(5000)&_pragma=wal_autocheckpoint(20)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(3)
	return db
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

// commits writes rows until the power goes, and returns how many were acknowledged.
func commits(t *testing.T, db *sql.DB, d *disk.Disk, luck *rand.Rand) (acked int) {
	t.Helper()
	for id := 1; id < 1000; id++ {
		body := make([]byte, 100+luck.IntN(6000))
		copy(body, fmt.Sprint(id))
		_, err := db.Exec("INSERT INTO t VALUES (?, ?)", id, body)
		select {
		case <-d.Down():
			if err == nil {
				acked++
			}
			return acked
		default:
		}
		if err != nil {
			t.Fatalf("commit %d: %v", id, err)
		}
		acked++
		var n int
		if err := db.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil && n != acked {
			t.Fatalf("%d rows of %d: %v", n, acked, err)
		}
	}
	t.Fatal("the power never went")
	return 0
}

// outcome of some power cuts.
type outcome struct{ acked, lost, corrupt int }

func cuts(t *testing.T, rounds int, synchronous string, lies bool) (o outcome) {
	t.Helper()
	template := base(t)
	for seed := range uint64(rounds) {
		luck := rand.New(rand.NewPCG(seed, 1))
		before, after := clone(t, template), filepath.Join(t.TempDir(), "after")
		d := claim(t, before)
		d.Lie(lies)
		d.CutAt(1 + luck.Int64N(600))
		db := open(t, before, synchronous)
		acked := commits(t, db, d, luck)
		db.Close()
		if err := d.Cut(seed, after); err != nil {
			t.Fatal(err)
		}
		o.acked += acked
		survived, err := check(t, after)
		switch {
		case err != nil:
			o.corrupt++
		case survived < acked:
			o.lost += acked - survived
		case survived > acked+1:
			t.Errorf("seed %d: %d rows of %d", seed, survived, acked+1)
		}
	}
	t.Logf("synchronous=%s, lies=%v, %d rounds: %+v", synchronous, lies, rounds, o)
	return o
}

func check(t *testing.T, dir string) (rows int, err error) {
	t.Helper()
	db := open(t, dir, "FULL")
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		return 0, errors.Join(errors.New(verdict), err)
	}
	return rows, db.QueryRow("SELECT count(*) FROM t").Scan(&rows)
}

func TestWhatIsCommittedSurvives(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 50
	}
	if o := cuts(t, rounds, "FULL", false); o.acked == 0 || o.lost > 0 || o.corrupt > 0 {
		t.Errorf("%+v", o)
	}
}

// TestTheCutsBite: without its syncs SQLite loses commits, and on a disk that only says that it syncs its file is damaged, too.
func TestTheCutsBite(t *testing.T) {
	if o := cuts(t, 40, "NORMAL", false); o.lost == 0 || o.corrupt > 0 {
		t.Errorf("synchronous=NORMAL: %+v", o)
	}
	if o := cuts(t, 40, "FULL", true); o.lost == 0 || o.corrupt == 0 {
		t.Errorf("a disk that lies: %+v", o)
	}
}

// TestEveryCallFails: whichever call fails, in whichever way, no commit is acknowledged that is not there, the file is never
// damaged, and when the fault has gone the same connections go on.
func TestEveryCallFails(t *testing.T) {
	template, every := base(t), int64(1)
	if testing.Short() {
		every = 3
	}
	for _, kind := range disk.Kinds() {
		for _, times := range []int64{1, 0} {
			codes := map[string]int{}
			for n := int64(1); ; n += every {
				if failing(t, template, n, kind, times, codes) == 0 {
					t.Logf("%s, %d times: %d calls, %v", kind, times, n-1, codes)
					break
				}
			}
			want := map[disk.Kind]int{disk.EIO: sqlite.SQLITE_IOERR_WRITE, disk.ENOSPC: sqlite.SQLITE_FULL, disk.Short: sqlite.SQLITE_FULL}[kind]
			if codes[fmt.Sprint(want)] == 0 {
				t.Errorf("%s: no error %d in %v", kind, want, codes)
			}
			if kind == disk.EIO && codes[fmt.Sprint(sqlite.SQLITE_IOERR_FSYNC)] == 0 {
				t.Errorf("no fsync failed in %v", codes)
			}
		}
	}
}

// failing makes a few commits of which the n-th call fails, and returns how many calls have.
func failing(t *testing.T, template string, n int64, kind disk.Kind, times int64, codes map[string]int) int64 {
	t.Helper()
	dir := clone(t, template)
	d := claim(t, dir)
	defer d.Release()
	if err := d.Fail(n, kind, times); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir, "FULL")
	defer db.Close()
	acked := 0
	insert := func() error {
		_, err := db.Exec("INSERT INTO t (body) VALUES (randomblob(9000))")
		if err == nil {
			acked++
		}
		return err
	}
	for range 10 {
		var e *driver.Error
		if err := insert(); errors.As(err, &e) {
			codes[fmt.Sprint(e.Code())]++
		} else if err != nil {
			t.Fatalf("call %d, %s: %v", n, kind, err)
		}
	}
	hits := d.Heal()
	if err := insert(); err != nil {
		t.Fatalf("call %d, %s: after the fault: %v", n, kind, err)
	}
	db.Close()
	d.Release()
	if rows, err := check(t, dir); err != nil || rows != acked {
		t.Fatalf("call %d, %s: %d rows of %d, %v", n, kind, rows, acked, err)
	}
	return hits
}

func TestOneDiskAFolder(t *testing.T) {
	dir := t.TempDir()
	d := claim(t, dir)
	if _, err := disk.Claim(dir); err == nil || !strings.Contains(err.Error(), "claimed already") {
		t.Errorf("a second claim: %v", err)
	}
	if _, err := disk.Claim(filepath.Join(dir, "missing")); err == nil {
		t.Error("a missing folder was claimed")
	}
	d.Release()
	claim(t, dir)
}
