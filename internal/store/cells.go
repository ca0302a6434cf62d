package store

import "fmt"

// cells are the values of rows, one row after another.
type cells struct {
	width int // of a row
	all   []any
}

// keptCells is how many cells keep their place in memory once they are written.
const keptCells = 1 << 13

// empty gives up what the cells hold, and makes room for rows of another width.
func (c *cells) empty(width int) {
	c.width = width
	if clear(c.all); cap(c.all) > keptCells {
		c.all = nil
	}
	c.all = c.all[:0]
}

func (c *cells) rows() int { return len(c.all) / c.width }

// part returns the cells of n rows from a row on.
func (c *cells) part(from, n int) []any { return c.all[from*c.width : (from+n)*c.width] }

func (c *cells) add(row []any) { c.all = append(c.all, row...) }

// early leaves out the late columns, provided that there are such columns and all their cells are empty.
func (c *cells) early(columns []column) bool {
	width := 0
	for i, col := range columns {
		if !col.late {
			width++
			continue
		}
		for at := i; at < len(c.all); at += c.width {
			if !isEmpty(c.all[at]) {
				return false
			}
		}
	}
	if width == c.width {
		return false
	}
	short := c.all[:0]
	for i, v := range c.all {
		if !columns[i%c.width].late {
			short = append(short, v)
		}
	}
	clear(c.all[len(short):])
	c.width, c.all = width, short
	return true
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

// addRow adds a row of a table by its fields, the pointers of table.fields. A value that stands in the row above as well, such as the
// account, is not stored anew.
func (c *cells) addRow(pointers []any) {
	for _, p := range pointers {
		var above any
		if len(c.all) >= c.width {
			above = c.all[len(c.all)-c.width]
		}
		c.all = append(c.all, valueOf(p, above))
	}
}

// valueOf follows a pointer of table.fields. When it leads to the same as known holds, that is returned.
func valueOf(p, known any) any {
	switch p := p.(type) {
	case *int64:
		if v, ok := known.(int64); ok && v == *p {
			return known
		}
		return *p
	case *string:
		if v, ok := known.(string); ok && v == *p {
			return known
		}
		return *p
	case *[]byte:
		return nonNil(*p)
	}
	panic(fmt.Sprintf("store: a field of type %T", p)) // a table is described wrongly: tests reach every table
}

// valuesOf follows the pointers of table.fields.
func valuesOf(pointers []any) []any {
	row := cells{width: len(pointers)}
	row.addRow(pointers)
	return row.all
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
