package store_test

import (
	"strings"
	"testing"

	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestQueriesUseAnIndex asks SQLite how it runs what is asked of tables that may be long: never by reading or sorting a
// table.
func TestQueriesUseAnIndex(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		for query, index := range store.Indexed() {
			args := make([]any, strings.Count(query, "$"))
			for i := range args {
				args[i] = 1
			}
			for _, row := range s.Query(t, "EXPLAIN QUERY PLAN "+query, args...) {
				step := row[len(row)-1]
				if !strings.HasPrefix(step, "SEARCH ") || !strings.Contains(step, "INDEX "+index+" ") {
					t.Errorf("%s: %s, want a search by %s", query, step, index)
				}
			}
		}
	})
}
