package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/backup"
	"kabar/internal/media"
	"kabar/internal/patience"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestABackupComesBack makes a backup of each kind of store and restores it into each.
func TestABackupComesBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		e := newEnv(t, s)
		e.fill(t, "one", "two")
		for _, n := range []int{0, 1, media.ChunkSize, 3*media.ChunkSize + 5} {
			e.medium(t, n)
		}
		dir := e.make(t)
		m, err := backup.Verify(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if m.Rows("message") != 2 || m.Media.Files != 4 || m.Program != "1.2.3" || m.MasterKey != s.Master.ID() {
			t.Errorf("the manifest says %+v", m)
		}
		private(t, dir)
		if found := plain(t, dir, "one", "https://app.example/"); found != "" {
			t.Errorf("%s is not sealed", found)
		}
		s.Close(t)
		want := rows(t, s.Options)
		for _, kind := range []string{"sqlite", "postgres"} {
			t.Run("into "+kind, func(t *testing.T) {
				to, r := e.restore(t, dir, kind)
				if r.Note.Messages != 2 || r.Note.Events != 2 {
					t.Errorf("on their way were %+v", r.Note)
				}
				same(t, rows(t, to.Store), want)
				e.readable(t, to)
			})
		}
		s.Reopen(t)
	})
}

// private checks that nobody else may read a backup.
func private(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// plain returns the name of a file in which one of the words lies open.
func plain(t *testing.T, dir string, words ...string) (found string) {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(dir, "tables", "*"))
	if err != nil || len(tables) < 10 {
		t.Fatalf("tables are %v, %v", tables, err)
	}
	for _, name := range tables {
		for _, w := range words {
			if bytes.Contains(unzip(t, name), []byte(`"`+w+`"`)) {
				found = name
			}
		}
	}
	return found
}

// readable opens a restored store and its media.
func (e *env) readable(t *testing.T, to backup.Target) {
	t.Helper()
	db, err := store.Open(t.Context(), to.Store)
	if err != nil {
		t.Fatal(err)
	}
	files, err := media.Open(filepath.Join(to.Data, "media"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(db.Close(), files.Close()); err != nil {
			t.Error(err)
		}
	}()
	for _, k := range e.keys {
		m, err := db.Medium(t.Context(), k.Number, k.ID)
		if err != nil {
			t.Errorf("medium %d: %v", k.ID, err)
			continue
		}
		r, err := files.OpenReader(m.File, m.Key, m.Size)
		if err != nil {
			t.Errorf("medium %d: %v", k.ID, err)
			continue
		}
		if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, e.files[m.File]) {
			t.Errorf("medium %d has %d bytes, %v", k.ID, len(b), err)
		}
		_ = r.Close()
	}
	if v, _, err := db.State(t.Context(), e.A.ID, mark); err != nil || len(v) == 0 {
		t.Errorf("the driver is not told: %q, %v", v, err)
	}
	if log, err := db.VerifyAudit(t.Context(), "", nil); err != nil || len(log.Faults) > 0 || log.Entries == 0 {
		t.Errorf("the audit log is %+v, %v", log, err)
	}
	if note, err := db.Restored(t.Context()); err != nil || note == nil || !note.At.Equal(to.Now) {
		t.Errorf("the note is %+v, %v", note, err)
	}
}

// TestAnyContentComesBack has random rows, some of them odd.
func TestAnyContentComesBack(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		e, n := newEnv(t, s), 0
		rapid.Check(t, func(r *rapid.T) {
			bodies := rapid.SliceOfN(rapid.String(), 0, 20).Draw(r, "bodies")
			names := rapid.SliceOfNDistinct(rapid.StringMatching(`[^\x00]{0,20}`), 0, 5, rapid.ID[string]).Draw(r, "names")
			values := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), len(names), len(names)).Draw(r, "values")
			e.fill(t, bodies...)
			n++
			e.Write(t, func(tx *store.Tx) error {
				for i, name := range names {
					if err := tx.SetState(e.B, fmt.Sprintf("%d %s", n, name), 0, append(values[i], 0)); err != nil {
						return err
					}
				}
				return nil
			})
			if n%20 != 0 { // a restore is slow: content gathers
				return
			}
			dir := e.make(t)
			s.Close(t)
			want := rows(t, s.Options)
			to, _ := e.restore(t, dir, []string{"sqlite", "postgres"}[n/20%2])
			same(t, rows(t, to.Store), want)
			s.Reopen(t)
		})
	})
}

// TestMediaThatGo deletes media between the snapshot and the copying of their files.
func TestMediaThatGo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		e := newEnv(t, s)
		gone, lost, kept := e.medium(t, 10), e.medium(t, 10), e.medium(t, 10)
		snapshot := func() *store.Snapshot {
			shot, err := s.DB.Snapshot(t.Context(), sessions)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = shot.Close() })
			return shot
		}
		o := backup.Options{Snapshot: snapshot(), Media: e.media, HasFile: s.DB.HasFile, Now: s.Now}
		s.Write(t, func(tx *store.Tx) error { _, err := tx.RemoveMedium(e.A.ID, gone.ID); return err })
		if err := errors.Join(e.media.Remove(gone.File), e.media.Remove(lost.File)); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "b")
		var missing *backup.MissingError
		if _, err := backup.Make(t.Context(), dir, o); !errors.As(err, &missing) || missing.File != lost.File {
			t.Errorf("a backup without a file that is lost: %v", err)
		}
		o.Snapshot, o.SkipMissing = snapshot(), true
		m, err := backup.Make(t.Context(), dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if m.Media.Gone != 1 || m.Media.Files != 1 {
			t.Errorf("the manifest says %+v", m.Media)
		}
		if list := unzip(t, filepath.Join(dir, "media.jsonl.gz")); !bytes.Contains(list, fmt.Appendf(nil, `{"file":%q,"size":0,"gone":true}`, lost.File)) {
			t.Errorf("the list does not name %s: %s", lost.File, list)
		}
		to, _ := e.restore(t, dir, "sqlite")
		db, err := store.Open(t.Context(), to.Store)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for _, m := range []*store.Medium{gone, lost, kept} {
			if has, err := db.HasFile(t.Context(), m.File); err != nil || has != (m == kept) {
				t.Errorf("the restored store has %s: %v, %v", m.File, has, err)
			}
		}
	})
}

