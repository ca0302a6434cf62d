package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Templates are the templates of all accounts: written, judged, listed. What becomes of one is committed together with the
// event that tells of it and the entry of the audit log. It works without an Engine, too; then nothing happens to templates
// by itself. All methods are safe for concurrent use.
type Templates struct {
	db        *store.DB
	now       func() time.Time
	committed func(kabar.NumberID)
	making    sync.Mutex    // held while templates are made: how many there are is counted before
	wake      chan struct{} // something may be due earlier
}

// NewTemplates returns the templates of a store. Committed, which may be nil, is called after a commit that has added an event
// to a number's log. It must not block.
func NewTemplates(db *store.DB, now func() time.Time, committed func(kabar.NumberID)) *Templates {
	if committed == nil {
		committed = func(kabar.NumberID) {}
	}
	return &Templates{db: db, now: now, committed: committed, wake: make(chan struct{}, 1)}
}

// Templates returns the templates that the engine sends.
func (e *Engine) Templates() *Templates { return e.templates }

// The actors of changes that nobody asks for.
const (
	ActorReview  = "review"  // the automatic review, and the end of a period
	ActorQuality = "quality" // what customers think
)

// Create puts a new template before review (contract Cloud API, section 1.5). The draft has no ID and no status; its texts for
// one-time passwords are written here. Faults are kabar.TemplateFaults; a name that is taken or was deleted lately, and the
// limits of an account, are a *kabar.Error. What it returns is pending, and may have another category.
func (t *Templates) Create(ctx context.Context, a kabar.AccountID, draft *kabar.TemplateDef, actor string) (*kabar.TemplateDef, error) {
	d := *draft
	d.Account, d.ID, d.Life, d.Status = a, 0, kabar.TemplateLife{}, kabar.TemplatePending
	d.Normalize()
	if faults := d.Lint(); len(faults) > 0 {
		return nil, kabar.TemplateFaults(faults)
	}
	d.Compose()
	if err := t.lintFlows(ctx, &d); err != nil {
		return nil, store.Refusal(err)
	}
	t.making.Lock()
	defer t.making.Unlock()
	policy, verdict, err := t.assess(ctx, &d)
	if err != nil {
		return nil, store.Refusal(err)
	}
	now := t.now()
	if err := t.room(ctx, &d, policy, now); err != nil {
		return nil, store.Refusal(err)
	}
	blank := d
	err = t.write(ctx, a, actor, func(tx *store.Tx) ([]kabar.TemplateChange, error) {
		d = blank // the writer may run an operation again
		old, err := tx.FindTemplate(a, d.Name, d.Language)
		if err != nil {
			return nil, err
		}
		if err := free(old); err != nil {
			return nil, err
		}
		if err := tx.SaveTemplate(&d); err != nil { // this gives it its ID, which the change names
			return nil, err
		}
		changes := d.Submit(now, policy, verdict)
		return changes, tx.SaveTemplate(&d)
	})
	return &d, err
}

// lintFlows refuses a template with a button that opens what is no flow of the account, or cannot be opened so.
func (t *Templates) lintFlows(ctx context.Context, d *kabar.TemplateDef) error {
	faults, err := d.LintFlows(func(id, name string) (*kabar.FlowDef, error) {
		flow, err := findFlow(ctx, t.db, d.Account, id, name)
		return flow, ignoreMissing(err)
	})
	if err == nil && len(faults) > 0 {
		return kabar.TemplateFaults(faults)
	}
	return err
}

// free refuses the name of a template that is there, or was deleted lately.
func free(old *kabar.TemplateDef) error {
	switch {
	case old == nil:
		return nil
	case old.Status == kabar.TemplateDeleted || old.Status == kabar.TemplatePendingDeletion:
		return kabar.Refuse(kabar.ReasonTemplateDeleting, "name", "%s in %s was deleted; the name is free 30 days afterwards", old.Name, old.Language)
	}
	return kabar.Refuse(kabar.ReasonTemplateExists, "name", "there is a template %s in %s already", old.Name, old.Language)
}

