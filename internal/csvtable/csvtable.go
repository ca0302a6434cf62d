// Package csvtable reads the CSV files that operators import: a header row whose columns may stand in any order, and a row a line. Columns
// are parted by commas, semicolons or tabs: which of them a spreadsheet writes depends on its country, and the header tells. Every
// fault is named with its line, so that a file is mended at once.
package csvtable

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Columns are those of a file.
type Columns struct {
	Required []string
	Optional []string
	// Any says that there may be others, too, which Row.Get returns as well: a list that somebody else's program has written, say.
	Any bool
}

// All returns the names of the columns, those that are required first.
func (c Columns) All() []string { return slices.Concat(c.Required, c.Optional) }

// MaxFaults is how many faults are told of at once; of the others it is told how many there are.
const MaxFaults = 50

// Row is a line of a file.
type Row struct {
	Line   int // from 1
	values map[string]string
}

// Get returns the value of a column without the space around it; empty where the file has no such column.
func (r Row) Get(column string) string { return r.values[column] }

// Read hands each row to take, which returns what is wrong with it. It returns every fault with its line: none means that the file is
// right and has at least one row. Names of columns may be in any case, and a byte order mark, with which spreadsheets begin a file, is
// left out, as are empty lines. Of more than MaxFaults faults it returns the first, and how many there are beside them.
func Read(text string, c Columns, take func(Row) (faults []string)) []string {
	return Few(read(text, c, take))
}

// Few keeps the first MaxFaults faults, and says how many there are beside them.
func Few(faults []string) []string {
	if more := len(faults) - MaxFaults; more > 0 {
		return append(faults[:MaxFaults:MaxFaults], fmt.Sprintf("and %d more", more))
	}
	return faults
}

func read(text string, c Columns, take func(Row) (faults []string)) (faults []string) {
	if !utf8.ValidString(text) {
		return []string{"the file is not in UTF-8"}
	}
	text = strings.TrimPrefix(text, "\ufeff")
	in := parted(text, c.separator(text))
	header, err := in.Read()
	if err != nil {
		return []string{"the file has no header row: it begins with " + strings.Join(c.All(), ",")}
	}
	if faults := c.check(header); len(faults) > 0 {
		return faults
	}
	rows := 0
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			faults = append(faults, fmt.Sprintf("line %d: %v", bad.StartLine, bad.Err))
			if errors.Is(bad.Err, csv.ErrFieldCount) {
				continue
			}
			return faults // a quote that does not end: what follows cannot be told apart
		}
		rows++
		row := Row{values: make(map[string]string, len(header))}
		row.Line, _ = in.FieldPos(0)
		for i, name := range header {
			row.values[name] = strings.TrimSpace(fields[i])
		}
		for _, f := range take(row) {
			faults = append(faults, fmt.Sprintf("line %d: %s", row.Line, f))
		}
	}
	if rows == 0 && len(faults) == 0 {
		faults = []string{"the file has no row but its header"}
	}
	return faults
}

func parted(text string, by rune) *csv.Reader {
	in := csv.NewReader(strings.NewReader(text))
	in.Comma, in.TrimLeadingSpace = by, by != '\t' // a tab that parts columns is no space before one
	return in
}

// separator returns what parts the columns of the header: what gives the most that are known, a comma when in doubt.
func (c Columns) separator(text string) rune {
	best, most := ',', 0
	for _, by := range []rune{',', ';', '\t'} {
		header, _ := parted(text, by).Read() // without one nothing is known
		found := 0
		for _, name := range header {
			if slices.Contains(c.All(), columnName(name)) {
				found++
			}
		}
		if found > most {
			best, most = by, found
		}
	}
	return best
}

// columnName returns the name of a column as it is meant.
func columnName(written string) string { return strings.ToLower(strings.TrimSpace(written)) }

// check looks at the header, whose names it writes as they are meant.
func (c Columns) check(header []string) (faults []string) {
	known := c.All()
	for i, name := range header {
		header[i] = columnName(name)
		if !c.Any && !slices.Contains(known, header[i]) {
			faults = append(faults, fmt.Sprintf("line 1: there is no column %q; there are %s", name, strings.Join(known, ", ")))
		} else if slices.Index(header, header[i]) != i {
			faults = append(faults, fmt.Sprintf("line 1: the column %q is there twice", name))
		}
	}
	for _, name := range c.Required {
		if !slices.Contains(header, name) {
			faults = append(faults, fmt.Sprintf("line 1: the column %q is missing", name))
		}
	}
	return faults
}
