package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/store"
)

// ifClosed is the field of a request that names a template for the case that the window is closed.
const ifClosed = "if_window_closed"

// readyFallback makes the template ready that takes the place of a message when the window is closed, and returns its definition;
// nil when the request names none.
func (e *Engine) readyFallback(ctx context.Context, l *line, r *Request) (*kabar.TemplateDef, error) {
	if r.IfClosed == nil {
		return nil, nil
	}
	if r.Content.Kind() == kabar.KindTemplate {
		return nil, kabar.Refuse(kabar.ReasonInvalid, ifClosed, "has no place in a message that is a template")
	}
	instead := Request{Content: r.IfClosed, AnyFlow: r.AnyFlow}
	def, err := e.ready(ctx, l, &instead)
	if err == nil {
		err = errors.Join(instead.checkMarketing(), kabar.CheckSize(instead.Content))
	}
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		below := *refused
		below.Field = ifClosed + "." + refused.Field
		return nil, &below
	}
	return def, err
}

// takeFallback makes a message the template that was named for the case that the window is closed. It reports whether one was.
func takeFallback(m *kabar.Message) bool {
	if m.IfClosed == nil {
		return false
	}
	m.Content, m.IfClosed = m.IfClosed, nil
	return true
}

// fallBack makes a message that has found the window closed while it waited its fallback, under the id that the sender knows and by the rules
// that it would have met when it was accepted. It reports whether the message is held for a look at its template: then nothing is left to do.
func (t *task) fallBack(ctx context.Context) (held bool, err error) {
	err = t.e.db.Write(ctx, t.want, func(tx *store.Tx) error {
		c, m, err := t.reread(tx)
		if err != nil {
			return err
		}
		if !takeFallback(m) {
			return nil
		}
		held, err = t.become(tx, c, m, t.e.now())
		t.msg = m
		return err
	})
	return held, err
}

// become stores a message as what it has become.
func (t *task) become(tx *store.Tx, c *kabar.Conversation, m *kabar.Message, now time.Time) (held bool, err error) {
	instead, ok := m.Content.(*kabar.Template)
	if !ok {
		return false, fmt.Errorf("the fallback of message %d is a %s", m.ID, m.Content.Kind())
	}
	def, err := tx.FindTemplate(m.Account, instead.Name, instead.Language.Code)
	if err != nil {
		return false, err
	}
	if def != nil && m.Expires.Equal(m.At.Add(kabar.DefaultTTL)) { // the request has not said how long it lives
		m.Expires = m.At.Add(def.Lifetime())
	}
	if err := t.e.reprice(tx, t.line, c, m, now); err != nil {
		return false, err
	}
	if err := errors.Join(tx.SetContent(m), t.e.count(tx, m, now)); err != nil || def == nil {
		return false, err
	}
	if held, err = t.e.pacing(tx, def, m, now); held && err == nil {
		err = tx.RemoveJob(m.Number, t.job.ID) // releaseHeld adds another
	}
	return held, err
}
