package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/localize"
	"kabar/internal/store"
)

// MayWork refuses what a number cannot do now, whatever it sends.
func (e *Engine) MayWork(id kabar.NumberID) error {
	l, err := e.line(id)
	if err != nil {
		return err
	}
	return l.mayWork(e.now())
}

// mayWork refuses what a number cannot do at now, whatever it sends.
func (l *line) mayWork(now time.Time) error {
	switch wait := l.settings.Upgrade.Sub(now); {
	case l.settings.Deregistered:
		return kabar.Refuse(kabar.ReasonUnregistered, "", "the number was deregistered: register it first")
	case !l.settings.Naming.Approved():
		return kabar.Refuse(kabar.ReasonName, "", "%q is %s: nothing is sent until a name is approved", l.number.Profile.Name, l.settings.Naming.Current())
	case wait > 0:
		return tooFast(kabar.ReasonUpgrade, wait, "the number gets more throughput, and sends again within a minute")
	}
	return nil
}

// ready checks a content and fills in what only the store knows: the rendered template, the products, the facts of a medium.
// It returns the template, if the content is one.
func (e *Engine) ready(ctx context.Context, l *line, r *Request) (*kabar.TemplateDef, error) {
	c := r.Content
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if t, ok := c.(*kabar.Template); ok {
		def, err := e.render(ctx, l, t)
		if err != nil {
			return nil, err
		}
		if err := e.openFlows(ctx, l, t.Rendered.Buttons, r.AnyFlow); err != nil {
			return nil, err
		}
		if err := e.showTemplate(ctx, l, t.Rendered); err != nil {
			return nil, err
		}
		return def, e.describeAll(ctx, l, c, kabar.ReasonTemplateMedia)
	}
	if i, ok := c.(*kabar.Interactive); ok {
		if err := e.readyInteractive(ctx, l, i, r.AnyFlow); err != nil {
			return nil, err
		}
	}
	return nil, e.describeAll(ctx, l, c, kabar.ReasonMediaUnfit)
}

// readyInteractive fills in the products that the message shows, and the flow that it opens.
func (e *Engine) readyInteractive(ctx context.Context, l *line, i *kabar.Interactive, foreign bool) error {
	if i.ShowsProducts() {
		return e.show(ctx, l, i)
	}
	if f := i.Action.Flow; f != nil {
		return e.openFlow(ctx, l, "interactive.action.parameters.", f, foreign)
	}
	return nil
}

func (e *Engine) render(ctx context.Context, l *line, t *kabar.Template) (*kabar.TemplateDef, error) {
	def, err := e.db.SendableTemplate(ctx, l.number.Account, t.Name, t.Language.Code)
	if store.IsNotFound(err) {
		return nil, e.noTemplate(ctx, l, t)
	}
	if err != nil {
		return nil, err
	}
	t.ID, t.Category = def.ID, def.Category
	t.Rendered, err = def.Render(t, localize.Format{})
	return def, err
}

// noTemplate says what is missing: the template, or every one of its language, the pack.
func (e *Engine) noTemplate(ctx context.Context, l *line, t *kabar.Template) error {
	some, err := e.db.HasTemplates(ctx, l.number.Account, t.Language.Code)
	if err != nil {
		return err
	}
	if !some {
		return kabar.Refuse(kabar.ReasonTemplatePack, "template.language.code", "there are no templates in %q", t.Language.Code)
	}
	return kabar.Refuse(kabar.ReasonTemplateMissing, "template.name", "there is no template %q in %q", t.Name, t.Language.Code)
}
