package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kabar/internal/store"
)

// Rows counts the rows of every table but some, for who compares what is stored before and after.
func Rows(tb testing.TB, db *store.DB, but ...string) string {
	tb.Helper()
	s, err := db.Snapshot(tb.Context(), "\x00")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := s.End(); err != nil {
			tb.Error(err)
		}
	}()
	var b strings.Builder
	for _, table := range s.Tables {
		if slices.Contains(but, table.Name) {
			continue
		}
		n, err := s.Count(tb.Context(), table)
		if err != nil {
			tb.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d, ", table.Name, n)
	}
	return b.String()
}
