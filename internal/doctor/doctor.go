// Package doctor looks for what would stop a server, or soon will, and names the next command for each thing it finds.
//
// A Check asks and judges; what it asks is handed in, so that each can be tested without a broken machine. Run runs checks
// side by side, each for ten seconds at most, and keeps their order. A check changes nothing: it sends no event, writes no
// message, and asks endpoints with HEAD only.
//
// The package opens no store and knows no flags: cmd/kabar puts checks together, those of the machine in the command's own
// process, the inner ones in the server when it runs. Details may name hosts, files and numbers; they hold no secrets.
package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Level is how a check has ended.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Skip Level = "skip" // it could not be looked at; Detail says what is missing
	Warn Level = "warn" // it works, and will not for long, or less well than it could
	Fail Level = "fail" // it does not work
)

// Result is what a check has found.
type Result struct {
	Level  Level  `json:"level"`
	Detail string `json:"detail"`        // what is, in a sentence without a full stop
	Fix    string `json:"fix,omitempty"` // what to do: a command where there is one
}

// Fine says that all is well.
func Fine(format string, args ...any) Result {
	return Result{Level: OK, Detail: fmt.Sprintf(format, args...)}
}

// Skipped says why a check was not made.
func Skipped(format string, args ...any) Result {
	return Result{Level: Skip, Detail: fmt.Sprintf(format, args...)}
}

// Check looks at one thing.
type Check struct {
	Name string
	Run  func(ctx context.Context) Result
}

// Known returns a check whose result is known already.
func Known(name string, r Result) Check {
	return Check{name, func(context.Context) Result { return r }}
}

// Line is a check with its result.
type Line struct {
	Name string `json:"name"`
	Result
}

// checkTime bounds a check. One that does not look at its context is left behind.
const checkTime = 10 * time.Second

// Run runs all checks side by side and returns their results in the order given.
func Run(ctx context.Context, checks []Check) []Line {
	lines := make([]Line, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTime)
			defer cancel()
			lines[i] = Line{c.Name, c.Run(ctx)}
		})
	}
	wg.Wait()
	return lines
}

// Healthy says whether nothing has failed. A warning is no failure.
func Healthy(lines []Line) bool {
	for _, l := range lines {
		if l.Level == Fail {
			return false
		}
	}
	return true
}

// symbols begin the lines; a failure is the one in capitals.
var symbols = map[Level]string{OK: "ok  ", Skip: "-   ", Warn: "warn", Fail: "FAIL"}

// Write writes one line a check, and below those that need it what to do.
func Write(w io.Writer, lines []Line) error {
	width := 0
	for _, l := range lines {
		width = max(width, utf8.RuneCountInString(l.Name))
	}
	var b strings.Builder
	for _, l := range lines {
		pad := strings.Repeat(" ", width-utf8.RuneCountInString(l.Name))
		fmt.Fprintf(&b, "%s  %s%s  %s\n", symbols[l.Level], l.Name, pad, oneLine(l.Detail))
		if l.Fix != "" {
			fmt.Fprintf(&b, "      %s  fix: %s\n", strings.Repeat(" ", width), oneLine(l.Fix))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// oneLine keeps what others say from beginning lines of its own.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// WriteJSON writes one object: whether all is well, and the checks.
func WriteJSON(w io.Writer, lines []Line) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Healthy bool   `json:"healthy"`
		Checks  []Line `json:"checks"`
	}{Healthy(lines), lines})
}
