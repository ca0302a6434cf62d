package store_test

import (
	"strings"
	"testing"
	"time"

	"kabar/internal/storetest"
)

func TestAbout(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		before := time.Now()
		a, err := s.DB.About(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"sqlite": "SQLite 3.", "postgres": "PostgreSQL 1"}[s.Database]
		if !strings.HasPrefix(a.Version, want) {
			t.Errorf("version %q, want %s…", a.Version, want)
		}
		if apart := a.Now.Sub(before).Abs(); s.Database == "postgres" && apart > time.Minute || s.Database == "sqlite" && !a.Now.IsZero() {
			t.Errorf("the clock of %s says %s, ours %s", s.Database, a.Now, before)
		}
	})
}
