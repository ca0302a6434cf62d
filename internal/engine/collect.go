package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// collectAge is how old messages are, and how long nobody has used media, when they are collected (contract On-Premises API,
// sections 1.11 and 4).
const collectAge = 30 * 24 * time.Hour

// collectEvery is how often what the settings ask for is collected by itself.
const collectEvery = 24 * time.Hour

// collection is a request to collect.
type collection struct {
	number kabar.NumberID
	what   kabar.Collection
}

// Collect has messages or media of a number collected that are older than 30 days, whatever the settings say: soon, one
// collection at a time. An event tells of the end. A collection that is asked for again before it has ended is one. One that
// the end of the process breaks off has no event.
func (e *Engine) Collect(n kabar.NumberID, what kabar.Collection) error {
	if _, err := e.line(n); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := (collection{n, what}); !slices.Contains(e.collections, c) {
		e.collections = append(e.collections, c)
	}
	select {
	case e.collect <- struct{}{}:
	default: // it is awake
	}
	return nil
}

// collector collects what is asked for, until ctx ends.
func (e *Engine) collector(ctx context.Context) error {
	for {
		for c, ok := e.nextCollection(); ok; c, ok = e.nextCollection() {
			removed, err := e.collectNow(ctx, c)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := e.tellCollected(ctx, c, removed, err); err != nil {
				e.log.WarnContext(ctx, "tell of a collection", "error", err)
			}
		}
		select {
		case <-e.collect:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nextCollection returns the oldest request. It stays where it is until its end, so that others join it.
func (e *Engine) nextCollection() (c collection, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.collections) == 0 {
		return c, false
	}
	return e.collections[0], true
}

// tellCollected adds the event of a collection's end and forgets the request.
func (e *Engine) tellCollected(ctx context.Context, c collection, removed int, failure error) error {
	e.mu.Lock()
	e.collections = e.collections[1:]
	e.mu.Unlock()
	if failure != nil {
		e.log.WarnContext(ctx, "a collection has failed", "what", c.what, "removed", removed, "error", failure)
	}
	l, err := e.line(c.number)
	if err != nil {
		return err
	}
	return e.db.Write(ctx, func(tx *store.Tx) { tx.WantSeq(c.number) }, func(tx *store.Tx) error {
		return e.addEvent(tx, l, &kabar.Event{Account: l.number.Account, Number: c.number, Kind: kabar.EventCollected, At: e.now(),
			Collected: &kabar.Collected{What: c.what, Removed: removed, Failed: failure != nil}})
	})
}

// collectByItself collects what accounts and the numbers' settings ask for. It returns when the next time is.
func (e *Engine) collectByItself(ctx context.Context) (next time.Time) {
	next = e.now().Add(collectEvery)
	for n, l := range e.attached() {
		kept, err := e.db.Retention(ctx, l.number.Account)
		if err == nil {
			err = e.collectKept(ctx, n, &l.settings, kept)
		}
		if err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "collect", "error", err)
		}
	}
	return next
}

// collectKept collects what a number has kept for long enough. What its account says goes before its settings.
func (e *Engine) collectKept(ctx context.Context, n kabar.NumberID, s *kabar.Settings, kept kabar.Retention) error {
	now := e.now()
	messages, events := keptSince(now, kept.Messages, !s.KeepMessages), keptSince(now, kept.Events, false)
	if kept.Events == nil {
		events = messages
	}
	broadcasts := keptSince(now, kept.Broadcasts, false)
	if kept.Broadcasts == nil {
		broadcasts = messages
	}
	e.collecting.Lock()
	defer e.collecting.Unlock()
	for _, of := range []struct {
		what    string
		collect func(context.Context, kabar.NumberID, time.Time) (int, error)
		before  time.Time
	}{
		{"messages", e.collectMessages, messages}, {"events", e.collectEvents, events},
		{"media", e.collectMedia, keptSince(now, kept.Media, s.CollectMedia)}, {"answers", e.collectAnswers, now},
		{"broadcasts", e.broadcasts.collect, broadcasts},
	} {
		if of.before.IsZero() {
			continue
		}
		removed, err := of.collect(ctx, n, of.before)
		if err != nil {
			return fmt.Errorf("%s: %w", of.what, err)
		}
		if removed > 0 {
			e.log.InfoContext(ctx, "collected", "what", of.what, "removed", removed)
		}
	}
	return nil
}

// keptSince returns since when things are kept: for so many days, without end (the zero time) for 0, and as long as the settings have it
// where nobody has said.
func keptSince(now time.Time, days *int, collects bool) time.Time {
	switch {
	case days == nil && collects:
		return now.Add(-collectAge)
	case days == nil || *days == 0:
		return time.Time{}
	}
	return now.Add(-time.Duration(*days) * 24 * time.Hour)
}

// collectNow collects, while nobody else does. It works a thousand rows at a time, so that nobody waits long behind it.
func (e *Engine) collectNow(ctx context.Context, c collection) (removed int, err error) {
	e.collecting.Lock()
	defer e.collecting.Unlock()
	before := e.now().Add(-collectAge)
	if c.what == kabar.CollectMedia {
		return e.collectMedia(ctx, c.number, before)
	}
	removed, err = e.collectMessages(ctx, c.number, before)
	if err == nil {
		_, err = e.collectEvents(ctx, c.number, before)
	}
	return removed, err
}

func (e *Engine) collectMedia(ctx context.Context, n kabar.NumberID, before time.Time) (removed int, err error) {
	for {
		some, files, err := e.db.CollectMedia(ctx, n, before)
		for _, file := range files {
			e.discard(file)
		}
		if removed += some; err != nil || some == 0 {
			return removed, err
		}
	}
}

func (e *Engine) collectMessages(ctx context.Context, n kabar.NumberID, before time.Time) (removed int, err error) {
	var after kabar.MessageID
	for {
		some, next, err := e.db.CollectMessages(ctx, n, after, before, func(tx *store.Tx, m *kabar.Message) error {
			_, err := endCharge(tx, m, kabar.LedgerRelease, e.now())
			return err
		})
		if removed += some; err != nil || next == 0 {
			return removed, err
		}
		after = next
	}
}

// collectEvents collects events, those included that an endpoint has not had: what it has missed stays on record.
func (e *Engine) collectEvents(ctx context.Context, n kabar.NumberID, before time.Time) (removed int, err error) {
	for {
		some, err := e.db.CollectEvents(ctx, n, before, e.now(), func(ep *kabar.Endpoint, ev *kabar.Event) bool { return ep.Filter.Wants(ev) })
		if removed += some; err != nil || some == 0 {
			return removed, err
		}
	}
}

// collectAnswers collects answers that have outlived what their account says.
func (e *Engine) collectAnswers(ctx context.Context, n kabar.NumberID, now time.Time) (removed int, err error) {
	for after, done := (store.AnswerPlace{}), false; !done; {
		var some int
		if some, after, done, err = e.db.CollectAnswers(ctx, n, after, now); err != nil {
			return removed, err
		}
		removed += some
	}
	return removed, nil
}