// room refuses what an account may not have: too many templates, or too many new ones in an hour.
func (t *Templates) room(ctx context.Context, d *kabar.TemplateDef, p kabar.TemplatePolicy, now time.Time) error {
	all, lately, err := t.db.CountTemplates(ctx, d.Account, d.Name, now.Add(-time.Hour))
	if err != nil {
		return err
	}
	most, err := t.Most(ctx, d.Account, p)
	switch {
	case err != nil:
		return err
	case all >= most:
		return kabar.Refuse(kabar.ReasonTemplateLimit, "", "the account has %d templates, counted by name; the limit is %d", all, most)
	case lately >= kabar.MaxCreations:
		return &kabar.Error{Reason: kabar.ReasonTemplateHaste, Detail: fmt.Sprintf("the account has made %d templates in the last hour, the limit is %d", lately, kabar.MaxCreations),
			After: time.Hour}
	}
	return nil
}

// assess runs the automatic checks.
func (t *Templates) assess(ctx context.Context, d *kabar.TemplateDef) (p kabar.TemplatePolicy, v *kabar.TemplateVerdict, err error) {
	twins, err := t.db.Twins(ctx, d)
	if err != nil {
		return p, nil, err
	}
	p, err = t.db.Policy(ctx, d.Account)
	return p, d.Assess(twins), err
}

// Edit changes a template and puts it before review again, unless only its time to live has changed. The rules are those of
// kabar.TemplateDef.Edit, and those of Create for what the template says afterwards.
func (t *Templates) Edit(ctx context.Context, a kabar.AccountID, id kabar.TemplateID, edit kabar.TemplateEdit, actor string) (*kabar.TemplateDef, error) {
	now := t.now()
	return t.change(ctx, a, id, actor, func(d *kabar.TemplateDef) ([]kabar.TemplateChange, error) {
		status := d.Status
		changes, review, err := d.Edit(now, edit)
		if err != nil {
			return nil, err
		}
		d.Status = kabar.TemplatePending
		d.Normalize()
		if faults := d.Lint(); len(faults) > 0 {
			return nil, kabar.TemplateFaults(faults)
		}
		if err := t.lintFlows(ctx, d); err != nil {
			return nil, err
		}
		if d.Status = status; !review {
			return changes, nil
		}
		policy, verdict, err := t.assess(ctx, d)
		if err != nil {
			return nil, err
		}
		return append(changes, d.Submit(now, policy, verdict)...), nil
	})
}

// Review executes a reviewer's decision: see kabar.TemplateDef.Decide.
func (t *Templates) Review(ctx context.Context, a kabar.AccountID, id kabar.TemplateID, v kabar.Decision, actor string) (*kabar.TemplateDef, error) {
	now := t.now()
	return t.change(ctx, a, id, actor, func(d *kabar.TemplateDef) ([]kabar.TemplateChange, error) { return d.Decide(now, v) })
}

// change reads a template, changes it, and commits it when nobody else has changed it meanwhile; otherwise it begins again.
func (t *Templates) change(ctx context.Context, a kabar.AccountID, id kabar.TemplateID, actor string,
	do func(d *kabar.TemplateDef) ([]kabar.TemplateChange, error)) (*kabar.TemplateDef, error) {
	for {
		d, err := t.db.TemplateByID(ctx, a, id)
		if err != nil {
			return nil, store.Refusal(err)
		}
		before, name := d.Life.Changed, [2]string{d.Name, d.Language}
		changes, err := do(d)
		if err != nil {
			return nil, store.Refusal(err)
		}
		stale := false
		err = t.write(ctx, a, actor, func(tx *store.Tx) ([]kabar.TemplateChange, error) {
			now, err := tx.FindTemplate(a, name[0], name[1])
			if err != nil {
				return nil, err
			}
			if stale = now == nil || now.ID != id || !now.Life.Changed.Equal(before); stale {
				return nil, nil
			}
			d.Life.Pace = now.Life.Pace // which messages change as they go
			return changes, tx.SaveTemplate(d)
		})
		if err != nil || !stale {
			return d, err
		}
	}
}
