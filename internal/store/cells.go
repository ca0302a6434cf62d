package store

import "fmt"

// cells are the values of rows, one row after another.
type cells struct {
	width int // of a row
	all   []any
}

func (c *cells) rows() int { return len(c.all) / c.width }

// part returns the cells of n rows from a row on.
func (c *cells) part(from, n int) []any { return c.all[from*c.width : (from+n)*c.width] }

func (c *cells) add(row []any) { c.all = append(c.all, row...) }

// early returns the cells without the late columns, provided that there are such columns and all their cells are empty.
func (c *cells) early(columns []column) (short cells, ok bool) {
	for i, col := range columns {
		if !col.late {
			short.width++
			continue
		}
		for at := i; at < len(c.all); at += c.width {
			if !isEmpty(c.all[at]) {
				return cells{}, false
			}
		}
	}
	if short.width == c.width {
		return cells{}, false
	}
	short.all = make([]any, 0, c.rows()*short.width)
	for i, v := range c.all {
		if !columns[i%c.width].late {
			short.all = append(short.all, v)
		}
	}
	return short, true
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case int64:
		return v == 0
	case string:
		return v == ""
	case []byte:
		return len(v) == 0
	}
	return false
}

// addRow adds a row of a table by its fields. There will be rows of them at most.
func (c *cells) addRow(pointers []any, rows int) {
	if c.all == nil {
		c.all = make([]any, 0, rows*c.width)
	}
	c.all = appendValues(c.all, pointers)
}

// appendValues follows the pointers of table.fields.
func appendValues(vs, pointers []any) []any {
	for _, p := range pointers {
		switch p := p.(type) {
		case *int64:
			vs = append(vs, *p)
		case *string:
			vs = append(vs, *p)
		case *[]byte:
			vs = append(vs, nonNil(*p))
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

// arrays turns rows into one typed slice a column.
func arrays(cols []column, rows cells) []any {
	out := make([]any, len(cols))
	for c, col := range cols {
		switch col.kind {
		case "bigint":
			out[c] = columnOf[int64](rows, c)
		case "text":
			out[c] = columnOf[string](rows, c)
		case "bytea":
			out[c] = columnOf[[]byte](rows, c)
		}
	}
	return out
}

func columnOf[T any](rows cells, c int) []T {
	vs := make([]T, rows.rows())
	for i := range vs {
		vs[i] = rows.all[i*rows.width+c].(T)
	}
	return vs
}
