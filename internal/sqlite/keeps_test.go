package sqlite

import "testing"

// TestWhichStatementsAreKept: a text that is missing here is prepared each time it runs, and nobody notices but the clock.
func TestWhichStatementsAreKept(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT 1":     true,
		"\n\tSELECT 1": true,
		"WITH RECURSIVE r (n) AS (SELECT 1) SELECT n FROM r": true,
		"INSERT INTO t VALUES (1)":                           true,
		"UPDATE t SET v = 1":                                 true,
		"DELETE FROM t":                                      true,
		"SAVEPOINT op":                                       true,
		"ROLLBACK TO op":                                     true,
		"RELEASE op":                                         true,
		"BEGIN IMMEDIATE":                                    false,
		"PRAGMA user_version = 3":                            false,
		"CREATE TABLE t (v)":                                 false,
		"VACUUM INTO 'x'":                                    false,
	} {
		if got := keeps(text); got != want {
			t.Errorf("keeps(%q) = %t, want %t", text, got, want)
		}
	}
}
