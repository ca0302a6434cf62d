package manage

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// Templates are the templates of all accounts; *engine.Templates has them.
type Templates interface {
	List(context.Context, kabar.AccountID, store.TemplateQuery) (*engine.TemplatePage, error)
	Get(context.Context, kabar.AccountID, kabar.TemplateID) (*kabar.TemplateDef, error)
	Review(ctx context.Context, a kabar.AccountID, id kabar.TemplateID, d kabar.Decision, actor string) (*kabar.TemplateDef, error)
	History(context.Context, kabar.AccountID, kabar.TemplateID) ([]store.Audit, error)
	Use(ctx context.Context, a kabar.AccountID, id kabar.TemplateID, first, last int64) (map[int64]kabar.TemplateUse, error)
}

// Template is a template as answers show it.
type Template struct {
	ID         string                    `json:"id"`
	Account    string                    `json:"account"`
	Name       string                    `json:"name"`
	Language   string                    `json:"language"`
	Category   string                    `json:"category"`
	Status     kabar.TemplateStatus      `json:"status"`
	Format     string                    `json:"parameter_format"`
	TTL        int                       `json:"message_send_ttl_seconds,omitzero"`
	Components []kabar.TemplateComponent `json:"components"`
	Quality    kabar.TemplateScore       `json:"quality_score"`
	Rejected   kabar.RejectedReason      `json:"rejected_reason,omitempty"`
	Advice     string                    `json:"advice,omitempty"`
	Verdict    *kabar.TemplateVerdict    `json:"automatic_review,omitempty"`
	Previous   string                    `json:"previous_category,omitempty"`
	Correct    string                    `json:"correct_category,omitempty"`
	Created    string                    `json:"created,omitempty"`
	Updated    string                    `json:"updated,omitempty"`

	History []templateEntry    `json:"history,omitempty"` // when one is read
	Use     *kabar.TemplateUse `json:"use,omitempty"`     // of the last 90 days, when one is read
}

type templateEntry struct {
	At     string `json:"at"`
	Actor  string `json:"actor"`
	Action string `json:"action"`
}

// useDays is how far back use is told of.
const useDays = 90

func (a *API) shown(d *kabar.TemplateDef) Template {
	format := d.ParameterFormat
	if format == "" {
		format = kabar.Positional
	}
	return Template{ID: strconv.FormatInt(int64(d.ID), 10), Account: a.nodeID(int64(d.Account)), Name: d.Name, Language: d.Language,
		Category: d.Category.Graph(), Status: d.Status, Format: format, TTL: d.TTL, Components: d.Components, Quality: d.Quality(),
		Rejected: d.Life.Rejected, Advice: d.Life.Advice, Verdict: d.Life.Verdict, Previous: d.Life.Previous.Graph(), Correct: d.Life.Correct.Graph(),
		Created: written(d.Life.Created), Updated: written(d.Life.Changed)}
}

