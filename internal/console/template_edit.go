package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/ui"
	"kabar/internal/web"
)

// editor is the page on which a template is written.
type editor struct {
	frame
	Accounts   []*kabar.Account // to choose from; one is not shown
	Title      string
	Call       string // method and address that take it
	Draft      draft
	New        bool
	AsJSON     bool
	CanForm    bool // the form has room for all of it
	FixedKind  bool // the category of an approved template stays
	Categories []string
	Headers    []option
	Buttons    []option
	Preview    previewView
}

// option is an entry of a choice.
type option struct{ Value, Text string }

// ID is an account's id, for a form.
func (editor) ID(a *kabar.Account) string { return idOf(int64(a.ID)) }

// Number is the number of a button.
func (editor) Number(i int) int { return i + 1 }

func (c *Console) editor(r *http.Request, title, call string, all []*kabar.Account, d *kabar.TemplateDef) *editor {
	who := auth.From(r)
	v := &editor{frame: c.frameOf(r.Context(), who, "/console/templates", title+" · Kabar", ""), Accounts: all, Title: title, Call: call,
		Categories: []string{"UTILITY", "MARKETING", "AUTHENTICATION"}, Headers: headerOptions(), Buttons: buttonOptions()}
	v.Draft, v.CanForm = draftOf(d)
	v.AsJSON = !v.CanForm || r.URL.Query().Has("json")
	if v.AsJSON {
		v.Draft.asJSON(d)
	}
	v.Preview = c.previewOf(d)
	return v
}

// newPage is the editor with a template that does not exist yet.
func (c *Console) newPage(w http.ResponseWriter, r *http.Request) {
	_, all, err := c.account(r, "")
	if err == nil && len(all) == 0 {
		err = kabar.Refuse(kabar.ReasonNotFound, "account", "there is no account yet")
	}
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	v := c.editor(r, "New template", "POST /console/templates", all, &kabar.TemplateDef{Language: "en", Category: kabar.CategoryUtility})
	v.New, v.Preview.Faults = true, nil // nothing is wrong with what nobody has written yet
	c.page(w, r, "editor", v, nil)
}

// editPage is the editor with a template that there is.
func (c *Console) editPage(w http.ResponseWriter, r *http.Request) {
	d, err := c.template(r)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	v := c.editor(r, "Edit "+d.Name, "POST "+pathOf(d), nil, d)
	v.FixedKind = d.Status == kabar.TemplateApproved
	v.Draft.ID = idOf(int64(d.ID))
	c.page(w, r, "editor", v, nil)
}

// create puts a new template before review.
func (c *Console) create(w http.ResponseWriter, r *http.Request) {
	var in draft
	if err := web.DecodeRequest(w, r, &in, web.Options{Unknown: web.RefuseAll}); err != nil {
		c.refuse(w, r, misunderstood(err))
		return
	}
	account, _, err := c.account(r, in.Account)
	if err == nil && account == nil {
		err = kabar.Refuse(kabar.ReasonNotFound, "account", "there is no account yet")
	}
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	d, err := in.def()
	if err == nil {
		d, err = c.tpl.Create(r.Context(), account.ID, d, actor)
	}
	c.written(w, r, d, err)
}

// edit changes a template and puts it before review again.
func (c *Console) edit(w http.ResponseWriter, r *http.Request) {
	var in draft
	if err := web.DecodeRequest(w, r, &in, web.Options{Unknown: web.RefuseAll}); err != nil {
		c.refuse(w, r, misunderstood(err))
		return
	}
	d, err := c.template(r)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	draft, err := in.def()
	if err == nil {
		d, err = c.tpl.Edit(r.Context(), d.Account, d.ID, kabar.TemplateEdit{Category: draft.Category, Components: draft.Components}, actor)
	}
	c.written(w, r, d, err)
}

