package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

const driverMark = "mark"

// rowsOf returns the rows of every table of a snapshot, in one spelling and sorted.
func rowsOf(t *testing.T, s *store.Snapshot) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range s.Tables {
		rows := []string{}
		if err := s.Rows(t.Context(), table, func(row []any) error {
			rows = append(rows, fmt.Sprintf("%q", row))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Count(t.Context(), table); err != nil || n != int64(len(rows)) {
			t.Errorf("%s: counted %d rows and read %d, %v", table.Name, n, len(rows), err)
		}
		slices.Sort(rows)
		all[table.Name] = rows
	}
	return all
}

// move loads a snapshot into a new store.
func move(t *testing.T, from *store.Snapshot, to store.Options) *store.Loader {
	t.Helper()
	l, err := store.NewLoader(t.Context(), to, from.Schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range from.Tables {
		var rows [][]any
		if err := from.Rows(t.Context(), table, func(row []any) error { rows = append(rows, slices.Clone(row)); return nil }); err != nil {
			t.Fatal(err)
		}
		for part := range slices.Chunk(rows, 3) {
			if err := l.Insert(t.Context(), table, part); err != nil {
				t.Fatal(err)
			}
		}
	}
	return l
}

// TestAStoreMovesToAnother moves a store that has one of everything to each kind of database and compares row by row.
func TestAStoreMovesToAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		all := append(nouns(t, s, s.A, "aaaa-secret"), nouns(t, s, s.B, "bbbb-secret")...)
		for _, n := range all {
			s.Write(t, n.add)
		}
		for _, to := range []string{"sqlite", "postgres"} {
			t.Run(to, func(t *testing.T) { moved(t, s, all, storetest.Open(t, to).Fresh(t)) })
		}
	})
}

func moved(t *testing.T, s *storetest.Env, all []*noun, to store.Options) {
	to.Master = s.Master
	from, err := s.DB.Snapshot(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := from.Close(); err != nil {
			t.Error(err)
		}
	}()
	want := rowsOf(t, from)
	l := move(t, from, to)
	note := &store.Restored{At: s.Now.Add(time.Hour), Backup: s.Now}
	if err := errors.Join(l.Finish(t.Context(), note, driverMark), l.Close()); err != nil {
		t.Fatal(err)
	}
	after, err := store.OpenSnapshot(t.Context(), to, driverMark)
	if err != nil {
		t.Fatal(err)
	}
	got := rowsOf(t, after)
	if err := after.Close(); err != nil {
		t.Fatal(err)
	}
	for table, rows := range want {
		if table == "counter" {
			continue
		}
		if table == "meta" { // plus the note
			got[table] = slices.DeleteFunc(got[table], func(r string) bool { return !slices.Contains(rows, r) })
		}
		if !slices.Equal(got[table], rows) {
			t.Errorf("%s:\n got %s\nwant %s", table, got[table], rows)
		}
	}
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Errorf("the tables are %v", slices.Sorted(maps.Keys(got)))
	}
	was, options := s.DB, s.Options
	defer func() { s.DB, s.Options = was, options }()
	if s.DB, err = store.Open(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	defer s.Close(t)
	s.Options = to
	checkAll(t, s, all, "in the new store")
	leapt(t, s, was, note)
}

// leapt checks that the new store gives out nothing that the old one has given out since.
func leapt(t *testing.T, s *storetest.Env, old *store.DB, note *store.Restored) {
	t.Helper()
	if got, err := s.DB.Restored(t.Context()); err != nil || *got != *note {
		t.Errorf("the note is %+v, %v, want %+v", got, err, note)
	}
	for _, n := range []*kabar.Number{s.A, s.B} {
		if mark, _, err := s.DB.State(t.Context(), n.ID, driverMark); err != nil || len(mark) == 0 {
			t.Errorf("the driver of %s is not told: %q, %v", n.Digits, mark, err)
		}
		before, err := old.LastSeq(t.Context(), n.ID)
		if err != nil {
			t.Fatal(err)
		}
		key, seq := produce(t, s.DB, n)
		oldKey, oldSeq := produce(t, old, n)
		if key < note.Before || key < oldKey+1<<31 || seq < oldSeq+1<<31 {
			t.Errorf("the new store goes on with key %d and seq %d, the old one with %d and %d", key, seq, oldKey, oldSeq)
		}
		if behind, err := s.DB.Behind(t.Context(), n.ID, before); behind != 1 || err != nil {
			t.Errorf("behind by %d events, %v; want 1", behind, err)
		}
		if behind, err := s.DB.Behind(t.Context(), n.ID, seq); behind != 0 || err != nil {
			t.Errorf("behind by %d events, %v; want 0", behind, err)
		}
		events, err := s.DB.Events(t.Context(), n.ID, before, 10)
		if err != nil || len(events) != 1 || events[0].Seq != seq {
			t.Errorf("the log goes on with %v, %v", events, err)
		}
	}
}

