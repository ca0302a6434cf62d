package engine

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"kabar"
	"kabar/internal/store"
)

// meters hold numbers to their throughput. The zero value is ready.
type meters struct {
	mu sync.Mutex
	of map[kabar.NumberID]*kabar.Meter
}

// meter returns a number's meter; the caller holds the lock. One of another limit than the number has now begins anew.
func (m *meters) meter(n kabar.NumberID, limit kabar.Throughput) *kabar.Meter {
	meter := m.of[n]
	if meter == nil || meter.Limit != limit {
		if m.of == nil {
			m.of = map[kabar.NumberID]*kabar.Meter{}
		}
		meter = kabar.NewMeter(limit)
		m.of[n] = meter
	}
	return meter
}

// take counts a message that is to be accepted, and returns how long there may be none; 0: it may.
func (m *meters) take(l *line, now time.Time) (wait time.Duration) {
	limit := l.settings.Limits.Throughput
	if limit == 0 {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.meter(l.number.ID, limit).Take(now)
}

// count counts a message of a customer.
func (m *meters) count(l *line, now time.Time) {
	limit := l.settings.Limits.Throughput
	if limit == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meter(l.number.ID, limit).Count(now)
}

// giveBack takes back what take has counted of a message that was not accepted.
func (m *meters) giveBack(l *line) {
	limit := l.settings.Limits.Throughput
	if limit == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meter(l.number.ID, limit).Return()
}

// tooFast refuses a message for which it is too early.
func tooFast(why kabar.Reason, wait time.Duration, detail string, args ...any) error {
	refused := kabar.Refuse(why, "", detail, args...)
	refused.After = wait
	return refused
}

// admit makes a commit, in which the message may be accepted, within the number's throughput. What is refused does not count, nor does what
// was answered before.
func (s *sending) admit(ctx context.Context, hint func(*store.Tx), commit func(*store.Tx) error) error {
	if wait := s.e.meters.take(s.line, s.now); wait > 0 {
		return tooFast(kabar.ReasonThroughput, wait, "the number has had %s messages in a second, those of customers included",
			s.line.settings.Limits.Throughput)
	}
	err := s.e.db.Write(ctx, hint, commit)
	if err != nil || s.sent == nil || s.sent.Replayed {
		s.e.meters.giveBack(s.line)
	}
	return store.Refusal(err)
}

// pair counts a message to a customer, whose conversation is stored with the message.
func (s *sending) pair(c *kabar.Conversation) error {
	if !s.line.settings.Limits.PairRate {
		return nil
	}
	if wait := c.Pair.Take(s.now); wait > 0 {
		return tooFast(kabar.ReasonPair, wait, "a customer gets one message in %d seconds, and up to %d of them ahead of time, after which they are waited for",
			int(kabar.PairEvery.Seconds()), kabar.PairBurst)
	}
	return nil
}

// ChangeLimits applies change to a number's limits, and returns what they are now. They hold at once, and the number is told.
func (e *Engine) ChangeLimits(ctx context.Context, id kabar.NumberID, change func(*kabar.Limits) error) (now kabar.Limits, err error) {
	e.setting.Lock()
	defer e.setting.Unlock()
	err = e.db.Write(ctx, nil, func(tx *store.Tx) error {
		n, s, err := WriteLimits(tx, id, e.now(), change)
		if err != nil {
			return err
		}
		now = s.Limits
		tx.After(func() { e.changed(n, s) })
		return nil
	})
	return now, store.Refusal(err)
}

// WriteLimits is ChangeLimits in a transaction, for a store that no engine runs on. It returns the number and its settings.
func WriteLimits(tx *store.Tx, id kabar.NumberID, now time.Time, do func(*kabar.Limits) error) (*kabar.Number, kabar.Settings, error) {
	n, s, err := tx.Number(id)
	if err != nil {
		return nil, s, err
	}
	was := s.Limits
	if err := do(&s.Limits); err != nil || s.Limits == was {
		return n, s, err
	}
	s.Upgrade = time.Time{}
	if err := tx.SaveNumber(n, s); err != nil {
		return nil, s, err
	}
	change := &kabar.LimitChange{Was: was, Now: s.Limits}
	if !change.News() {
		return n, s, nil
	}
	return n, s, tx.AddEvent(&kabar.Event{Account: n.Account, Number: id, Kind: kabar.EventLimits, At: now, Limits: change})
}

// raiseEvery is how often it is looked whether numbers may have more. The contract has it happen within six hours.
const raiseEvery = time.Hour

// timeLimits gives numbers more that have earned it, and forgets whom accounts have reached long ago, as long as the engine runs.
func (e *Engine) timeLimits(ctx context.Context) error {
	for {
		if err := errors.Join(e.sweepReach(ctx), e.raiseLimits(ctx)); err != nil && ctx.Err() == nil {
			e.log.Warn("look after limits", "err", err)
		}
		if err := e.Until(ctx, e.nextRaise()); err != nil {
			return err
		}
	}
}

// nextRaise is when to look again: in raiseEvery, or when an upgrade ends; soon when one could not be ended.
func (e *Engine) nextRaise() time.Time {
	now := e.now()
	next := now.Add(raiseEvery)
	for _, l := range e.attached() {
		switch upgrade := l.settings.Upgrade; {
		case upgrade.After(now):
			next = earlier(next, upgrade)
		case !upgrade.IsZero():
			next = earlier(next, now.Add(pauseStore))
		}
	}
	return next
}

// raiseLimits gives each number the limits that follow from its use.
func (e *Engine) raiseLimits(ctx context.Context) error {
	for id, l := range e.attached() {
		was := l.settings.Limits
		if was.Tier == 0 && l.settings.Upgrade.IsZero() {
			continue
		}
		reach, err := e.Reach(ctx, l.number.Account)
		if err != nil {
			return err
		}
		quality, err := e.Quality(ctx, l.number)
		if err != nil {
			return err
		}
		next := was.Raised(reach, quality)
		if next == was && l.settings.Upgrade.IsZero() {
			continue
		}
		if err := e.raise(ctx, id, was, next); err != nil {
			return err
		}
	}
	return nil
}

// raise gives a number other limits, unless somebody has changed them meanwhile. More throughput comes UpgradeTime after it was found
// to be due; until then the number sends nothing.
func (e *Engine) raise(ctx context.Context, id kabar.NumberID, was, next kabar.Limits) error {
	detail, err := json.Marshal(kabar.LimitChange{Was: was, Now: next})
	if err != nil {
		return err
	}
	e.setting.Lock()
	defer e.setting.Unlock()
	return e.db.Write(ctx, nil, func(tx *store.Tx) error {
		n, s, err := tx.Number(id)
		if err != nil {
			return err
		}
		later := upgrades(&s, was, next, e.now())
		if err := tx.SaveNumber(n, s); err != nil {
			return err
		}
		if !later {
			n, s, err = WriteLimits(tx, id, e.now(), func(l *kabar.Limits) error {
				if *l == was {
					*l = next
				}
				return nil
			})
		}
		if err != nil {
			return err
		}
		tx.After(func() { e.changed(n, s) })
		if later || next == was || s.Limits != next {
			return nil
		}
		return tx.AddAudit(&store.Audit{Account: n.Account, At: e.now(), Actor: ActorQuality, Action: "number.raised", Subject: "number/" + n.Digits,
			Detail: string(detail)})
	})
}

// upgrades plans a rise of throughput, and reports whether its time has not come. What no longer rises is not waited for.
func upgrades(s *kabar.Settings, was, next kabar.Limits, now time.Time) bool {
	switch {
	case next.Throughput == was.Throughput || s.Limits != was:
		s.Upgrade = time.Time{}
	case s.Upgrade.IsZero():
		s.Upgrade = now.Add(kabar.UpgradeTime)
	}
	if now.Before(s.Upgrade) {
		return true
	}
	s.Upgrade = time.Time{}
	return false
}
