package ui

import (
	"slices"
	"strconv"

	"kabar"
)

// Page is where a customer is in a flow that is gone through screen by screen.
type Page struct {
	Screen  string
	Data    map[string]any
	Answers kabar.FlowAnswers // what was filled in, there and on other screens
	Back    bool              // there is a screen before this one
	Waiting bool              // the business's server is being asked
	Told    string            // what is wrong
	Over    bool              // it cannot be filled in any more
}

// flow draws a flow: one that exchanges data or branches screen by screen, any other all at once. What is not known here is answered as
// JSON.
func (b Bubble) flow(f *kabar.Flow) *Form {
	if form, paged := f.Paged(); paged {
		return b.flowPage(f, form)
	}
	if fields := flowFields(f); fields != nil {
		return b.form("list", f.Text, "/answer", fields)
	}
	return b.form("list", f.Text, "/answer", []Field{{Name: "response", Label: "Answers, as JSON", Type: "json", Value: "{\n  \"answer\": \"\"\n}"}})
}

// flowPage draws the screen that the customer is at.
func (b Bubble) flowPage(f *kabar.Flow, form *kabar.FlowForm) *Form {
	out := b.form("list", f.Text, "/flow", nil)
	page := b.Page
	if page == nil {
		page = &Page{}
	}
	out.Steps, out.Told, out.Back, out.Waiting = !page.Over, page.Told, page.Back, page.Waiting
	switch s := form.Screen(page.Screen); {
	case page.Screen != "" && s != nil:
		v := s.View(page.Data, page.Answers)
		out.Screen, out.Fields, out.Decides = s.ID, screenFields(s, v, "values."), s.Branches()
		out.footer(v)
	case page.Told == "":
		out.Told, out.Empty = "One moment…", true
	default:
		out.Send, out.Empty = "Try again", page.Over
	}
	return out
}

// footer draws what leads on from a screen.
func (f *Form) footer(v *kabar.FlowView) {
	for _, p := range v.Parts {
		if p.Type == "Footer" {
			f.Send, f.Stuck = v.Text(p.Label), !v.Enabled(p)
		}
	}
}

// flowFields draws the screens that a flow leads through below each other; nil for a flow that cannot be drawn: one that is not known here,
// or that asks the business's server on its way and does not say how.
func flowFields(f *kabar.Flow) []Field {
	form, faults := kabar.ParseFlow(f.Form)
	if len(faults) > 0 || form.Exchanges() || f.Action == kabar.FlowExchange {
		return nil
	}
	screen, data := f.Opened()
	first, data := form.Begin(screen, data)
	if first == nil {
		return nil
	}
	fields := screenFields(first, first.View(data, nil), "screens."+first.ID+".")
	for _, s := range form.Path(first)[1:] {
		fields = append(fields, screenFields(s, s.View(s.Examples(), nil), "screens."+s.ID+".")...)
	}
	return fields
}

// screenFields draws what a screen shows, with what was filled in. The names of the fields begin with where they belong.
func screenFields(s *kabar.FlowScreen, v *kabar.FlowView, where string) (fields []Field) {
	if s.Title != "" {
		fields = append(fields, Field{Type: "title", Label: s.Title})
	}
	for _, p := range v.Parts {
		if f, drawn := partField(p, v); drawn {
			if p.Name != "" {
				f.Name = where + p.Name
			}
			fields = append(fields, f)
		}
	}
	return fields
}

// partField draws a component. What only leads on, or shows pictures, is not drawn.
func partField(p *kabar.FlowPart, v *kabar.FlowView) (f Field, drawn bool) {
	f = Field{Label: v.Text(p.Label), Note: v.Text(p.Helper), Required: v.Needed(p), Off: !v.Enabled(p), Begun: p.Initial != nil}
	switch p.Type {
	case "TextHeading", "TextSubheading":
		return Field{Type: "title", Label: v.Text(p.Text)}, true
	case "TextBody", "TextCaption", "RichText":
		return Field{Type: "note", Label: v.Text(p.Text)}, true
	case "TextInput":
		f.Type = map[string]string{"email": "email", "phone": "tel", "password": "password", "passcode": "password"}[p.Input]
		if f.Type == "" {
			f.Type = "text"
		}
	case "TextArea":
		f.Type = "area"
	case "DatePicker", "CalendarPicker":
		f.Type = "date"
	case "OptIn":
		f.Type = "check"
	case "Dropdown":
		f.Type, f.Options = "select", options(p, v)
	case "RadioButtonsGroup":
		f.Type, f.Options = "radio", options(p, v)
	case "CheckboxGroup", "ChipsSelector":
		f.Type, f.Options = "many", options(p, v)
	default:
		return f, false
	}
	f.fill(v.Given(p))
	return f, true
}

// fill shows what was filled in.
func (f *Field) fill(given any) {
	switch given := given.(type) {
	case nil:
	case bool:
		f.Checked = given
	case []any:
		for _, one := range given {
			f.Chosen = append(f.Chosen, kabar.ShowFlowValue(one))
		}
	default:
		f.Value = kabar.ShowFlowValue(given)
	}
}

// Option is something to choose from.
type Option struct{ ID, Title string }

func options(p *kabar.FlowPart, v *kabar.FlowView) (all []Option) {
	for _, o := range v.Options(p) {
		title := o.Title
		if o.Description != "" {
			title += " · " + o.Description
		}
		all = append(all, Option{o.ID, title})
	}
	return all
}

// Has reports whether an option has been chosen.
func (f Field) Has(id string) bool { return id == f.Value || slices.Contains(f.Chosen, id) }

// Rows is how many options are seen at once where several can be chosen.
func (f Field) Rows() string { return strconv.Itoa(min(max(len(f.Options), 2), 6)) }
