package graph

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/library"
	"kabar/internal/store"
	"kabar/internal/web"
)

// actor is who changes templates through this API, in the audit log.
const actor = "graph"

// templateKind is a message template.
func (a *API) templateKind() *kind {
	return kindOf(spec[*kabar.TemplateDef]{name: "WhatsAppMessageTemplate",
		defaults: []string{"name", "parameter_format", "components", "language", "status", "category", "sub_category"},
		find:     a.templateOf, fields: a.templateFields(), update: a.editTemplate})
}

func (a *API) templateFields() map[string]func(*exchange, *kabar.TemplateDef, Field) (any, error) {
	text := func(get func(*kabar.TemplateDef) string) func(*exchange, *kabar.TemplateDef, Field) (any, error) {
		return plain(func(d *kabar.TemplateDef) any { return orNothing(get(d)) })
	}
	return map[string]func(*exchange, *kabar.TemplateDef, Field) (any, error){
		"id":                       text(templateID),
		"name":                     text(func(d *kabar.TemplateDef) string { return d.Name }),
		"language":                 text(func(d *kabar.TemplateDef) string { return d.Language }),
		"category":                 text(func(d *kabar.TemplateDef) string { return d.Category.Graph() }),
		"status":                   text(func(d *kabar.TemplateDef) string { return string(d.Status) }),
		"sub_category":             text(func(d *kabar.TemplateDef) string { return d.SubCategory }),
		"parameter_format":         text(formatOf),
		"components":               plain(func(d *kabar.TemplateDef) any { return d.Components }),
		"previous_category":        text(func(d *kabar.TemplateDef) string { return d.Life.Previous.Graph() }),
		"correct_category":         text(func(d *kabar.TemplateDef) string { return d.Life.Correct.Graph() }),
		"library_template_name":    text(func(d *kabar.TemplateDef) string { return d.Library }),
		"rejected_reason":          text(rejectedReason),
		"quality_score":            plain(qualityOf),
		"message_send_ttl_seconds": plain(ttlOf),
		"last_updated_time":        text(func(d *kabar.TemplateDef) string { return graphTime(d.Life.Changed) }),
		"health_status":            a.templateHealth,
	}
}

func templateID(d *kabar.TemplateDef) string { return strconv.FormatInt(int64(d.ID), 10) }

func formatOf(d *kabar.TemplateDef) string {
	if d.ParameterFormat == "" {
		return kabar.Positional
	}
	return d.ParameterFormat
}

func rejectedReason(d *kabar.TemplateDef) string {
	if d.Life.Rejected == "" {
		return string(kabar.RejectedNone)
	}
	return string(d.Life.Rejected)
}

func qualityOf(d *kabar.TemplateDef) any {
	q := map[string]any{"score": d.Quality()}
	if !d.Life.Scored.IsZero() {
		q["date"] = d.Life.Scored.Unix()
	}
	return q
}

func ttlOf(d *kabar.TemplateDef) any {
	if d.TTL == 0 {
		return nil
	}
	return d.TTL
}

func graphTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05-0700")
}

// templateOf finds a template of whoever asks.
func (a *API) templateOf(x *exchange, key int64) (*kabar.TemplateDef, error) {
	return ownedBy(a, x, func(w kabar.AccountID) (*kabar.TemplateDef, error) {
		return a.engine.Templates().Get(x.r.Context(), w, kabar.TemplateID(a.store.Node(key)))
	})
}

func (a *API) ofTemplate(f func(*exchange, *kabar.TemplateDef) error) func(*exchange) error {
	return of(a, a.templateKind(), f)
}

// listTemplates: GET /{account}/message_templates.
func (a *API) listTemplates(x *exchange, w *kabar.Account) error {
	p, fields, err := x.listed()
	if err != nil {
		return err
	}
	get := x.r.URL.Query().Get
	q := store.TemplateQuery{Name: get("name"), Language: get("language"), Category: kabar.Category(strings.ToLower(get("category"))),
		Score: kabar.TemplateScore(strings.ToUpper(get("quality_score"))), Content: get("content"), NameOrText: get("name_or_content"), Limit: p.Limit}
	for _, s := range strings.FieldsFunc(strings.ToUpper(get("status")), func(r rune) bool { return strings.ContainsRune(`[]", `, r) }) {
		if !slices.Contains(kabar.TemplateStatuses(), kabar.TemplateStatus(s)) {
			return kabar.Refuse(kabar.ReasonInvalid, "status", "%q is no status of a template", clip(s))
		}
		q.Statuses = append(q.Statuses, kabar.TemplateStatus(s))
	}
	if q.After, err = spotOf("after", p.After); err == nil {
		q.Before, err = spotOf("before", p.Before)
	}
	if err != nil {
		return err
	}
	page, err := a.engine.Templates().List(x.r.Context(), w.ID, q)
	if err != nil {
		return err
	}
	return a.templatePage(x, w, page, p, fields)
}

// spotOf reads what a cursor of the list holds; nil for none.
func spotOf(name, cursor string) (*store.TemplateSpot, error) {
	if cursor == "" {
		return nil, nil
	}
	of, language, ok := strings.Cut(cursor, " ")
	if !ok {
		return nil, kabar.Refuse(kabar.ReasonInvalid, name, "is no cursor")
	}
	return &store.TemplateSpot{Name: of, Language: language}, nil
}

