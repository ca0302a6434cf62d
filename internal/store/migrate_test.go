package store_test

import (
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/store"
	"kabar/internal/storetest"
)

// migrations reads the files of the migrations since schema 1: names, purposes (the first line) and numbers of statements,
// each of which ends a line.
func migrations(t *testing.T) (all []store.Migration) {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) < 4 {
		t.Fatalf("migrations: %v, %v", files, err)
	}
	for _, file := range files[1:] {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := store.Migration{Name: filepath.Base(file)}
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			if m.Purpose == "" {
				m.Purpose = strings.TrimPrefix(line, "-- ")
			}
			if !strings.HasPrefix(line, "--") && strings.HasSuffix(line, ";") {
				m.Statements++
			}
		}
		all = append(all, m)
	}
	return all
}

// TestAKilledMigrationGoesOnAtTheNextStatement kills the process that migrates a store of schema 1: at every statement of the newest
// migrations, and at some of the older ones.
func TestAKilledMigrationGoesOnAtTheNextStatement(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		all, last, newest := migrations(t), 0, 0
		for i, m := range all {
			if i == len(all)-2 {
				newest = last
			}
			last += m.Statements
		}
		every := 7
		if testing.Short() {
			every = 25
		}
		for k := 1; k <= last; k++ {
			if k%every != 1 && (k <= newest || testing.Short()) {
				continue
			}
			o := schema1(t, s)
			wantPending(t, o, all, 0)
			cmd := osexec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), fmt.Sprintf("KABAR_TEST_DIE_AT=%d", k), "KABAR_TEST_PATH="+o.Path, "KABAR_TEST_URL="+o.URL)
			said, err := cmd.CombinedOutput()
			if _, ok := errors.AsType[*osexec.ExitError](err); !ok {
				t.Fatalf("killed at statement %d: %v, %s", k, err, said)
			}
			wantPending(t, o, all, k-1)
			var ran []int
			watch := func(s store.Step) {
				if s.Done {
					ran = append(ran, s.Number)
				}
			}
			_, first := pendingAfter(all, k-1)
			if err := store.Migrate(t.Context(), o, watch); err != nil || len(ran) != last-k+1 || ran[0] != first+1 {
				t.Fatalf("after a kill at statement %d, %v ran: %v", k, ran, err)
			}
			checkSchema1(t, o)
		}
	})
}

// pendingAfter returns how many migrations since schema 1 are complete after so many statements, and how many statements of
// the next one have run.
func pendingAfter(all []store.Migration, done int) (complete, within int) {
	for complete < len(all) && done >= all[complete].Statements {
		done -= all[complete].Statements
		complete++
	}
	return complete, done
}

// wantPending opens a store of schema 1 in which some statements of the next migrations have run: it must be refused, and
// by a program of schema 1 as well.
func wantPending(t *testing.T, o store.Options, all []store.Migration, done int) {
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
	complete, within := pendingAfter(all, done)
	want := all[complete]
	want.Done = within
	if pending.Have != 1+complete || pending.Pending[0] != want || len(pending.Pending) != len(all)-complete {
		t.Errorf("after %d statements, pending is %+v", done, pending.Schema)
	}
	if s, err := store.Plan(t.Context(), o); err != nil || s.Pending[0].Done != within {
		t.Errorf("Plan = %+v, %v; want %d statements done", s, err, within)
	}
	rows := int64(1 + complete)
	if within > 0 {
		rows++
	}
	if newest := rawNumber(t, o, "SELECT max(number) FROM schema_version"); newest != rows {
		t.Errorf("after %d statements an older program sees schema %d, want %d", done, newest, rows)
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
			wantPending(t, o, migrations(t), 0)
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
		exec(t, s, "INSERT INTO schema_version VALUES (1000)")
		exec(t, s, "INSERT INTO meta VALUES ('migration', $1)", []byte("1"))
		_, planned := store.Plan(t.Context(), s.Options)
		_, opened := store.Open(t.Context(), s.Options)
		for what, err := range map[string]error{"Plan": planned, "Open": opened, "Migrate": store.Migrate(t.Context(), s.Options, nil)} {
			newer, ok := errors.AsType[*store.NewerError](err)
			if !ok || newer.Have != 1000 || !strings.Contains(err.Error(), "kabar restore") {
				t.Errorf("%s = %v, want a NewerError that says what to do", what, err)
			}
		}
		exec(t, s, "DELETE FROM schema_version WHERE number = 1000")
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
