package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// table shows figures to people: a row holds the names of figures, or words.
type table struct {
	title string
	about string // one line
	head  []string
	rows  [][]string
}

// add adds a row of the figures whose keys have a common beginning.
func (t *table) add(title, prefix string, keys ...string) {
	row := []string{title}
	for _, key := range keys {
		row = append(row, "="+prefix+key)
	}
	t.rows = append(t.rows, row)
}

// missing stands where a figure could not be had.
const missing = "-"

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	m := &r.Machine
	fmt.Fprintf(&b, "%s on %s, %d cores, %.1f GiB, %s, %s; %s on %s, %s fsync/s\n", r.Program, m.CPU, m.Cores, float64(m.Memory)/(1<<30), m.OS, m.Go,
		r.Database, m.Filesystem, thousands(m.Fsync, 0))
	for _, t := range r.tables {
		fmt.Fprintf(&b, "\n%s\n  %s\n", t.title, t.about)
		t.print(&b, r)
	}
	if len(r.notes) > 0 {
		b.WriteString("\n")
	}
	for _, n := range r.notes {
		fmt.Fprintf(&b, "Note: %s\n", n)
	}
	fmt.Fprintf(&b, "\nTook %s. To repeat it: %s\n", r.Took.Round(1e9), r.Command)
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *table) print(b *strings.Builder, r *Report) {
	lines := [][]string{t.head}
	for _, row := range t.rows {
		line := make([]string, len(row))
		for i, cell := range row {
			line[i] = r.cell(cell)
		}
		lines = append(lines, line)
	}
	widths := make([]int, len(t.head))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		var text strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				text.WriteString("  " + cell + pad)
			} else {
				text.WriteString("  " + pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
}

// cell returns a figure as people read it. What begins with "=" names one; anything else are words.
func (r *Report) cell(cell string) string {
	key, named := strings.CutPrefix(cell, "=")
	if !named {
		return cell
	}
	v, ok := r.Figure(key)
	if !ok {
		return missing
	}
	if v >= 100 {
		return thousands(v, 0)
	}
	return thousands(v, digits(key))
}

// thousands writes a number with a comma between thousands.
func thousands(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	whole, rest, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	return whole
}
