package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/patience"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func TestASecondOpenNamesTheOwner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a refused connection must not stay behind
			db, err := store.Open(t.Context(), s.Options)
			if err == nil {
				_ = db.Close()
				t.Fatal("a second store was opened on the same database")
			}
			if me := fmt.Sprintf("process %d on %s", os.Getpid(), host); !strings.Contains(err.Error(), me) {
				t.Errorf("Open = %v, want the owner's name %q in it", err, me)
			}
		}
		s.Reopen(t)
	})
}

func TestTheLogHasASize(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		if err := s.DB.Probe(t.Context(), s.Now); err != nil {
			t.Fatal(err)
		}
		size, err := s.DB.LogSize()
		if err != nil || (size > 0) != (s.Options.URL == "") {
			t.Errorf("the write-ahead log has %d bytes, %v", size, err)
		}
	})
}

func TestARefusedOpenLeavesNoConnection(t *testing.T) {
	storetest.Postgres(t, func(t *testing.T, s *storetest.Env) {
		// What nobody refers to is closed when it is collected as garbage: that would hide a forgotten connection.
		defer debug.SetGCPercent(debug.SetGCPercent(-1))
		for range 3 {
			var inUse *store.InUseError
			if _, err := store.Open(t.Context(), s.Options); !errors.As(err, &inUse) {
				t.Fatalf("Open = %v, want an InUseError", err)
			}
		}
		const want = "2" // of the open store: its writer and a reader
		patience.Until(t, "the server sees that the connections of three refused opens are gone", func() bool {
			return s.Query(t, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'kabar: process %'")[0][0] == want
		})
	})
}

// An empty store holds nothing to make a copy of first: it is set up also where pending migrations are refused.
func TestAnEmptyStoreIsSetUpWithoutAsking(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		o := s.Fresh(t)
		o.NoMigrate = true
		for _, when := range []string{"empty", "set up"} {
			db, err := store.Open(t.Context(), o)
			if err != nil {
				t.Fatalf("Open of a store that is %s: %v", when, err)
			}
			if err := db.Probe(t.Context(), time.Now()); err != nil {
				t.Errorf("write to a store that was %s: %v", when, err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestPendingErrorNamesWhatIsToDo(t *testing.T) {
	err := &store.PendingError{Schema: store.Schema{Have: 1, Want: 2, Pending: []store.Migration{{Name: "0002_second.sql", Done: 3, Statements: 5},
		{Name: "0003_third.sql", Statements: 1}}}}
	for _, want := range []string{"schema 1", "needs 2", "kabar migrate", "0002_second.sql, 3 of 5 statements done; 0003_third.sql"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Close(t)
		exec(t, s, "INSERT INTO schema_version VALUES (999)")
		for _, noMigrate := range []bool{false, true} {
			o := s.Options
			o.NoMigrate = noMigrate
			if _, err := store.Open(t.Context(), o); !errors.As(err, new(*store.NewerError)) || !strings.Contains(err.Error(), "newer program") {
				t.Errorf("Open of a newer store, NoMigrate %v = %v", noMigrate, err)
			}
		}
		exec(t, s, "DELETE FROM schema_version WHERE number = 999")
		s.Reopen(t)
	})
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		o    store.Options
		want string
	}{
		{"another kind of URL", store.Options{URL: "mysql://127.0.0.1/x"}, "postgres://"},
		{"no server there", store.Options{URL: "postgres://127.0.0.1:1/x?connect_timeout=2"}, "open the store"},
		{"a folder in the file's place", store.Options{Path: t.TempDir()}, "open"},
		{"a file in the folder's place", store.Options{Path: filepath.Join(file(t), "kabar.db")}, "open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := store.Open(t.Context(), c.o)
			if err == nil {
				_ = db.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want %q in it", err, c.want)
			}
		})
	}
}

func file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheDatabaseItselfRefusesDuplicates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		addAll(t, s, nouns(t, s, s.A, "aaaa-secret"))
		for table, key := range map[string]string{"idempotency": "number_id, path, key", "inbound_ref": "number_id, ref",
			"event": "number_id, seq", "handle": "number_id, handle", "delivery": "endpoint_id, seq", "driver_state": "number_id, name",
			"message": "id", "number": "id", "template": "account_id, name, language"} {
			if err := s.Exec(t, "INSERT INTO "+table+" SELECT * FROM "+table); err == nil {
				t.Errorf("%s: two rows with the same (%s)", table, key)
			}
		}
	})
}

func TestOneNumberAndOneUserNameAServer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error { return tx.AddUser(&store.User{Number: s.A.ID, Name: "admin"}, s.Now) })
		for what, do := range map[string]func(tx *store.Tx) error{
			"digits": func(tx *store.Tx) error {
				return tx.AddNumber(&kabar.Number{Account: s.B.Account, Digits: s.A.Digits}, s.Settings, s.Now)
			},
			"user name": func(tx *store.Tx) error { return tx.AddUser(&store.User{Number: s.B.ID, Name: "admin"}, s.Now) },
		} {
			var broken *store.StatementError
			if err := s.DB.Write(t.Context(), nil, do); !errors.As(err, &broken) {
				t.Errorf("the same %s again: %v, want a StatementError", what, err)
			}
		}
		if all, err := s.DB.Numbers(t.Context()); err != nil || len(all) != 2 {
			t.Errorf("Numbers = %d, %v; want the two", len(all), err)
		}
	})
}
