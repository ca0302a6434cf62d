package engine

import (
	"context"
	"time"
)

// How often what has outlived its time is removed, and how old a media file without a row must be: older than any upload
// can last, in real time.
const (
	sweepEvery = 10 * time.Minute
	orphanAge  = 24 * time.Hour
)

// sweep removes what has outlived its time, for as long as the engine runs.
func (e *Engine) sweep(ctx context.Context) error {
	var collect time.Time // when to collect
	for {
		e.erasures.Resume(ctx)
		if !e.now().Before(collect) {
			collect = e.collectByItself(ctx)
		}
		if err := e.sweepRows(ctx); err != nil && ctx.Err() == nil {
			e.log.Warn("sweep the store", "err", err)
		}
		if err := e.sweepUploads(ctx); err != nil && ctx.Err() == nil {
			e.log.Warn("sweep uploads", "err", err)
		}
		if err := e.sweepMedia(ctx); err != nil && ctx.Err() == nil {
			e.log.Warn("sweep media files", "err", err)
		}
		next := e.now().Add(sweepEvery)
		if collect.Before(next) { // soon, or passed already: the clock was shifted meanwhile
			next = collect
		}
		if err := e.Until(ctx, next); err != nil {
			return err
		}
	}
}

// sweepRows removes rows a chunk at a time, so that nobody waits long behind it.
func (e *Engine) sweepRows(ctx context.Context) error {
	for {
		n, err := e.db.Sweep(ctx, e.now())
		if err != nil || n == 0 {
			return err
		}
	}
}

// sweepMedia removes files that no row names: left behind when a process was killed between file and row. A file whose row
// cannot be looked for stays.
func (e *Engine) sweepMedia(ctx context.Context) error {
	n, err := e.media.Sweep(ctx, func(file string) bool {
		known, err := e.db.HasFile(ctx, file)
		return known || err != nil
	}, orphanAge)
	if n > 0 {
		e.log.Info("media files that nothing names are removed", "files", n)
	}
	return err
}
