package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// Templates are the templates of all accounts; *engine.Templates has them.
type Templates interface {
	List(context.Context, kabar.AccountID, store.TemplateQuery) (*engine.TemplatePage, error)
	Get(context.Context, kabar.AccountID, kabar.TemplateID) (*kabar.TemplateDef, error)
	Create(ctx context.Context, a kabar.AccountID, draft *kabar.TemplateDef, actor string) (*kabar.TemplateDef, error)
	Edit(ctx context.Context, a kabar.AccountID, id kabar.TemplateID, edit kabar.TemplateEdit, actor string) (*kabar.TemplateDef, error)
	Review(ctx context.Context, a kabar.AccountID, id kabar.TemplateID, d kabar.Decision, actor string) (*kabar.TemplateDef, error)
	History(context.Context, kabar.AccountID, kabar.TemplateID) ([]store.Audit, error)
}

// actor is who does in the audit log what is done here.
const actor = "console"

// own returns the accounts of the session.
func (c *Console) own(r *http.Request) ([]*kabar.Account, error) {
	return c.accountsOf(r.Context(), auth.From(r))
}

func (c *Console) accountsOf(ctx context.Context, who auth.Who) ([]*kabar.Account, error) {
	all, err := c.accounts(ctx)
	if err != nil {
		return nil, store.Refusal(err)
	}
	return slices.DeleteFunc(all, func(a *kabar.Account) bool { return who.Account != 0 && a.ID != who.Account }), nil
}

// account returns the account of the session that is named by its id, or the first when none is; nil when there is none yet. One
// of somebody else is as unknown as one that nobody has.
func (c *Console) account(r *http.Request, named string) (one *kabar.Account, all []*kabar.Account, err error) {
	if all, err = c.own(r); err != nil {
		return nil, nil, err
	}
	if named == "" {
		if len(all) > 0 {
			one = all[0]
		}
		return one, all, nil
	}
	i := slices.IndexFunc(all, func(a *kabar.Account) bool { return idOf(int64(a.ID)) == named })
	if i < 0 {
		return nil, nil, kabar.Refuse(kabar.ReasonNotFound, "account", "there is no such account")
	}
	return all[i], all, nil
}

// template finds the template that the path names among those of the session.
func (c *Console) template(r *http.Request) (*kabar.TemplateDef, error) {
	none := kabar.Refuse(kabar.ReasonNotFound, "id", "there is no such template")
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, none
	}
	all, err := c.own(r)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if d, err := c.tpl.Get(r.Context(), a.ID, kabar.TemplateID(id)); err == nil || reasonOf(err) != kabar.ReasonNotFound {
			return d, err
		}
	}
	return nil, none
}

func idOf(id int64) string { return strconv.FormatInt(id, 10) }

// row is a template in the list.
type row struct {
	Href, Name, Language, Category, Changed string
	Status                                  status
}

// status is a template's status as it is shown.
type status struct {
	State State
	Text  string
}

func statusOf(d *kabar.TemplateDef) status {
	s := status{Unset, strings.ReplaceAll(string(d.Status), "_", " ")}
	switch d.Status {
	case kabar.TemplateApproved:
		s.State = Good
	case kabar.TemplatePending, kabar.TemplateInAppeal, kabar.TemplatePaused:
		s.State = Waiting
	case kabar.TemplateRejected, kabar.TemplateDisabled, kabar.TemplateLimitExceeded:
		s.State = Bad
	case kabar.TemplatePendingDeletion, kabar.TemplateDeleted, kabar.TemplateArchived:
	}
	return s
}

func pathOf(d *kabar.TemplateDef) string { return "/console/templates/" + idOf(int64(d.ID)) }

func rowOf(d *kabar.TemplateDef) row {
	return row{Href: pathOf(d), Name: d.Name, Language: d.Language, Category: d.Category.Graph(), Changed: written(d.Life.Changed), Status: statusOf(d)}
}

func written(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 January 2006, 15:04 UTC")
}

// listView is the list of templates.
type listView struct {
	frame
	Accounts []*kabar.Account // to choose from; one is not shown
	Account  string
	Statuses []kabar.TemplateStatus
	Status   string
	Search   string
	MayWrite bool
	Rows     []row
	Filtered bool
	More     string // address of the next page
}

// ID is an account's id, for a form.
func (listView) ID(a *kabar.Account) string { return idOf(int64(a.ID)) }

// list reads what the request asks for.
func (c *Console) list(r *http.Request) (*listView, error) {
	who, values := auth.From(r), r.URL.Query()
	account, all, err := c.account(r, values.Get("account"))
	if err != nil {
		return nil, err
	}
	v := &listView{frame: c.frameOf(r.Context(), who, "/console/templates", "Templates · Kabar", "/console/templates/stream?"+r.URL.RawQuery), Accounts: all,
		Statuses: kabar.TemplateStatuses(), Status: values.Get("status"), Search: values.Get("q"), MayWrite: who.May(auth.ScopeTemplates) && account != nil}
	v.Filtered = v.Status != "" || v.Search != ""
	if account == nil {
		return v, nil
	}
	v.Account = v.ID(account)
	q := store.TemplateQuery{NameOrText: v.Search}
	if s := kabar.TemplateStatus(v.Status); v.Status != "" {
		if !slices.Contains(v.Statuses, s) {
			return nil, kabar.Refuse(kabar.ReasonInvalid, "status", "there is no status %q", v.Status)
		}
		q.Statuses = []kabar.TemplateStatus{s}
	}
	if name, language, ok := strings.Cut(values.Get("after"), " "); ok {
		q.After = &store.TemplateSpot{Name: name, Language: language}
	}
	p, err := c.tpl.List(r.Context(), account.ID, q)
	if err != nil {
		return nil, err
	}
	for _, d := range p.Templates {
		v.Rows = append(v.Rows, rowOf(d))
	}
	if p.More {
		v.More = "/console/templates?" + url.Values{"account": {v.Account}, "status": {v.Status}, "q": {v.Search}, "after": {p.Last.Name + " " + p.Last.Language}}.Encode()
	}
	return v, nil
}

func (c *Console) listPage(w http.ResponseWriter, r *http.Request) {
	v, err := c.list(r)
	c.page(w, r, "templates", v, err)
}

func (c *Console) listStream(w http.ResponseWriter, r *http.Request) {
	c.follow(w, r, func() ([]byte, error) {
		v, err := c.list(r)
		if err != nil {
			return nil, err
		}
		return c.pages.Fragment("template-rows", v)
	})
}

// page answers with a page, or with what is wrong.
func (c *Console) page(w http.ResponseWriter, r *http.Request, name string, data any, err error) {
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	c.write(w, http.StatusOK, name, data)
}