func written(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// listTemplates: GET /kabar/v1/templates, by name and language.
func (a *API) listTemplates(w http.ResponseWriter, r *http.Request) {
	account, q, err := a.templateQuery(r)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	p, err := a.o.Templates.List(r.Context(), account, q)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	answer := struct {
		Data  []Template `json:"data"`
		After string     `json:"after,omitempty"` // gives the next page; empty on the last
	}{Data: []Template{}}
	for _, d := range p.Templates {
		answer.Data = append(answer.Data, a.shown(d))
	}
	if p.More {
		answer.After = base64.RawURLEncoding.EncodeToString([]byte(p.Last.Name + " " + p.Last.Language))
	}
	a.write(w, http.StatusOK, answer)
}

// templateQuery reads the parameters, of which none may be unknown.
func (a *API) templateQuery(r *http.Request) (account kabar.AccountID, q store.TemplateQuery, err error) {
	if err := onlyKnown(r, "account", "name", "language", "category", "status", "quality_score", "content", "name_or_content", "after", "limit"); err != nil {
		return 0, q, err
	}
	values := r.URL.Query()
	q = store.TemplateQuery{Name: values.Get("name"), Language: values.Get("language"), Category: kabar.Category(strings.ToLower(values.Get("category"))),
		Score: kabar.TemplateScore(strings.ToUpper(values.Get("quality_score"))), Content: values.Get("content"), NameOrText: values.Get("name_or_content")}
	if s := kabar.TemplateStatus(strings.ToUpper(values.Get("status"))); s != "" {
		if !slices.Contains(kabar.TemplateStatuses(), s) {
			return 0, q, kabar.Refuse(kabar.ReasonInvalid, "status", "is %q, allowed are %v", s, kabar.TemplateStatuses())
		}
		q.Statuses = []kabar.TemplateStatus{s}
	}
	if limit := values.Get("limit"); limit != "" {
		if q.Limit, err = strconv.Atoi(limit); err != nil || q.Limit < 1 {
			return 0, q, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %q, it must be 1 to %d", limit, engine.MaxTemplatePage)
		}
	}
	if after := values.Get("after"); after != "" {
		b, err := base64.RawURLEncoding.DecodeString(after)
		name, language, ok := strings.Cut(string(b), " ")
		if err != nil || !ok {
			return 0, q, kabar.Refuse(kabar.ReasonInvalid, "after", "is no cursor of a page")
		}
		q.After = &store.TemplateSpot{Name: name, Language: language}
	}
	account, err = a.oneAccount(r, values.Get("account"))
	return account, q, err
}

// oneAccount returns the account that is named, or the only one that the request may see.
func (a *API) oneAccount(r *http.Request, named string) (kabar.AccountID, error) {
	all, _, err := a.o.AccountsOf(r)
	if err != nil {
		return 0, err
	}
	if named != "" {
		all = slices.DeleteFunc(all, func(id kabar.AccountID) bool { return a.nodeID(int64(id)) != named })
	}
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		return 0, kabar.Refuse(kabar.ReasonNotFound, "account", "there is no such account")
	}
	return 0, kabar.Refuse(kabar.ReasonMissing, "account", "is required: there are several accounts")
}

// template finds the template that the path names among those that the request may see.
func (a *API) template(r *http.Request) (d *kabar.TemplateDef, who string, err error) {
	none := kabar.Refuse(kabar.ReasonNotFound, "id", "there is no such template")
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, "", none
	}
	all, who, err := a.o.AccountsOf(r)
	if err != nil {
		return nil, "", err
	}
	for _, account := range all {
		if d, err := a.o.Templates.Get(r.Context(), account, kabar.TemplateID(id)); err == nil || !isNotFound(err) {
			return d, who, err
		}
	}
	return nil, "", none
}

// showTemplate: GET /kabar/v1/templates/{id}, with its history and its use.
func (a *API) showTemplate(w http.ResponseWriter, r *http.Request) {
	d, _, err := a.template(r)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	answer := a.shown(d)
	history, err := a.o.Templates.History(r.Context(), d.Account, d.ID)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	for _, h := range history {
		answer.History = append(answer.History, templateEntry{written(h.At), h.Actor, h.Action})
	}
	today := kabar.DayOf(a.o.Now())
	days, err := a.o.Templates.Use(r.Context(), d.Account, d.ID, today-useDays, today)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	answer.Use = new(kabar.TemplateUse)
	for _, u := range days {
		answer.Use.Add(u)
	}
	a.write(w, http.StatusOK, answer)
}

// reviewTemplate: POST /kabar/v1/templates/{id}/review.
func (a *API) reviewTemplate(w http.ResponseWriter, r *http.Request) {
	var decision kabar.Decision
	if !a.read(w, r, &decision, `send {"decision":"approve"}, or reject with a "reason", pause, disable, or recategorise with a "category"`) {
		return
	}
	d, who, err := a.template(r)
	if err == nil {
		d, err = a.o.Templates.Review(r.Context(), d.Account, d.ID, decision, who)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, a.shown(d))
}