// produce stores a message with an event and returns the key and the seq they got.
func produce(t *testing.T, db *store.DB, n *kabar.Number) (key, seq int64) {
	t.Helper()
	err := db.Write(context.WithoutCancel(t.Context()), nil, func(tx *store.Tx) error {
		c, err := tx.CreateConversation(n, kabar.Customer{WaID: fmt.Sprint("49", time.Now().UnixNano())})
		if err != nil {
			return err
		}
		m := &kabar.Message{Direction: kabar.Outbound, Content: &kabar.Text{Body: "x"}}
		if err := tx.AppendMessage(c, m); err != nil {
			return err
		}
		e := &kabar.Event{Account: n.Account, Number: n.ID, Conversation: c.ID, Kind: kabar.EventStatus, Message: m.ID}
		key = int64(m.ID)
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		seq = e.Seq
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return key, seq
}

// TestASnapshotHasEveryTable compares what the database says of its tables with how the store describes them.
func TestASnapshotHasEveryTable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		from, err := s.DB.Snapshot(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = from.Close() }()
		want := store.Described()
		if len(from.Tables) != len(want) {
			t.Errorf("the snapshot has %d tables, the store describes %d", len(from.Tables), len(want))
		}
		for _, table := range from.Tables {
			cols := slices.SortedFunc(slices.Values(table.Columns), byName)
			if !slices.Equal(cols, slices.SortedFunc(slices.Values(want[table.Name]), byName)) {
				t.Errorf("%s: the database says %v, the store %v", table.Name, table.Columns, want[table.Name])
			}
		}
	})
}

func byName(a, b store.Column) int {
	if a.Name < b.Name {
		return -1
	}
	return 1
}

// TestASnapshotStandsStill writes while a snapshot is read, and leaves out the sessions.
func TestASnapshotStandsStill(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error {
			return errors.Join(tx.SetState(s.A, "peer/1", 0, []byte("x")), tx.SetState(s.A, "Peer", 0, []byte("x")), tx.SetState(s.A, "device", 0, []byte("x")))
		})
		from, err := s.DB.Snapshot(t.Context(), "peer/")
		if err != nil {
			t.Fatal(err)
		}
		want := rowsOf(t, from)
		produce(t, s.DB, s.A)
		s.Write(t, func(tx *store.Tx) error { return tx.SetState(s.A, "later", 0, []byte("x")) })
		got := rowsOf(t, from)
		if !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("the snapshot has changed")
		}
		if n := len(want["driver_state"]); n != 2 {
			t.Errorf("the snapshot has %d entries of drivers, want device and Peer: %s", n, want["driver_state"])
		}
		if err := errors.Join(from.End(), from.End(), from.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestAnUnfinishedRestoreIsRefused breaks off a restore at every stage.
func TestAnUnfinishedRestoreIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		from, err := s.DB.Snapshot(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = from.Close() }()
		late := &store.Restored{At: s.Now.Add(-time.Second), Backup: s.Now}
		for stage, more := range map[string]func(*store.Loader) error{
			"loaded": func(*store.Loader) error { return nil },
			"opened": func(l *store.Loader) error { return l.Open(t.Context()) },
			"an impossible time": func(l *store.Loader) error {
				if err := l.Finish(t.Context(), late, driverMark); !errors.Is(err, store.ErrClock) {
					t.Errorf("Finish before the backup was made = %v", err)
				}
				return nil
			},
		} {
			to := s.Fresh(t)
			l := move(t, from, to)
			if err := errors.Join(more(l), l.Close()); err != nil {
				t.Fatalf("%s: %v", stage, err)
			}
			_, err := store.Open(t.Context(), to)
			_, plan := store.Plan(t.Context(), to)
			_, again := store.NewLoader(t.Context(), to, from.Schema)
			for what, err := range map[string]error{"Open": err, "Plan": plan, "Migrate": store.Migrate(t.Context(), to, nil), "NewLoader": again} {
				if _, ok := errors.AsType[*store.RestoringError](err); !ok {
					t.Errorf("%s: %s = %v, want a RestoringError", stage, what, err)
				}
			}
		}
	})
}

