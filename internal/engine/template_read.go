package engine

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// TemplatePage is a part of a list of templates.
type TemplatePage struct {
	Templates []*kabar.TemplateDef
	// First and Last are the places of the first and the last of them; nil when there is none. More says that there are
	// others behind the last, or before the first when the query has gone backwards.
	First, Last *store.TemplateSpot
	More        bool
}

// MaxTemplatePage is how many templates a page has at most, and DefaultTemplatePage how many it has unless somebody says.
const (
	MaxTemplatePage     = 100
	DefaultTemplatePage = 25
)

// List returns a page of the account's templates, by name and language.
func (t *Templates) List(ctx context.Context, a kabar.AccountID, q store.TemplateQuery) (*TemplatePage, error) {
	if q.Limit == 0 {
		q.Limit = DefaultTemplatePage
	}
	if q.Limit < 1 || q.Limit > MaxTemplatePage {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %d, allowed are 1 to %d", q.Limit, MaxTemplatePage)
	}
	all, more, err := t.db.ListTemplates(ctx, a, q)
	if err != nil {
		return nil, store.Refusal(err)
	}
	p := &TemplatePage{Templates: all, More: more}
	if len(all) > 0 {
		first, last := all[0], all[len(all)-1]
		p.First, p.Last = &store.TemplateSpot{Name: first.Name, Language: first.Language}, &store.TemplateSpot{Name: last.Name, Language: last.Language}
	}
	return p, nil
}

// Get returns a template of the account.
func (t *Templates) Get(ctx context.Context, a kabar.AccountID, id kabar.TemplateID) (*kabar.TemplateDef, error) {
	d, err := t.db.TemplateByID(ctx, a, id)
	return d, store.Refusal(err)
}

// Named returns the account's templates of a name, by language, but for those that are deleted.
func (t *Templates) Named(ctx context.Context, a kabar.AccountID, name string) ([]*kabar.TemplateDef, error) {
	p, err := t.List(ctx, a, store.TemplateQuery{Name: name, Limit: MaxTemplatePage})
	if err != nil {
		return nil, err
	}
	return p.Templates, nil
}

// maxHistory is how much of a template's history is returned.
const maxHistory = 1000

// History returns what was done with a template of the account, oldest first.
func (t *Templates) History(ctx context.Context, a kabar.AccountID, id kabar.TemplateID) ([]store.Audit, error) {
	all, err := t.db.Audits(ctx, a, subjectOf(id), 0, maxHistory)
	return all, store.Refusal(err)
}

// Use returns what became of a template's messages on the days from first to last, by kabar.DayOf.
func (t *Templates) Use(ctx context.Context, a kabar.AccountID, id kabar.TemplateID, first, last int64) (map[int64]kabar.TemplateUse, error) {
	days, err := t.db.TemplateUse(ctx, a, id, first, last)
	return days, store.Refusal(err)
}

// Policy returns how the account's templates are handled.
func (t *Templates) Policy(ctx context.Context, a kabar.AccountID) (kabar.TemplatePolicy, error) {
	p, err := t.db.Policy(ctx, a)
	return p, store.Refusal(err)
}

// SetPolicy changes how the account's templates are handled from now on. What is pending stays as it was planned.
func (t *Templates) SetPolicy(ctx context.Context, a kabar.AccountID, p kabar.TemplatePolicy) error {
	if err := p.Check(); err != nil {
		return err
	}
	return store.Refusal(t.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SavePolicy(a, p) }))
}

// Most returns how many templates an account may have under a policy.
func (t *Templates) Most(ctx context.Context, a kabar.AccountID, p kabar.TemplatePolicy) (int, error) {
	trusted, err := trusted(ctx, t.db, a)
	return p.MaxTemplates(trusted), store.Refusal(err)
}
