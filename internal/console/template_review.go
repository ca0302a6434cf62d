package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/store"
	"kabar/internal/ui"
	"kabar/internal/web"
)

// cases are the templates that a page shows to be judged: one, or those of the queue.
type cases struct {
	frame
	Cases []caseView
	More  bool // there are others, which come up when these are judged
}

// caseView is a template as its page and the queue show it.
type caseView struct {
	row
	ID         string
	Account    string // its name, where there are several
	Rejected   string
	Advice     string
	Verdict    *kabar.TemplateVerdict // of the automatic checks, while nobody has judged
	Bubble     ui.Bubble
	History    []entry
	Back       string // where a decision leads
	MayApprove bool
	MayReject  bool
	MayEdit    bool
	Reasons    []kabar.RejectedReason
}

// entry is a line of a template's history.
type entry struct{ At, Actor, Action string }

// caseOf collects what there is to know of a template.
func (c *Console) caseOf(r *http.Request, d *kabar.TemplateDef, back string) (v caseView, err error) {
	who := auth.From(r)
	v = caseView{row: rowOf(d), ID: idOf(int64(d.ID)), Rejected: string(d.Life.Rejected), Advice: d.Life.Advice, Bubble: c.bubble(d), Back: back,
		Reasons: kabar.RejectedReasons()}
	if d.Status == kabar.TemplatePending || d.Status == kabar.TemplateInAppeal {
		v.Verdict = d.Life.Verdict
	}
	if who.May(auth.ScopeReview) {
		v.MayApprove = kabar.VerbApprove.Allows(d.Status)
		v.MayReject = kabar.VerbReject.Allows(d.Status)
	}
	v.MayEdit = who.May(auth.ScopeTemplates) && slices.Contains([]kabar.TemplateStatus{kabar.TemplateApproved, kabar.TemplateRejected, kabar.TemplatePaused}, d.Status)
	all, err := c.own(r)
	if err != nil {
		return v, err
	}
	if i := slices.IndexFunc(all, func(a *kabar.Account) bool { return a.ID == d.Account }); i >= 0 && len(all) > 1 {
		v.Account = all[i].Name
	}
	history, err := c.tpl.History(r.Context(), d.Account, d.ID)
	for _, h := range history {
		v.History = append(v.History, entry{written(h.At), h.Actor, strings.TrimPrefix(h.Action, "template.")})
	}
	return v, err
}

// one is the page of a template.
func (c *Console) one(r *http.Request) (*cases, error) {
	d, err := c.template(r)
	if err != nil {
		return nil, err
	}
	v, err := c.caseOf(r, d, pathOf(d))
	return &cases{frame: c.frameOf(r.Context(), auth.From(r), "/console/templates", d.Name+" · Kabar", pathOf(d)+"/stream"), Cases: []caseView{v}}, err
}

func (c *Console) templatePage(w http.ResponseWriter, r *http.Request) {
	v, err := c.one(r)
	c.page(w, r, "template", v, err)
}

func (c *Console) templateStream(w http.ResponseWriter, r *http.Request) {
	c.followCases(w, r, c.one)
}

// queue are the templates that wait for somebody, by account, name and language.
func (c *Console) queue(r *http.Request) (*cases, error) {
	v := &cases{frame: c.frameOf(r.Context(), auth.From(r), "/console/review", "Review · Kabar", "/console/review/stream")}
	all, err := c.own(r)
	if err != nil {
		return nil, err
	}
	q := store.TemplateQuery{Statuses: []kabar.TemplateStatus{kabar.TemplatePending, kabar.TemplateInAppeal}}
	for _, a := range all {
		if q.Limit = engine.DefaultTemplatePage - len(v.Cases); q.Limit == 0 {
			v.More = true // at least it was not looked whether there are
			break
		}
		p, err := c.tpl.List(r.Context(), a.ID, q)
		if err != nil {
			return nil, err
		}
		for _, d := range p.Templates {
			one, err := c.caseOf(r, d, "/console/review")
			if err != nil {
				return nil, err
			}
			v.Cases = append(v.Cases, one)
		}
		v.More = v.More || p.More
	}
	return v, nil
}

func (c *Console) queuePage(w http.ResponseWriter, r *http.Request) {
	v, err := c.queue(r)
	c.page(w, r, "queue", v, err)
}

func (c *Console) queueStream(w http.ResponseWriter, r *http.Request) {
	c.followCases(w, r, c.queue)
}

func (c *Console) followCases(w http.ResponseWriter, r *http.Request, read func(*http.Request) (*cases, error)) {
	c.follow(w, r, func() ([]byte, error) {
		v, err := read(r)
		if err != nil {
			return nil, err
		}
		return c.pages.Fragment("cases", v)
	})
}

// review executes a decision: that of POST /kabar/v1/templates/{id}/review, by a person.
func (c *Console) review(w http.ResponseWriter, r *http.Request) {
	var decision kabar.Decision
	if err := web.DecodeRequest(w, r, &decision, web.Options{Unknown: web.RefuseAll}); err != nil {
		c.refuse(w, r, misunderstood(err))
		return
	}
	d, err := c.template(r)
	if err == nil {
		d, err = c.tpl.Review(r.Context(), d.Account, d.ID, decision, actor)
	}
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	c.answer(w, http.StatusOK, map[string]string{"id": idOf(int64(d.ID))})
}

func misunderstood(err error) error { return kabar.Refuse(kabar.ReasonInvalid, "", "%v", err) }

func reasonOf(err error) kabar.Reason {
	if known, ok := errors.AsType[*kabar.Error](err); ok {
		return known.Reason
	}
	return ""
}
