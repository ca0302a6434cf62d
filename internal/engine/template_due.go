package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// rateEvery is how often templates in use get their score, beside the moments in which a customer blocks the number; chunkDue
// is how many templates are looked at before the time is looked at again.
const (
	rateEvery = time.Hour
	chunkDue  = 100
)

// timeTemplates has happen to templates what happens by itself, as long as the engine runs.
func (e *Engine) timeTemplates(ctx context.Context) error {
	if err := e.db.FillTemplates(ctx); err != nil && ctx.Err() == nil {
		e.log.Warn("fill in templates", "err", err)
	}
	var rate time.Time // when to rate
	for {
		err := e.dueTemplates(ctx)
		if err == nil {
			err = e.releaseHeld(ctx)
			e.stirred.fire() // broadcasts may wait for what has become of a template
		}
		if now := e.now(); err == nil && !now.Before(rate) {
			rate = now.Add(rateEvery)
			err = e.rateTemplates(ctx)
		}
		next, nextErr := e.db.NextDue(ctx)
		if err == nil {
			err = nextErr
		}
		switch {
		case ctx.Err() != nil: // before the first rating there is no time to wait for
			return ctx.Err()
		case err != nil:
			e.log.Warn("look after templates", "err", err)
			next = e.now().Add(pauseStore)
		case next.IsZero() || next.After(rate):
			next = rate
		}
		if err := e.untilOr(ctx, next, e.templates.wake); err != nil {
			return err
		}
	}
}

// dueTemplates executes what is due.
func (e *Engine) dueTemplates(ctx context.Context) error {
	for {
		all, err := e.db.DueTemplates(ctx, e.now(), chunkDue)
		if err != nil || len(all) == 0 {
			return err
		}
		for _, d := range all {
			if err := e.tick(ctx, d); err != nil {
				return err
			}
		}
	}
}

// tick executes what is due of one template.
func (e *Engine) tick(ctx context.Context, d *kabar.TemplateDef) error {
	now := e.now()
	return e.templates.write(ctx, d.Account, ActorReview, func(tx *store.Tx) ([]kabar.TemplateChange, error) {
		d, err := tx.FindTemplate(d.Account, d.Name, d.Language)
		if err != nil || d == nil {
			return nil, err
		}
		changes, gone := d.Tick(now)
		if gone {
			return changes, tx.RemoveTemplate(d)
		}
		days, err := tx.UseOfDays(d.ID, kabar.DayOf(now))
		if err != nil {
			return nil, err
		}
		more, _, _ := d.PaceOver(now, days)
		return append(changes, more...), tx.SaveTemplate(d)
	})
}

// rateTemplates gives templates in use their score.
func (e *Engine) rateTemplates(ctx context.Context) error {
	used, err := e.db.UsedTemplates(ctx, kabar.DayOf(e.now())-kabar.TemplateDays)
	for _, u := range used {
		err = e.templates.write(ctx, u.Account, ActorQuality, func(tx *store.Tx) ([]kabar.TemplateChange, error) {
			return e.rate(tx, u)
		})
		if err != nil {
			return err
		}
	}
	return err
}

// rate gives a template its score.
func (e *Engine) rate(tx *store.Tx, u store.UsedTemplate) ([]kabar.TemplateChange, error) {
	d, err := tx.FindTemplate(u.Account, u.Name, u.Language)
	if err != nil || d == nil {
		return nil, err
	}
	now := e.now()
	days, err := tx.UseOfDays(d.ID, kabar.DayOf(now))
	if err != nil {
		return nil, err
	}
	changes := d.Rate(now, days)
	if len(changes) == 0 {
		return nil, nil
	}
	return changes, tx.SaveTemplate(d)
}

// releaseHeld sends or fails the messages that wait for templates of which it is known by now how customers take them.
func (e *Engine) releaseHeld(ctx context.Context) error {
	holding, err := e.db.TemplatesHolding(ctx)
	for _, u := range holding {
		d, err := e.db.Template(ctx, u.Account, u.Name, u.Language)
		if err != nil {
			if err = ignoreMissing(err); err != nil {
				return err
			}
			continue // it has been deleted meanwhile
		}
		if d.Life.Pace != nil && d.Status == kabar.TemplateApproved {
			continue
		}
		for more := true; more; {
			if more, err = e.release(ctx, d); err != nil {
				return err
			}
		}
	}
	return err
}

// release sends or fails up to a number of messages that wait for a template, and reports whether there may be more.
func (e *Engine) release(ctx context.Context, d *kabar.TemplateDef) (more bool, err error) {
	held, err := e.db.HeldMessages(ctx, d.Account, d.ID, chunkDue)
	if err != nil || len(held) == 0 {
		return false, err
	}
	var why kabar.Reason // empty: they go out
	switch d.Status {
	case kabar.TemplatePaused:
		why = kabar.ReasonTemplatePaused
	case kabar.TemplateDisabled:
		why = kabar.ReasonTemplateDisabled
	case kabar.TemplateRejected:
		why = kabar.ReasonTemplateRejected
	default: // approved, or deleted: what was accepted goes out
	}
	err = e.db.Write(ctx, func(tx *store.Tx) {
		for _, h := range held {
			tx.WantMessage(h.Message)
		}
	}, func(tx *store.Tx) error {
		for _, h := range held {
			if err := e.releaseOne(tx, h, why); err != nil {
				return err
			}
		}
		return nil
	})
	return err == nil, err
}

func (e *Engine) releaseOne(tx *store.Tx, h store.HeldMessage, why kabar.Reason) error {
	tx.Unhold(h.Template, h.Message)
	m, err := tx.Message(h.Number, h.Message)
	if err != nil {
		return ignoreMissing(err) // it has been collected
	}
	c, err := tx.Conversation(h.Number, m.Conversation)
	if err != nil {
		return err
	}
	if why == "" {
		return e.addJob(tx, c, jobSend, m.ID, nil)
	}
	l, err := e.line(h.Number)
	if err != nil {
		return err
	}
	return e.fail(tx, l, c, m, why, e.now())
}
