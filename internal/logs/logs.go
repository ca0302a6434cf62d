// Package logs builds the program's log: text or JSON, with a level that can be changed while it runs, and without what a
// log must not hold.
//
// A log is read by more people and kept in more places than the store, so three things are taken out of every line,
// whoever wrote it (mask.go, table.go):
//
//   - Phone numbers. A number becomes "62…90#a1b2": its ends, and four digits of a keyed hash. The same number has the same
//     form everywhere in the log of one run, so an operator can follow one customer. The key is made at the start of the
//     process and kept nowhere: forms of different runs cannot be compared, and nobody can compute one for a number. Options.Numbers
//     shows numbers in clear.
//   - Secrets and contents: attributes with such a name are "[redacted]" always.
//   - What a URL holds behind its host, where applications like to put secrets.
//
// It is a second line of defence and knows names, not meanings: whoever logs still passes ids instead of contents. A phone
// number in an unusual writing ("0811 100 02 00") within a text is not found. The package writes to what it is given, keeps no
// files and starts no goroutines. A Log is safe for concurrent use.
package logs

import (
	"fmt"
	"io"
	"log/slog"
)

// The forms of a log.
const (
	Text = "text"
	JSON = "json"
)

// Options say how a log looks. The zero value is text, from info on, with numbers masked.
type Options struct {
	Format  string // Text or JSON; empty: Text
	Level   slog.Level
	Numbers bool // show phone numbers in clear
}

// Log is a logger whose level can be changed.
type Log struct {
	logger *slog.Logger
	level  *slog.LevelVar
}

// New returns a log that writes to w, one Write a line.
func New(w io.Writer, o Options) (*Log, error) {
	l := &Log{level: new(slog.LevelVar)}
	l.level.Set(o.Level)
	m := newMasker(o)
	ho := &slog.HandlerOptions{Level: l.level, ReplaceAttr: m.replace}
	switch o.Format {
	case "", Text:
		l.logger = slog.New(slog.NewTextHandler(w, ho))
	case JSON:
		l.logger = slog.New(slog.NewJSONHandler(w, ho))
	default:
		return nil, fmt.Errorf("log format %q: want %s or %s", o.Format, Text, JSON)
	}
	return l, nil
}

// Logger returns the logger; it stays the same when the level changes.
func (l *Log) Logger() *slog.Logger { return l.logger }

// Level returns the level.
func (l *Log) Level() slog.Level { return l.level.Level() }

// SetLevel changes the level of everything that logs through l, at once.
func (l *Log) SetLevel(level slog.Level) { l.level.Set(level) }

// ParseLevel reads a level as the flags and the configuration file write it.
func ParseLevel(name string) (slog.Level, error) {
	switch name {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("log level %q: want debug, info, warn or error", name)
}