// TestABackupIsWhole has a busy store: what the backup has of a conversation is of one moment.
func TestABackupIsWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		e := newEnv(t, s)
		e.fill(t, "begin")
		ctx, cancel := context.WithCancel(t.Context())
		var filled atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ; ctx.Err() == nil; filled.Add(1) {
				e.fill(t, "a", "b", "c")
			}
		}()
		var dirs []string
		for range 3 {
			before := filled.Load()
			patience.Until(t, "more is written", func() bool { return filled.Load() > before })
			dirs = append(dirs, e.make(t))
		}
		cancel()
		patience.Next(t, "the last one is written", done)
		for _, dir := range dirs {
			m, err := backup.Verify(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if jobs := m.Rows("job"); jobs != m.Rows("message") || jobs != m.Rows("event") || m.Rows("driver_state") != 2*m.Rows("endpoint") {
				t.Errorf("the backup has %d messages, %d jobs, %d events", m.Rows("message"), jobs, m.Rows("event"))
			}
			e.restore(t, dir, "sqlite")
		}
	})
}

func TestABackupOverwritesNothing(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		e := newEnv(t, s)
		for _, name := range []string{"b", "b.partial"} {
			parent := t.TempDir()
			if err := os.Mkdir(filepath.Join(parent, name), 0o700); err != nil {
				t.Fatal(err)
			}
			var exists *backup.ExistsError
			if _, err := e.makeIn(t.Context(), filepath.Join(parent, "b")); !errors.As(err, &exists) || filepath.Base(exists.Path) != name {
				t.Errorf("a backup where there is %s: %v", name, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		parent := t.TempDir()
		if _, err := e.makeIn(ctx, filepath.Join(parent, "b")); !errors.Is(err, context.Canceled) {
			t.Errorf("a backup that was called off: %v", err)
		}
		if _, err := e.makeIn(t.Context(), filepath.Join(parent, "no", "b")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a backup into a folder that is not there: %v", err)
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
			t.Errorf("it has left %v, %v", left, err)
		}
	})
}

// TestARestoreIsRefused has every reason not to begin: nothing is written then.
func TestARestoreIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		e := newEnv(t, s)
		e.fill(t, "one")
		dir := e.make(t)
		other := e.target(t, s.Database)
		other.Store.Master = secrets.NewKey()
		early := e.target(t, s.Database)
		early.Now = s.Now.Add(-time.Minute)
		for want, try := range map[string]struct {
			dir string
			to  backup.Target
			is  error
		}{
			"another key":    {dir, other, store.ErrMasterKey},
			"an early clock": {dir, early, store.ErrClock},
			"no backup":      {t.TempDir(), e.target(t, s.Database), fs.ErrNotExist},
		} {
			if _, err := backup.Restore(t.Context(), try.dir, try.to); !errors.Is(err, try.is) {
				t.Errorf("%s: %v", want, err)
			}
			if _, err := os.Stat(try.to.Data); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: something was written: %v", want, err)
			}
		}
		full := e.target(t, s.Database)
		full.Data = dir
		if _, err := backup.Restore(t.Context(), dir, full); err == nil {
			t.Error("restored into a folder with something in it")
		}
		to, _ := e.restore(t, dir, s.Database)
		again := to
		again.Data = filepath.Join(t.TempDir(), "again")
		var notEmpty *store.NotEmptyError
		if _, err := backup.Restore(t.Context(), dir, again); !errors.As(err, &notEmpty) {
			t.Errorf("into a database that is in use: %v", err)
		}
		if got := slices.Sorted(maps.Keys(rows(t, to.Store))); len(got) < 10 {
			t.Errorf("the database that is in use has only %v", got)
		}
	})
}

// TestNothingComesTwice restores the same backup again and again: no life gives out a key or a seq of another.
func TestNothingComesTwice(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		e := newEnv(t, s)
		e.fill(t, "one")
		dir, seen := e.make(t), map[string]bool{}
		use := func(db *store.DB) {
			err := db.Write(t.Context(), nil, func(tx *store.Tx) error {
				for range 3000 {
					key, err := tx.NewKey()
					if err != nil || seen[fmt.Sprint("key", key)] {
						return fmt.Errorf("key %d comes again, or %w", key, err)
					}
					seen[fmt.Sprint("key", key)] = true
				}
				c, err := tx.CreateConversation(e.B, kabar.Customer{WaID: "15"})
				ev := &kabar.Event{Account: e.B.Account, Number: e.B.ID}
				if err == nil {
					ev.Conversation = c.ID
					err = tx.AddEvent(ev)
				}
				if seen[fmt.Sprint("seq", ev.Seq)] {
					return fmt.Errorf("seq %d comes again", ev.Seq)
				}
				seen[fmt.Sprint("seq", ev.Seq)] = true
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		use(s.DB)
		for life := range 4 {
			to := e.target(t, "sqlite")
			to.Now = s.Now.Add(time.Duration(life+1) * time.Second)
			if _, err := backup.Restore(t.Context(), dir, to); err != nil {
				t.Fatal(err)
			}
			db, err := store.Open(t.Context(), to.Store)
			if err != nil {
				t.Fatal(err)
			}
			use(db)
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
