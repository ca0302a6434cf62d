package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// column is one column and its type on PostgreSQL.
type column struct {
	name string
	kind string // "bigint", "text" or "bytea"
}

// cols reads "id:bigint name:text" into columns.
func cols(list string) []column {
	var cs []column
	for f := range strings.FieldsSeq(list) {
		name, kind, _ := strings.Cut(f, ":")
		cs = append(cs, column{name, kind})
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

// slot is one row of the overlay.
type slot[R any] struct {
	row   *R   // nil: there is no such row
	inDB  bool // a row with this key is in the database
	dirty bool
}

// overlay holds the rows of one table that a batch has touched: what the operations see, and what will be written.
type overlay[K comparable, R any] struct {
	t     *table[K, R]
	rows  map[K]*slot[R]
	batch *batch
}

func newOverlay[K comparable, R any](b *batch, t *table[K, R]) *overlay[K, R] {
	o := &overlay[K, R]{t: t, rows: map[K]*slot[R]{}, batch: b}
	b.tables = append(b.tables, o)
	return o
}

// want notes a key that an operation is going to ask for, so that all of a batch are loaded with one statement.
func (o *overlay[K, R]) want(k K) {
	if _, ok := o.rows[k]; !ok {
		o.rows[k] = nil // known to be needed, not loaded
	}
}

// get returns a copy of the row, or nil if there is none. It loads what no operation has announced.
func (o *overlay[K, R]) get(k K) (*R, error) {
	s := o.rows[k]
	if s == nil {
		if err := o.load([]K{k}); err != nil {
			return nil, err
		}
		s = o.rows[k]
	}
	if s.row == nil {
		return nil, nil
	}
	row := *s.row
	return &row, nil
}

// all returns copies of every row of the table, sorted by key: for tables of few rows, which allText has prepared.
func (o *overlay[K, R]) all() ([]R, error) {
	err := o.batch.query(allText(&o.t.shape), nil, func(rs *sql.Rows) error {
		row := new(R)
		if err := rs.Scan(o.t.fields(row)...); err != nil {
			return err
		}
		if k := o.t.key(row); o.rows[k] == nil { // what an operation has changed stays as it left it
			o.rows[k] = &slot[R]{row: row, inDB: true}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", o.t.name, err)
	}
	var rows []R
	for _, s := range o.rows {
		if s != nil && s.row != nil {
			rows = append(rows, *s.row)
		}
	}
	slices.SortFunc(rows, func(a, b R) int { return o.t.order(o.t.key(&a), o.t.key(&b)) })
	return rows, nil
}

// allText is the statement that reads a whole table.
func allText(s *shape) string { return "SELECT " + strings.Join(s.columns(), ", ") + " FROM " + s.name }

// fresh stores a row under a key that has just been allocated: it cannot be in the database.
func (o *overlay[K, R]) fresh(row R) {
	k := o.t.key(&row)
	o.change(k, &slot[R]{row: &row, dirty: true})
}

// put stores a row.
func (o *overlay[K, R]) put(row R) error {
	k := o.t.key(&row)
	s, err := o.slot(k)
	if err != nil {
		return err
	}
	o.change(k, &slot[R]{row: &row, inDB: s.inDB, dirty: true})
	return nil
}

// add stores a row under a key that must be free. One that is taken is a StatementError, as it is for the database.
func (o *overlay[K, R]) add(row R) error {
	s, err := o.slot(o.t.key(&row))
	if err != nil {
		return err
	}
	if s.row != nil {
		return &StatementError{fmt.Errorf("write %s: the key is taken", o.t.name)}
	}
	return o.put(row)
}

// del removes the row with key k, if there is one.
func (o *overlay[K, R]) del(k K) error {
	s, err := o.slot(k)
	if err != nil {
		return err
	}
	o.change(k, &slot[R]{inDB: s.inDB, dirty: true})
	return nil
}

func (o *overlay[K, R]) slot(k K) (*slot[R], error) {
	if o.rows[k] == nil {
		if err := o.load([]K{k}); err != nil {
			return nil, err
		}
	}
	return o.rows[k], nil
}

// change replaces a slot and remembers the old one, so that an operation that fails leaves no trace.
func (o *overlay[K, R]) change(k K, s *slot[R]) {
	old, had := o.rows[k]
	o.batch.undo = append(o.batch.undo, func() {
		if had {
			o.rows[k] = old
		} else {
			delete(o.rows, k)
		}
	})
	o.rows[k] = s
}

// loadWanted loads every announced row.
func (o *overlay[K, R]) loadWanted() error {
	var keys []K
	for k, s := range o.rows {
		if s == nil {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.SortFunc(keys, o.t.order)
	return o.load(keys)
}

// load reads rows by key. Keys without a row get an empty slot.
func (o *overlay[K, R]) load(keys []K) error {
	args := make([][]any, len(keys))
	for i, k := range keys {
		o.rows[k], args[i] = &slot[R]{}, o.t.args(k)
	}
	err := o.batch.load(&o.t.shape, args, func(rs *sql.Rows) error {
		row := new(R)
		if err := rs.Scan(o.t.fields(row)...); err != nil {
			return err
		}
		o.rows[o.t.key(row)] = &slot[R]{row: row, inDB: true}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load %s: %w", o.t.name, err)
	}
	return nil
}

// flush writes what has changed, sorted by key.
func (o *overlay[K, R]) flush() error {
	var keys []K
	for k, s := range o.rows {
		if s != nil && s.dirty {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, o.t.order)
	var inserts, updates, removes [][]any
	for _, k := range keys {
		switch s := o.rows[k]; {
		case s.row == nil && s.inDB:
			removes = append(removes, o.t.args(k))
		case s.row == nil: // made and removed within the batch
		case s.inDB:
			updates = append(updates, values(o.t.fields(s.row)))
		default:
			inserts = append(inserts, values(o.t.fields(s.row)))
		}
	}
	return o.batch.write(&o.t.shape, inserts, updates, removes)
}

// values follows the pointers of table.fields.
func values(pointers []any) []any {
	vs := make([]any, len(pointers))
	for i, p := range pointers {
		switch p := p.(type) {
		case *int64:
			vs[i] = *p
		case *string:
			vs[i] = *p
		case *[]byte:
			vs[i] = nonNil(*p)
		default:
			panic(fmt.Sprintf("store: a field of type %T", p)) // a table is described wrongly: tests reach every table
		}
	}
	return vs
}

// nonNil keeps an empty sealed column from being stored as NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
