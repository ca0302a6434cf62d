package graph

import (
	"encoding/json"
	"strings"

	"kabar"
	"kabar/internal/library"
)

// listLibrary: GET /message_template_library.
func (a *API) listLibrary(x *exchange) error {
	all, err := library.Items()
	if err != nil {
		return err
	}
	p, err := x.paging()
	if err != nil {
		return err
	}
	get := x.r.URL.Query().Get
	var entries []entry
	for i := range all {
		d := &all[i]
		if !like(get("topic"), d.Topic) || !like(get("usecase"), d.UseCase) || !like(get("industry"), strings.Join(d.Industry, " ")) ||
			!like(get("language"), d.Language) || !like(get("search"), d.Name+" "+d.Text()) {
			continue
		}
		entries = append(entries, entry{d.Name + " " + d.Language, libraryItem(d)})
	}
	return x.reply(x.pageOf(entries, p, "message_template_library"))
}

// like reports whether a filter is empty, or stands in a text in either case.
func like(filter, text string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(filter))
}

func libraryItem(d *library.Item) map[string]any {
	item := map[string]any{"id": d.Name + "_" + d.Language, "name": d.Name, "language": d.Language, "category": d.Category.Graph(), "topic": d.Topic, "usecase": d.UseCase,
		"industry": d.Industry, "body_param_types": d.Types}
	for i := range d.Components {
		c := &d.Components[i]
		switch c.Type {
		case kabar.TemplateHeader:
			item["header"] = c.Text
		case kabar.TemplateBody:
			item["body"] = c.Text
			if x, err := c.Examples(); err == nil {
				item["body_params"] = x.Body
			}
		case kabar.TemplateButtons:
			item["buttons"] = c.Buttons
		}
	}
	return item
}

// previewTemplates: GET /{account}/message_template_previews, of one-time passwords.
func (a *API) previewTemplates(x *exchange, _ *kabar.Account) error {
	var in struct {
		Category  string `json:"category"`
		Languages any    `json:"languages"`
		Advice    bool   `json:"add_security_recommendation"`
		Minutes   int    `json:"code_expiration_minutes"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if !strings.EqualFold(in.Category, "AUTHENTICATION") {
		return kabar.Refuse(kabar.ReasonInvalid, "category", "must be AUTHENTICATION")
	}
	if in.Minutes < 0 || in.Minutes > 90 {
		return kabar.Refuse(kabar.ReasonInvalid, "code_expiration_minutes", "is %d, allowed are 1 to 90", in.Minutes)
	}
	languages := namesOf(in.Languages)
	if len(languages) == 0 {
		languages = kabar.TemplateLanguages()
	}
	data := []any{}
	for _, code := range languages {
		body, footer, button, autofill := kabar.AuthenticationTexts(code, in.Advice, in.Minutes)
		shown := map[string]any{"body": body, "language": code, "buttons": []map[string]string{{"text": button, "autofill_text": autofill}}}
		if footer != "" {
			shown["footer"] = footer
		}
		data = append(data, shown)
	}
	return x.reply(&list{Data: data})
}

// namesOf reads a list of names, which may be one text with commas.
func namesOf(v any) (names []string) {
	switch v := v.(type) {
	case string:
		var all []string
		if json.Unmarshal([]byte(v), &all) == nil {
			return all
		}
		for name := range strings.SplitSeq(v, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				names = append(names, s)
			}
		}
	}
	return names
}

// upsertTemplates: POST /{account}/upsert_message_templates: the same template for one-time passwords in several languages.
func (a *API) upsertTemplates(x *exchange, w *kabar.Account) error {
	var in struct {
		Name       string                    `json:"name"`
		Languages  []string                  `json:"languages"`
		Category   string                    `json:"category"`
		TTL        int                       `json:"message_send_ttl_seconds"`
		Components []kabar.TemplateComponent `json:"components"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if !strings.EqualFold(in.Category, "AUTHENTICATION") {
		return kabar.Refuse(kabar.ReasonInvalid, "category", "must be AUTHENTICATION")
	}
	if len(in.Languages) == 0 {
		return kabar.Refuse(kabar.ReasonMissing, "languages", "is required")
	}
	known, err := a.engine.Templates().Named(x.r.Context(), w.ID, in.Name)
	if err != nil {
		return err
	}
	data := []any{}
	for _, code := range in.Languages {
		parts := cloned(in.Components)
		draft := &kabar.TemplateDef{Name: in.Name, Language: code, Category: kabar.CategoryAuthentication, TTL: in.TTL, Components: parts}
		var d *kabar.TemplateDef
		for _, k := range known {
			if k.Language == code {
				d = k
			}
		}
		if d == nil {
			d, err = a.engine.Templates().Create(x.r.Context(), w.ID, draft, actor)
		} else {
			d, err = a.engine.Templates().Edit(x.r.Context(), w.ID, d.ID, kabar.TemplateEdit{Components: parts}, actor)
		}
		if err != nil {
			return a.failTemplate(x, err)
		}
		data = append(data, map[string]any{"id": templateID(d), "status": d.Status, "language": d.Language})
	}
	return x.reply(&list{Data: data})
}

// cloned copies components with their buttons, in which each language gets texts of its own.
func cloned(parts []kabar.TemplateComponent) []kabar.TemplateComponent {
	all := append([]kabar.TemplateComponent{}, parts...)
	for i := range all {
		all[i].Buttons = append([]kabar.TemplateButton(nil), all[i].Buttons...)
	}
	return all
}

// unpauseTemplate: POST /{template}/unpause. Only what customers paused can be; an operator's pause is the operator's.
func (a *API) unpauseTemplate(x *exchange, d *kabar.TemplateDef) error {
	if d.Status != kabar.TemplatePaused || d.Life.Pauses == 0 {
		return x.reply(map[string]any{"success": false, "reason": "The template is not paused by its quality."})
	}
	if _, err := a.engine.Templates().Review(x.r.Context(), d.Account, d.ID, kabar.Decision{Decision: kabar.VerbApprove}, actor); err != nil {
		return a.failTemplate(x, err)
	}
	return x.success()
}
