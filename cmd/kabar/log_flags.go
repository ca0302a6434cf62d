package main

import (
	"context"
	"io"
	"log/slog"

	"kabar/internal/logs"
	"kabar/internal/metrics"
)

// logFlags say what a program logs, and how.
type logFlags struct {
	LogLevel   string `help:"What to log: debug, info, warn or error." default:"info" enum:"debug,info,warn,error" reload:""`
	LogFormat  string `help:"How to log: text or json." default:"text" enum:"text,json"`
	LogNumbers bool   `help:"Show phone numbers in clear in the log, where 62…90#a1b2 stands otherwise."`
}

// open returns the log that the flags ask for. Their enums let nothing through that it could not be.
func (f *logFlags) open(w io.Writer) *logs.Log {
	l, err := logs.New(w, logs.Options{Format: f.LogFormat, Level: f.level(), Numbers: f.LogNumbers})
	if err != nil {
		panic(err)
	}
	return l
}

// level returns the level, for open and for a reload.
func (f *logFlags) level() slog.Level {
	level, err := logs.ParseLevel(f.LogLevel)
	if err != nil {
		return slog.LevelInfo
	}
	return level
}

func newLog(w io.Writer, level string) *slog.Logger {
	return (&logFlags{LogLevel: level}).open(w).Logger()
}

// accessLog logs each answered request at debug level: its id and its route, neither path nor query.
func accessLog(log *slog.Logger) func(context.Context, metrics.Served) {
	return func(ctx context.Context, s metrics.Served) {
		if !log.Enabled(ctx, slog.LevelDebug) { // as a rule: nothing is put together for it
			return
		}
		log.DebugContext(ctx, "request", "request_id", s.RequestID, "surface", s.Surface, "route", s.Route, "method", s.Method,
			"status", s.Status, "duration", s.Duration)
	}
}