// written answers a form of the editor.
func (c *Console) written(w http.ResponseWriter, r *http.Request, d *kabar.TemplateDef, err error) {
	if faults, ok := errors.AsType[kabar.TemplateFaults](err); ok { // the preview names them all
		c.answer(w, http.StatusBadRequest, map[string]string{"error": strconv.Itoa(len(faults)) + " to be put right, beside the preview: " + faults[0].Detail})
		return
	}
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	c.answer(w, http.StatusOK, map[string]string{"id": idOf(int64(d.ID))})
}

// previewView is what is shown beside the editor.
type previewView struct {
	Bubble  ui.Bubble
	Faults  []kabar.TemplateFault
	Verdict *kabar.TemplateVerdict // of a template without faults
	Ready   bool
}

// preview answers what the editor has at the moment with the fragment that shows it. Nothing is stored.
func (c *Console) preview(w http.ResponseWriter, r *http.Request) {
	var in draft
	if err := web.DecodeRequest(w, r, &in, web.Options{Unknown: web.RefuseAll}); err != nil {
		c.refuse(w, r, misunderstood(err))
		return
	}
	d, err := in.def()
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	if in.ID != "" { // what the editor does not change
		r.SetPathValue("id", in.ID)
		old, err := c.template(r)
		if err != nil {
			c.refuse(w, r, err)
			return
		}
		d.Name, d.Language, d.TTL, d.ParameterFormat = old.Name, old.Language, old.TTL, old.ParameterFormat
	}
	c.page(w, r, "preview", c.previewOf(d), nil)
}

// previewOf looks at a draft as review does, and draws it as the phone page does.
func (c *Console) previewOf(of *kabar.TemplateDef) previewView {
	d := *of
	d.Status = kabar.TemplatePending
	d.Normalize()
	v := previewView{Faults: d.Lint()}
	for i := range v.Faults {
		v.Faults[i].Path = placeOf(&d, v.Faults[i].Path)
	}
	if len(v.Faults) == 0 {
		v.Verdict, v.Ready = d.Assess(nil), true
	}
	d.Compose()
	v.Bubble = c.bubble(&d)
	return v
}

// placeOf writes a place as the editor calls it: "body.text" for "components[1].text".
func placeOf(d *kabar.TemplateDef, path string) string {
	rest, ok := strings.CutPrefix(path, "components[")
	number, rest, found := strings.Cut(rest, "]")
	i, err := strconv.Atoi(number)
	if !ok || !found || err != nil || i < 0 || i >= len(d.Components) {
		return path
	}
	part := strings.ToLower(d.Components[i].Type)
	if strings.HasPrefix(rest, "."+part) { // buttons.buttons[0]
		return rest[1:]
	}
	return part + rest
}

// bubble draws a template as the phone of a customer would, with its examples.
func (c *Console) bubble(d *kabar.TemplateDef) ui.Bubble {
	b := ui.Bubble{ID: "t" + idOf(int64(d.ID)), Who: "The business", At: d.Life.Changed.UTC()}
	if b.At.IsZero() {
		b.At = c.now().In(time.UTC)
	}
	shown, err := d.Preview()
	if err != nil {
		why := err.Error()
		if known, ok := errors.AsType[*kabar.Error](err); ok {
			why = known.Detail
		}
		shown = &kabar.Rendered{Body: d.Text(), Footer: "Drawn without its form: " + why}
	}
	if h := shown.Header; h != nil && h.Media != nil {
		b.Media = c.sample
		if h.Media.Kind() == kabar.KindVideo { // a still picture stands for it
			h.Media = kabar.NewMedia(kabar.KindImage)
		}
	}
	b.Content = &kabar.Template{Name: d.Name, Rendered: shown}
	return b
}

// asJSON puts the parts of a template into the draft as the Graph API writes them.
func (d *draft) asJSON(of *kabar.TemplateDef) {
	parts := of.Components
	if parts == nil {
		parts = []kabar.TemplateComponent{{Type: kabar.TemplateBody, Text: "Dear {{1}}, your order has been sent."}}
		parts[0].SetExamples([]string{"Ana"})
	}
	text, err := json.MarshalIndent(parts, "", "  ")
	if err == nil {
		d.JSON = string(text)
	}
}
