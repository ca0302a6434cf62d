package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// slot is one row of the overlay.
type slot[R any] struct {
	known bool // false: it is known to be needed, not loaded
	row   *R   // nil: there is no such row
	inDB  bool // a row with this key is in the database, or may be
	kept  bool // it is kept as it is here
	dirty bool
}

// overlay holds the rows of one table that a batch has touched: what the operations see, and what will be written.
type overlay[K comparable, R any] struct {
	t     *table[K, R]
	rows  map[K]slot[R]
	kept  *cache[K, R] // rows that need not be read; may be nil
	batch *batch
	past  []version[K, R] // what the running operation has changed, as it was before

	line   R     // the row that is being written
	fields []any // of line
}

// version is what stood under a key; had is false when nothing was known of it.
type version[K comparable, R any] struct {
	k   K
	s   slot[R]
	had bool
}

func newOverlay[K comparable, R any](b *batch, t *table[K, R], kept *cache[K, R]) *overlay[K, R] {
	o := &overlay[K, R]{t: t, rows: map[K]slot[R]{}, kept: kept, batch: b}
	o.fields = t.fields(&o.line)
	b.tables = append(b.tables, o)
	return o
}

// want notes a key that an operation is going to ask for, so that all of a batch are loaded with one statement.
func (o *overlay[K, R]) want(k K) {
	if _, ok := o.rows[k]; !ok {
		o.rows[k] = slot[R]{}
	}
}

// get returns a copy of the row, or nil if there is none. It loads what no operation has announced.
func (o *overlay[K, R]) get(k K) (*R, error) {
	row, err := o.see(k)
	if row == nil {
		return nil, err
	}
	mine := *row
	return &mine, nil
}

// see returns the row for somebody who does not change it, or nil if there is none.
func (o *overlay[K, R]) see(k K) (*R, error) {
	s, err := o.slot(k)
	if err != nil {
		return nil, err
	}
	return s.row, nil
}

// all returns copies of every row of the table, sorted by key: for tables of few rows, which allText has prepared.
func (o *overlay[K, R]) all() ([]R, error) {
	err := o.batch.query(allText(&o.t.shape), nil, func(rs *sql.Rows) error {
		row := new(R)
		if err := rs.Scan(o.t.fields(row)...); err != nil {
			return err
		}
		if k := o.t.key(row); !o.rows[k].known { // what an operation has changed stays as it left it
			o.rows[k] = slot[R]{known: true, row: row, inDB: true}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", o.t.name, err)
	}
	var rows []R
	for _, s := range o.rows {
		if s.row != nil {
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
	o.change(k, slot[R]{row: &row, dirty: true})
}

// put stores a row.
func (o *overlay[K, R]) put(row R) error {
	k := o.t.key(&row)
	s, err := o.slot(k)
	if err != nil {
		return err
	}
	o.change(k, slot[R]{row: &row, inDB: s.inDB, dirty: true})
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

// set stores a row, and drop removes one, whatever there has been under the key: nothing is loaded. Rows that are looked at
// in the same operations are not for them.
func (o *overlay[K, R]) set(row R) {
	o.change(o.t.key(&row), slot[R]{row: &row, inDB: true, dirty: true})
}

func (o *overlay[K, R]) drop(k K) { o.change(k, slot[R]{inDB: true, dirty: true}) }

// del removes the row with key k, if there is one.
func (o *overlay[K, R]) del(k K) error {
	s, err := o.slot(k)
	if err != nil {
		return err
	}
	o.change(k, slot[R]{inDB: s.inDB, dirty: true})
	return nil
}

func (o *overlay[K, R]) slot(k K) (slot[R], error) {
	if s := o.rows[k]; s.known {
		return s, nil
	}
	if err := o.load([]K{k}); err != nil {
		return slot[R]{}, err
	}
	return o.rows[k], nil
}

// change replaces a slot and remembers the old one, so that an operation that fails leaves no trace.
func (o *overlay[K, R]) change(k K, s slot[R]) {
	s.known = true
	old, had := o.rows[k]
	if len(o.past) == 0 {
		o.batch.changed = append(o.batch.changed, o)
	}
	o.past = append(o.past, version[K, R]{k, old, had})
	o.rows[k] = s
}

// settled ends an operation: what it has changed stays, or is taken back.
func (o *overlay[K, R]) settled(stays bool) {
	if !stays {
		for _, v := range slices.Backward(o.past) {
			if v.had {
				o.rows[v.k] = v.s
			} else {
				delete(o.rows, v.k)
			}
		}
	}
	o.past = o.past[:0]
}

// keptSlots is up to how many rows a map is used again: to go through one takes as long as it has ever been large.
const keptSlots = 64

// empty forgets a transaction that is over.
func (o *overlay[K, R]) empty() {
	if len(o.rows) > keptSlots {
		o.rows, o.past = map[K]slot[R]{}, nil
	}
	clear(o.rows)
	clear(o.past[:cap(o.past)])
}

// loadWanted loads every announced row.
func (o *overlay[K, R]) loadWanted() error {
	var keys []K
	for k, s := range o.rows {
		if !s.known {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.SortFunc(keys, o.t.order)
	return o.load(keys)
}

// load finds rows by key, and reads those that are not kept. Keys without a row get an empty slot.
func (o *overlay[K, R]) load(keys []K) error {
	var args [][]any
	for _, k := range keys {
		row, known := o.kept.get(k)
		o.rows[k] = slot[R]{known: true, row: row, inDB: row != nil, kept: known}
		if !known {
			args = append(args, o.t.args(k))
		}
	}
	if len(args) == 0 {
		return nil
	}
	err := o.batch.load(&o.t.shape, args, func(rs *sql.Rows) error {
		row := new(R)
		if err := rs.Scan(o.t.fields(row)...); err != nil {
			return err
		}
		o.rows[o.t.key(row)] = slot[R]{known: true, row: row, inDB: true}
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
		if s.dirty {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.SortFunc(keys, o.t.order)
	w := &o.batch.rows
	w.empty(&o.t.shape)
	defer func() { // bodies are not kept alive
		w.empty(&o.t.shape)
		o.line = *new(R)
	}()
	for _, k := range keys {
		s := o.rows[k]
		if s.row != nil {
			o.line = *s.row
		}
		switch {
		case s.row == nil && s.inDB:
			w.removes.add(o.t.args(k))
		case s.row == nil: // made and removed within the batch
		case s.inDB:
			w.updates.addRow(o.fields)
		default:
			w.inserts.addRow(o.fields)
		}
	}
	return o.batch.write(&o.t.shape)
}

// committed keeps what is now in the database.
func (o *overlay[K, R]) committed() {
	if o.kept == nil {
		return
	}
	for k, s := range o.rows {
		if s.known && !s.kept {
			o.kept.put(k, s.row)
		}
	}
}
