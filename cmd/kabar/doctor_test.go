package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/doctor"
	"kabar/internal/egress"
	"kabar/internal/secrets"
	"kabar/internal/storetest"
)

// TestDoctorInsideAStore: what is looked at within a store is well on both databases; PostgreSQL has a clock to compare with.
func TestDoctorInsideAStore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		in := &inside{db: s.DB, client: func(kabar.NumberID) (*egress.Client, error) { return egress.New(egress.Policy{}), nil }}
		lines := doctor.Run(t.Context(), in.checks(t.Context()))
		if !doctor.Healthy(lines) {
			t.Errorf("%+v", lines)
		}
		var b bytes.Buffer
		if err := doctor.Write(&b, lines); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "as the database"); got != (s.Database == "postgres") {
			t.Errorf("compared with the clock of the database: %v\n%s", got, b.String())
		}
		if !strings.Contains(b.String(), s.Master.ID()+" opens the store") {
			t.Error(b.String())
		}
	})
}

// TestDoctorOfAStoppedServer: the command names what keeps a store from being opened, on both databases.
func TestDoctorOfAStoppedServer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		dir := t.TempDir()
		key := filepath.Join(dir, "other.key")
		if _, err := secrets.CreateMasterKey(key); err != nil {
			t.Fatal(err)
		}
		c := doctorCmd{storeFlags: storeFlags{databaseFlags: databaseFlags{Data: dir, Database: s.Options.URL, DatabaseConnections: 2},
			masterFlags: masterFlags{MasterKeyFile: key}}}
		if s.Options.Path != "" {
			c.Data = filepath.Dir(s.Options.Path)
			if filepath.Base(s.Options.Path) != "kabar.db" {
				return // another name than a server's; the script doctor.txtar has that case
			}
		}
		find := func(what string) {
			t.Helper()
			for _, l := range c.server(t.Context()) {
				if l.Name == "store" && l.Level == doctor.Fail && strings.Contains(l.Detail, what) && l.Fix != "" {
					return
				}
			}
			t.Errorf("%s: %+v", what, c.server(t.Context()))
		}
		find("in use by")
		s.Close(t)
		find("does not open this store")
		s.Reopen(t)
	})
}
