package store_test

import (
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"testing"

	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestAKilledMigrationGoesOnAtTheNextStatement kills the process that migrates a store of schema 1 at every statement.
func TestAKilledMigrationGoesOnAtTheNextStatement(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		last := 5
		for k := 1; k <= last; k++ {
			o := schema1(t, s)
			wantPending(t, o, 0)
			cmd := osexec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), fmt.Sprintf("KABAR_TEST_DIE_AT=%d", k), "KABAR_TEST_PATH="+o.Path, "KABAR_TEST_URL="+o.URL)
			said, err := cmd.CombinedOutput()
			if _, ok := errors.AsType[*osexec.ExitError](err); !ok {
				t.Fatalf("killed at statement %d: %v, %s", k, err, said)
			}
			wantPending(t, o, k-1)
			var ran []int
			watch := func(s store.Step) {
				if last = s.Of; s.Done {
					ran = append(ran, s.Number)
				}
			}
			if err := store.Migrate(t.Context(), o, watch); err != nil || len(ran) != last-k+1 || ran[0] != k {
				t.Fatalf("after a kill at statement %d, %v ran: %v", k, ran, err)
			}
			checkSchema1(t, o)
		}
		if last != 5 {
			t.Errorf("the migration has %d statements: kill it at each", last)
		}
	})
}

// wantPending opens a store of schema 1 in which some statements of the next migration have run: it must be refused, and
// by a program of schema 1 as well.
func wantPending(t *testing.T, o store.Options, done int) {
	t.Helper()
	o.NoMigrate = true
	db, err := store.Open(t.Context(), o)
	pending, ok := errors.AsType[*store.PendingError](err)
	if !ok {
		if err == nil {
			_ = db.Close()
		}
		t.Fatalf("Open after %d statements = %v, want a PendingError", done, err)
	}
	if p := pending.Pending[0]; pending.Have != 1 || p.Name != "0002_server.sql" || p.Done != done || p.Statements != 5 || !strings.HasPrefix(p.Purpose, "Keys of an API") {
		t.Errorf("after %d statements, pending is %+v", done, pending.Schema)
	}
	if s, err := store.Plan(t.Context(), o); err != nil || s.Pending[0].Done != done {
		t.Errorf("Plan = %+v, %v; want %d statements done", s, err, done)
	}
	if newest := rawNumber(t, o, "SELECT max(number) FROM schema_version"); done > 0 && newest != 2 {
		t.Errorf("after %d statements an older program sees schema %d, want 2", done, newest)
	}
}

// TestAStatementAndItsNoteAreOne has the note fail: then the statement has not run either, and runs the next time.
func TestAStatementAndItsNoteAreOne(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		o := schema1(t, s)
		rawExec(t, o, "CREATE TRIGGER broken BEFORE INSERT ON meta BEGIN SELECT RAISE(ABORT, 'no room'); END")
		for range 2 {
			if err := store.Migrate(t.Context(), o, nil); err == nil || !strings.Contains(err.Error(), "no room") {
				t.Errorf("Migrate = %v, want the database's error", err)
			}
			wantPending(t, o, 0)
		}
		rawExec(t, o, "DROP TRIGGER broken")
		if err := store.Migrate(t.Context(), o, nil); err != nil {
			t.Error(err)
		}
		checkSchema1(t, o)
	})
}

// A server in development brings its store up to date by itself.
func TestOpenMigratesWhereItMay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		o := schema1(t, s)
		checkSchema1(t, o)
		if plan, err := store.Plan(t.Context(), o); err != nil || len(plan.Pending) != 0 || plan.Have != plan.Want {
			t.Errorf("Plan of a store that is up to date = %+v, %v", plan, err)
		}
		if err := store.Migrate(t.Context(), o, func(store.Step) { t.Error("a statement runs") }); err != nil {
			t.Error(err)
		}
	})
}

// A newer program that was killed within its migration has used the store, too.
func TestHalfOfANewerMigrationIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Close(t)
		exec(t, s, "INSERT INTO schema_version VALUES (3)")
		exec(t, s, "INSERT INTO meta VALUES ('migration', $1)", []byte("1"))
		_, planned := store.Plan(t.Context(), s.Options)
		_, opened := store.Open(t.Context(), s.Options)
		for what, err := range map[string]error{"Plan": planned, "Open": opened, "Migrate": store.Migrate(t.Context(), s.Options, nil)} {
			newer, ok := errors.AsType[*store.NewerError](err)
			if !ok || newer.Have != 3 || !strings.Contains(err.Error(), "kabar restore") {
				t.Errorf("%s = %v, want a NewerError that says what to do", what, err)
			}
		}
		exec(t, s, "DELETE FROM schema_version WHERE number = 3")
		exec(t, s, "DELETE FROM meta WHERE name = 'migration'")
		s.Reopen(t)
	})
}

func TestStatements(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"-- only a comment;\n", nil},
		{"a;\nb;", []string{"a;", "b;"}},
		{"a;  \r\n\r\nb;\n", []string{"a;", "b;"}},
		{"a\n", []string{"a"}},
		{"-- one;\na (\n  -- two;\n  b 'x; y',\n  c);\nd; e;\n", []string{"a (\n  b 'x; y',\n  c);", "d; e;"}},
		{"a; b\n;\nc", []string{"a; b\n;", "c"}},
	} {
		if got := store.Statements(c.text); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
			t.Errorf("%q is split into %q, want %q", c.text, got, c.want)
		}
	}
}

// TestEveryStatementStandsAlone: one that the rule does not split would be repeated as a whole, and one with a semicolon
// within it is not meant to be there.
func TestEveryStatementStandsAlone(t *testing.T) {
	files, err := os.ReadDir("migrations")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d migrations, %v", len(files), err)
	}
	for i, f := range files {
		text, err := os.ReadFile("migrations/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(f.Name(), fmt.Sprintf("%04d_", i+1)) || !strings.HasPrefix(string(text), "-- ") {
			t.Errorf("%s: want the number %04d in its name, and its purpose in its first line", f.Name(), i+1)
		}
		for _, s := range store.Statements(string(text)) {
			if strings.Count(s, ";") != 1 || !strings.HasSuffix(s, ";") {
				t.Errorf("%s: not one statement: %s", f.Name(), s)
			}
		}
	}
}