func TestALoaderIsCareful(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Close(t)
		var full *store.NotEmptyError
		if _, err := store.NewLoader(t.Context(), s.Options, 1); !errors.As(err, &full) {
			t.Errorf("a loader into a store that is in use: %v", err)
		}
		s.Reopen(t)
		var newer *store.NewerError
		if _, err := store.NewLoader(t.Context(), s.Fresh(t), 1000); !errors.As(err, &newer) {
			t.Errorf("a loader of schema 1000: %v", err)
		}
		l, err := store.NewLoader(t.Context(), s.Fresh(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []store.Table{{Name: "meta; DROP TABLE meta"}, {Name: "meta"}, {Name: "meta", Columns: []store.Column{{Name: "name) VALUES (1); --", Kind: "text"}}},
			{Name: "meta", Columns: []store.Column{{Name: "name", Kind: "text[]"}}}, {Name: "meta", Columns: []store.Column{{Name: "name", Kind: "text"}, {Name: "name", Kind: "text"}}}} {
			if err := l.Insert(t.Context(), bad, [][]any{{"x"}}); err == nil {
				t.Errorf("%+v was taken for a table", bad)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestNoCounterComesBack plays lives of a store: each begins with a backup of any earlier one, at a later time, and gives
// out numbers at the pace of a busy server. No number is given out twice.
func TestNoCounterComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type span struct{ from, to int64 }
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		backups, used := []int64{1}, []span{}
		for range rapid.IntRange(1, 20).Draw(t, "lives") {
			next := rapid.SampledFrom(backups).Draw(t, "backup")
			if len(used) > 0 {
				var err error
				if next, err = store.Leapt(next, now); err != nil {
					t.Fatal(err)
				}
			}
			lasts := rapid.IntRange(1, 3e7).Draw(t, "seconds")
			from := next
			for range rapid.IntRange(0, 3).Draw(t, "backups") {
				next += int64(rapid.IntRange(0, lasts*20_000).Draw(t, "numbers"))
				backups = append(backups, next)
			}
			now = now.Add(time.Duration(lasts) * time.Second)
			for _, u := range used {
				if from < u.to && u.from < next {
					t.Fatalf("a life uses %d to %d, another had used %d to %d", from, next, u.from, u.to)
				}
			}
			used = append(used, span{from, next})
			if next >= 1<<53 {
				t.Fatalf("the numbers have come to %d", next)
			}
		}
	})
}

// TestAnOlderStoreMoves takes a snapshot of a store that has migrations to come, without its key, and loads it: it comes up
// to date. A store that is half way between two schemas is refused.
func TestAnOlderStoreMoves(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		o := schema1(t, s)
		locked := o
		locked.Master = s.Master
		from, err := store.OpenSnapshot(t.Context(), locked, "peer/")
		if err != nil {
			t.Fatal(err)
		}
		if from.Schema != 1 {
			t.Errorf("the snapshot has schema %d", from.Schema)
		}
		want := rowsOf(t, from)
		to := s.Fresh(t)
		to.Master = o.Master
		l := move(t, from, to)
		note := &store.Restored{At: time.Now().Add(time.Hour), Backup: time.Now()}
		if err := errors.Join(l.Finish(t.Context(), note, driverMark), l.Close(), from.Close()); err != nil {
			t.Fatal(err)
		}
		o2 := to
		o2.NoMigrate = true
		db, err := store.Open(t.Context(), o2)
		if err != nil {
			t.Fatal(err)
		}
		numbers, err := db.Numbers(t.Context())
		if err := errors.Join(err, db.Close()); err != nil || len(numbers) != len(want["number"]) {
			t.Errorf("the store of today has %d numbers of %d, %v", len(numbers), len(want["number"]), err)
		}
		wrong := s.Fresh(t)
		wrong.Master = s.Master
		if from, err = store.OpenSnapshot(t.Context(), o, ""); err != nil {
			t.Fatal(err)
		}
		l = move(t, from, wrong)
		if err := l.Open(t.Context()); !errors.Is(err, store.ErrMasterKey) {
			t.Errorf("with another key: %v", err)
		}
		if err := errors.Join(l.Close(), from.Close()); err != nil {
			t.Error(err)
		}
	})
}

func TestASnapshotOfHalfAMigrationIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		if err := s.Exec(t, "INSERT INTO meta (name, value) VALUES ('migration', $1)", []byte("1")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB.Snapshot(t.Context(), ""); err == nil {
			t.Error("a snapshot between two schemas")
		}
	})
}
