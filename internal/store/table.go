package store

import (
	"cmp"
	"slices"
	"strings"
)

// column is one column and its type on PostgreSQL.
type column struct {
	name string
	kind string // "bigint", "text" or "bytea"
	late bool   // new rows have it empty as a rule: 0, or without a byte
}

// cols reads "id:bigint name:text" into columns. A column with ? behind it is a late one.
func cols(list string) []column {
	var cs []column
	for f := range strings.FieldsSeq(list) {
		name, kind, _ := strings.Cut(f, ":")
		kind, late := strings.CutSuffix(kind, "?")
		cs = append(cs, column{name, kind, late})
	}
	return cs
}

// shape is what a table looks like in the database.
type shape struct {
	name string
	keys []column
	cols []column
}

func (s *shape) keyNames() []string {
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.name
	}
	return names
}

// all returns the columns of the keys and the others.
func (s *shape) all() []column { return slices.Concat(s.keys, s.cols) }

func (s *shape) columns() []string {
	names := s.keyNames()
	for _, c := range s.cols {
		names = append(names, c.name)
	}
	return names
}

// table describes how rows of type R with keys of type K travel to and from the database. A row holds its key.
type table[K comparable, R any] struct {
	shape
	key    func(*R) K
	args   func(K) []any  // the key's columns
	fields func(*R) []any // pointers to the row's fields, in the order of keys and cols; each *int64, *string or *[]byte
	order  func(a, b K) int
}

// byID orders tables whose key is one growing number.
func byID[K ~int64](a, b K) int { return cmp.Compare(a, b) }
