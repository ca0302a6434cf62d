package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"kabar/internal/torture/history"
)

// The exit statuses.
const (
	good       = 0
	violated   = 1
	unreadable = 2
)

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

// command is the program; it returns the exit status.
func command(args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(errs)
	asJSON := flags.Bool("json", false, "print one JSON object")
	flags.Usage = func() { _, _ = fmt.Fprintln(errs, "usage: check [--json] DIR") } // nobody is left to tell
	if flags.Parse(args) != nil {
		return unreadable
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return unreadable
	}
	records, err := history.Read(flags.Arg(0))
	if err != nil {
		_, _ = fmt.Fprintln(errs, "check:", err) // nobody is left to tell
		return unreadable
	}
	r := index(records)
	rep := report(r, judge(r))
	write := rep.text
	if *asJSON {
		write = rep.json
	}
	if err := write(out); err != nil {
		return unreadable
	}
	switch {
	case len(rep.Violations) > 0:
		return violated
	case r.quiet == nowhere:
		_, _ = fmt.Fprintln(errs, "check: the history has no end: what is missing in it may have been under way") // as above
		return unreadable
	}
	return good
}

// verdict is what is printed.
type verdict struct {
	Records      int       `json:"records"`
	Asked        int       `json:"asked"`
	Acknowledged int       `json:"acknowledged"`
	Violations   []finding `json:"violations"`
}

type finding struct {
	Rule    string  `json:"rule"`
	What    string  `json:"what"`
	Records []where `json:"records"`
}

// where leads to a line of the history: the file, and the time in it.
type where struct {
	File string     `json:"file"`
	At   int64      `json:"at"`
	Op   history.Op `json:"op"`
}

func report(r *run, found []violation) verdict {
	v := verdict{Records: len(r.records), Asked: len(r.messages), Violations: []finding{}}
	for _, m := range r.messages {
		if m.ok != nowhere {
			v.Acknowledged++
		}
	}
	for _, f := range found {
		b := finding{Rule: f.rule, What: f.what}
		for _, at := range f.records {
			rec := &r.records[at]
			b.Records = append(b.Records, where{rec.By + ".jsonl", rec.At, rec.Op})
		}
		v.Violations = append(v.Violations, b)
	}
	return v
}

func (v verdict) json(out io.Writer) error { return json.NewEncoder(out).Encode(v) }

func (v verdict) text(out io.Writer) error {
	var b strings.Builder
	for _, x := range v.Violations {
		fmt.Fprintf(&b, "%s: %s", x.Rule, x.What)
		for _, w := range x.Records {
			fmt.Fprintf(&b, " [%s %d %s]", w.File, w.At, w.Op)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "check: %d records, %d messages asked, %d acknowledged, %d violations\n", v.Records, v.Asked, v.Acknowledged, len(v.Violations))
	_, err := io.WriteString(out, b.String())
	return err
}
