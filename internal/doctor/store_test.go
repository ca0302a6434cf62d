package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"kabar/internal/doctor"
	"kabar/internal/secrets"
	"kabar/internal/sqlite"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func TestUnopened(t *testing.T) {
	for name, c := range map[string]struct {
		err         error
		detail, fix string
	}{
		"in use":       {&sqlite.InUseError{Path: "kabar.db.lock", Owner: "process 7"}, "process 7", "stop"},
		"in use there": {&store.InUseError{Owner: "process 8"}, "process 8", "stop"},
		"old":          {&store.PendingError{Schema: store.Schema{Have: 1, Want: 2}}, "schema 1, this program needs 2", "kabar migrate"},
		"new":          {&store.NewerError{Schema: store.Schema{Have: 3, Want: 2}}, "schema 3", "kabar restore"},
		"key":          {&store.MasterKeyError{Need: "a", Given: "b"}, "master key", "--master-key-file"},
		"missing":      {fmt.Errorf("open: %w", fs.ErrNotExist), "there is none", "--data"},
		"silent":       {context.DeadlineExceeded, "does not answer", "pg_isready"},
		"other":        {errors.New("disk I/O error"), "disk I/O error", "kabar status"},
	} {
		want(t, name, doctor.Unopened(c.err), doctor.Fail, c.detail, c.fix)
	}
}

func TestStore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		version := map[string]string{"sqlite": "SQLite 3", "postgres": "PostgreSQL"}[s.Database]
		r := run(t, doctor.Store(s.DB))
		if r.Level == doctor.Warn { // a busy machine
			t.Logf("%+v", r)
			r.Level, r.Fix = doctor.OK, ""
		}
		want(t, "open", r, doctor.OK, version, "")
		o := s.Options
		_, err := store.Open(t.Context(), o)
		want(t, "in use", doctor.Unopened(err), doctor.Fail, "in use by", "stop")
		s.Close(t)
		o.Master = secrets.NewKey()
		_, err = store.Open(t.Context(), o)
		want(t, "another key", doctor.Unopened(err), doctor.Fail, "master key", "--master-key-file")
		s.Reopen(t)
	})
}

// fake is a store that is not well.
type fake struct {
	about, probe error
	took         time.Duration
	waiting      int
}

func (f fake) About(context.Context) (store.About, error) {
	return store.About{Version: "DB 1"}, f.about
}
func (f fake) Probe(context.Context, time.Time) error { time.Sleep(f.took); return f.probe }
func (f fake) Waiting() (n, limit int)                { return f.waiting, 4096 }

func TestAStoreThatIsNotWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where a commit takes what it is said to take
		down := &store.UnavailableError{Err: errors.New("down")}
		want(t, "well", run(t, doctor.Store(fake{})), doctor.OK, "DB 1, a commit takes 0 ms", "")
		want(t, "down", run(t, doctor.Store(fake{about: down})), doctor.Fail, "down", "pg_isready")
		want(t, "full", run(t, doctor.Store(fake{probe: down})), doctor.Fail, "nothing can be written", "disk")
		want(t, "slow", run(t, doctor.Store(fake{took: 260 * time.Millisecond})), doctor.Warn, "a commit takes 260 ms", "iostat")
		want(t, "behind", run(t, doctor.Store(fake{waiting: 3000})), doctor.Warn, "3000 of 4096", "iostat")
	})
}

func TestLink(t *testing.T) {
	now := time.Date(2026, 7, 10, 12, 0, 0, 0, time.UTC)
	want(t, "up", run(t, doctor.Link("network", true, now.Add(-time.Hour), now, "")), doctor.OK, "60 minutes", "")
	want(t, "connecting", run(t, doctor.Link("network", false, now.Add(-59*time.Second), now, "")), doctor.Warn, "59 seconds", "wait")
	want(t, "waiting for a code", run(t, doctor.Link("network", false, now, now, "bring the code")), doctor.Fail, "does not admit", "bring the code")
	want(t, "down", run(t, doctor.Link("network", false, now.Add(-time.Hour), now, "")), doctor.Fail, "60 minutes", "kabar relay accounts")
}
