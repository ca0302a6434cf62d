package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"kabar"
	"kabar/internal/control"
)

// listFlags are those of commands that show what there is.
type listFlags struct {
	JSON bool `name:"json" help:"Print JSON, for programs." env:"-"`
}

// print writes v as JSON if that was asked for, else what the table's rows hold; without rows it says what to do.
func (f *listFlags) print(w io.Writer, v any, empty, header string, rows [][]string) error {
	if f.JSON {
		return printJSON(w, v)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, empty)
		return err
	}
	return printTable(w, header, rows)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printTable writes rows below a header whose names are separated by |, in columns.
func printTable(w io.Writer, header string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{strings.Split(header, "|")}, rows...) {
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return t.Flush()
}

// moment writes a time as lists show it; otherwise stands for none.
func moment(t time.Time, otherwise string) string {
	if t.IsZero() {
		return otherwise
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// orDash stands for an empty cell.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// told turns a refusal of the product's rules into one that is shown as it is: its explanation alone says what is wrong. What
// the rules did not refuse, but the server could not do, stays an error.
func told(err error) error {
	refused, ok := errors.AsType[*kabar.Error](err)
	if !ok || refused.Detail == "" {
		return err
	}
	switch refused.Reason {
	case kabar.ReasonStore, kabar.ReasonInternal, kabar.ReasonNotReady, kabar.ReasonOverloaded:
		return err
	}
	return control.Refuse("%s", refused.Explanation())
}
