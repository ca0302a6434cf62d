package store

import (
	"fmt"
	"strconv"
	"strings"
)

// flavour is the little in which the two databases differ. Statements are written once, with $1 placeholders, which both
// read; only what loads and writes many rows at once has a text of its own.
type flavour int8

const (
	sqliteFlavour flavour = iota
	postgresFlavour
)

// ddl adapts a migration: SQLite's growing key must be spelled INTEGER to be the row id, and a table with a key of several columns is
// two trees there unless it is WITHOUT ROWID, which PostgreSQL does not know.
func (f flavour) ddl(text string) string {
	if f == sqliteFlavour {
		return strings.ReplaceAll(text, "BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
	}
	return strings.ReplaceAll(text, " WITHOUT ROWID", "")
}

// texts are the statements of a table. On SQLite, in process and prepared, loads and removes handle one row and run once a
// row; inserts and updates handle a chunk of rows, of a few sizes only, so that few statements are kept. Their places have no
// names, which the driver would look up each time; rows whose late columns are empty are inserted without a place for them, since
// a place costs as much as a column; and a statement that fails need not be undone by itself, which SQLite would keep a
// journal for, since its transaction is. On PostgreSQL each statement handles all rows of a batch in one round trip, a column
// an array.
type texts struct {
	load, remove          string
	insert, early, update []rowsText // early: only on SQLite
	all                   []column
}

// rowsText is a statement for a number of rows; 0: for any number.
type rowsText struct {
	rows int
	text string
}

// chunkRows are the sizes of chunks on SQLite, falling.
func chunkRows() []int { return []int{32, 16, 8, 4, 2, 1} }

func (f flavour) texts(s *shape) texts {
	all, keys := strings.Join(s.columns(), ", "), strings.Join(s.keyNames(), ", ")
	set := make([]string, len(s.cols))
	for i, c := range s.cols {
		set[i] = fmt.Sprintf("%s = excluded.%s", c.name, c.name)
	}
	replace := fmt.Sprintf(" ON CONFLICT (%s) DO UPDATE SET %s", keys, strings.Join(set, ", "))
	if f == sqliteFlavour {
		where := strings.Join(s.keyNames(), " = ? AND ") + " = ?"
		t := texts{
			all:    s.all(),
			load:   fmt.Sprintf("SELECT %s FROM %s WHERE %s", all, s.name, where),
			remove: fmt.Sprintf("DELETE FROM %s WHERE %s", s.name, where),
		}
		head := "INSERT OR FAIL INTO " + s.name + " (" + all + ") VALUES "
		places, early := "(?"+strings.Repeat(", ?", len(s.keys)+len(s.cols)-1)+")", earlyPlaces(s)
		for _, n := range chunkRows() {
			insert := head + strings.Repeat(places+", ", n-1) + places
			t.insert = append(t.insert, rowsText{n, insert})
			t.early = append(t.early, rowsText{n, head + strings.Repeat(early+", ", n-1) + early})
			t.update = append(t.update, rowsText{n, insert + replace})
		}
		return t
	}
	keysOf, allOf := unnest(s.keys), unnest(s.all())
	match := make([]string, len(s.keys))
	for i, k := range s.keys {
		match[i] = fmt.Sprintf("t.%s = u.%s", k.name, k.name)
	}
	on := strings.Join(match, " AND ")
	insert := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s AS u(%s)", s.name, all, all, allOf, all)
	return texts{
		all:    s.all(),
		load:   fmt.Sprintf("SELECT t.%s FROM %s t, %s AS u(%s) WHERE %s", strings.Join(s.columns(), ", t."), s.name, keysOf, keys, on),
		insert: []rowsText{{0, insert}},
		update: []rowsText{{0, insert + replace}},
		remove: fmt.Sprintf("DELETE FROM %s t USING %s AS u(%s) WHERE %s", s.name, keysOf, keys, on),
	}
}

// earlyPlaces are the places of a row whose late columns are empty.
func earlyPlaces(s *shape) string {
	empty := map[string]string{"bigint": "0", "text": "''", "bytea": "x''"}
	var parts []string
	for _, c := range s.all() {
		if c.late {
			parts = append(parts, empty[c.kind])
		} else {
			parts = append(parts, "?")
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// unnest returns a call that turns one array a column into rows.
func unnest(cols []column) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = fmt.Sprintf("$%d::%s[]", i+1, c.kind)
	}
	return "unnest(" + strings.Join(parts, ", ") + ")"
}

func equals(cols []column, first int, sep string) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = c.name + " = $" + strconv.Itoa(first+i)
	}
	return strings.Join(parts, sep)
}

func places(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(parts, ", ")
}