func (a *API) templatePage(x *exchange, w *kabar.Account, page *engine.TemplatePage, p paging, fields []Field) error {
	answer, k := &list{Data: []any{}}, a.templateKind()
	for _, d := range page.Templates {
		shown, err := k.show(x, d, fields)
		if err != nil {
			return err
		}
		answer.Data = append(answer.Data, shown)
	}
	if len(page.Templates) == 0 {
		return x.reply(answer)
	}
	path := a.nodeID(int64(w.ID)) + "/message_templates"
	c := &cursors{cursor(page.First.Name + " " + page.First.Language), cursor(page.Last.Name + " " + page.Last.Language)}
	answer.Paging = x.around(path, p, c, page.More)
	return x.reply(answer)
}

// newTemplate is the body of a creation. What it does not name is ignored, allow_category_change among it.
type newTemplate struct {
	Name        string                    `json:"name"`
	Language    string                    `json:"language"`
	Category    string                    `json:"category"`
	SubCategory string                    `json:"sub_category"`
	Format      string                    `json:"parameter_format"`
	TTL         int                       `json:"message_send_ttl_seconds"`
	Components  []kabar.TemplateComponent `json:"components"`
	Library     string                    `json:"library_template_name"`
	Inputs      []libraryInput            `json:"library_template_button_inputs"`
}

// libraryInput fills a button of a template of the library.
type libraryInput struct {
	Type  string `json:"type"`
	Phone string `json:"phone_number"`
	URL   struct {
		Base   string `json:"base_url"`
		Suffix string `json:"url_suffix_example"`
	} `json:"url"`
}

// createTemplate: POST /{account}/message_templates.
func (a *API) createTemplate(x *exchange, w *kabar.Account) error {
	var in newTemplate
	if err := x.decode(&in); err != nil {
		return err
	}
	if err := a.checkFileHandles(x, in.Components); err != nil {
		return a.failTemplate(x, err)
	}
	draft := &kabar.TemplateDef{Name: in.Name, Language: in.Language, Category: kabar.Category(in.Category), SubCategory: in.SubCategory,
		ParameterFormat: in.Format, TTL: in.TTL, Components: in.Components, Library: in.Library}
	if in.Library != "" {
		if err := fromLibrary(draft, in.Inputs); err != nil {
			return err
		}
	}
	d, err := a.engine.Templates().Create(x.r.Context(), w.ID, draft, actor)
	if err != nil {
		return a.failTemplate(x, err)
	}
	return x.reply(map[string]any{"id": templateID(d), "status": d.Status, "category": d.Category.Graph()})
}

// fromLibrary fills a draft from the library.
func fromLibrary(draft *kabar.TemplateDef, inputs []libraryInput) error {
	item, err := library.Find(draft.Library, draft.Language)
	if err != nil {
		return err
	}
	if item == nil {
		return kabar.Refuse(kabar.ReasonInvalid, "library_template_name", "the library has no %q in %q", clip(draft.Library), clip(draft.Language))
	}
	draft.Components, draft.Category = item.Components, item.Category
	used := 0
	for i := range draft.Components {
		for j := range draft.Components[i].Buttons {
			b := &draft.Components[i].Buttons[j]
			if b.Type != kabar.ButtonURL && b.Type != kabar.ButtonPhone || used == len(inputs) {
				continue
			}
			if in := inputs[used]; b.Type == kabar.ButtonPhone {
				b.Phone = in.Phone
			} else {
				b.SetLink(in.URL.Base, in.URL.Suffix)
			}
			used++
		}
	}
	return nil
}

// editTemplate: POST /{template}.
func (a *API) editTemplate(x *exchange, d *kabar.TemplateDef) error {
	var in struct {
		Category   string                    `json:"category"`
		Components []kabar.TemplateComponent `json:"components"`
		TTL        *int                      `json:"message_send_ttl_seconds"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if err := a.checkFileHandles(x, in.Components); err != nil {
		return a.failTemplate(x, err)
	}
	edit := kabar.TemplateEdit{Category: kabar.Category(strings.ToLower(in.Category)), Components: in.Components, TTL: in.TTL}
	if _, err := a.engine.Templates().Edit(x.r.Context(), d.Account, d.ID, edit, actor); err != nil {
		return a.failTemplate(x, err)
	}
	return x.success()
}

// deleteTemplates: DELETE /{account}/message_templates, by name, by name and hsm_id, or by hsm_ids.
func (a *API) deleteTemplates(x *exchange, w *kabar.Account) error {
	var in struct {
		Name string            `json:"name"`
		ID   web.StringOrInt   `json:"hsm_id"`
		IDs  []web.StringOrInt `json:"hsm_ids"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	which := engine.Doomed{Name: in.Name}
	if in.ID != "" {
		in.IDs = append(in.IDs, in.ID)
	}
	for _, text := range in.IDs {
		id, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return kabar.Refuse(kabar.ReasonInvalid, "hsm_id", "is no id of a template")
		}
		which.IDs = append(which.IDs, kabar.TemplateID(id))
	}
	if which.Name == "" && len(which.IDs) == 0 {
		return kabar.Refuse(kabar.ReasonMissing, "name", "is required, or hsm_ids")
	}
	if err := a.engine.Templates().Delete(x.r.Context(), w.ID, which, actor); err != nil {
		return a.failTemplate(x, err)
	}
	return x.success()
}
