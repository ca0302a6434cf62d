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

// ddl adapts a migration: SQLite's growing key must be spelled INTEGER to be the row id.
func (f flavour) ddl(text string) string {
	if f == sqliteFlavour {
		return strings.ReplaceAll(text, "BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
	}
	return text
}

// texts are the four statements of a table. On SQLite each handles one row and runs once a row, in process and prepared;
// on PostgreSQL each handles all rows of a batch in one round trip, a column an array.
type texts struct{ load, insert, update, remove string }

func (f flavour) texts(s *shape) texts {
	all, keys := strings.Join(s.columns(), ", "), strings.Join(s.keyNames(), ", ")
	if f == sqliteFlavour {
		return texts{
			load:   fmt.Sprintf("SELECT %s FROM %s WHERE %s", all, s.name, equals(s.keys, 1, " AND ")),
			insert: fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", s.name, all, places(len(s.keys)+len(s.cols))),
			update: fmt.Sprintf("UPDATE %s SET %s WHERE %s", s.name, equals(s.cols, len(s.keys)+1, ", "), equals(s.keys, 1, " AND ")),
			remove: fmt.Sprintf("DELETE FROM %s WHERE %s", s.name, equals(s.keys, 1, " AND ")),
		}
	}
	keysOf, allOf := unnest(s.keys), unnest(append(append([]column(nil), s.keys...), s.cols...))
	match := make([]string, len(s.keys))
	for i, k := range s.keys {
		match[i] = fmt.Sprintf("t.%s = u.%s", k.name, k.name)
	}
	set := make([]string, len(s.cols))
	for i, c := range s.cols {
		set[i] = fmt.Sprintf("%s = u.%s", c.name, c.name)
	}
	on := strings.Join(match, " AND ")
	return texts{
		load:   fmt.Sprintf("SELECT t.%s FROM %s t, %s AS u(%s) WHERE %s", strings.Join(s.columns(), ", t."), s.name, keysOf, keys, on),
		insert: fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s AS u(%s)", s.name, all, all, allOf, all),
		update: fmt.Sprintf("UPDATE %s t SET %s FROM %s AS u(%s) WHERE %s", s.name, strings.Join(set, ", "), allOf, all, on),
		remove: fmt.Sprintf("DELETE FROM %s t USING %s AS u(%s) WHERE %s", s.name, keysOf, keys, on),
	}
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
