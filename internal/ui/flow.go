package ui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kabar"
)

// Page is where a customer is in a flow that exchanges data.
type Page struct {
	Screen  string
	Data    map[string]any
	Answers map[string]any // what was filled in there before
	Back    bool           // there is a screen before this one
	Waiting bool           // the business's server is being asked
	Told    string         // what is wrong
	Over    bool           // it cannot be filled in any more
}

// flow draws a flow: one that exchanges data screen by screen, any other all at once. What is not known here, or branches, is answered
// as JSON.
func (b Bubble) flow(f *kabar.Flow) *Form {
	form, exchanges := f.Exchanges()
	if exchanges && !form.Branches() {
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
		out.Screen, out.Fields, out.Send = s.ID, pageFields(s, page), footer(s, page.Data)
	case page.Told == "":
		out.Told, out.Empty = "One moment…", true
	default:
		out.Send, out.Empty = "Try again", page.Over
	}
	return out
}

// pageFields draws a screen with what was filled in there before.
func pageFields(s *kabar.FlowScreen, page *Page) []Field {
	fields := screenFields(s, page.Data)
	for i := range fields {
		f := &fields[i]
		if f.Name == "" {
			continue
		}
		name := strings.TrimPrefix(f.Name, "screens."+s.ID+".")
		f.Name = "values." + name
		switch v := page.Answers[name].(type) {
		case nil:
		case bool:
			f.Checked = v
		case []any:
			for _, one := range v {
				f.Chosen = append(f.Chosen, fmt.Sprint(one))
			}
		default:
			f.Value = fmt.Sprint(v)
		}
	}
	return fields
}

// footer is what leads on from a screen.
func footer(s *kabar.FlowScreen, data map[string]any) string {
	for p := range s.Parts() {
		if p.Type == "Footer" {
			return kabar.FlowText(p.Label, data)
		}
	}
	return ""
}

// flowFields draws the screens that a flow leads through below each other; nil for a flow that cannot be drawn: one that is not known here, that
// asks the business's server on its way, or that branches.
func flowFields(f *kabar.Flow) []Field {
	form, faults := kabar.ParseFlow(f.Form)
	if len(faults) > 0 || form.Exchanges() || form.Branches() || f.Action == kabar.FlowExchange {
		return nil
	}
	screen, data := f.Opened()
	first, data := form.Begin(screen, data)
	if first == nil {
		return nil
	}
	fields := screenFields(first, data)
	for _, s := range form.Path(first)[1:] {
		fields = append(fields, screenFields(s, s.Examples())...)
	}
	return fields
}

func screenFields(s *kabar.FlowScreen, data map[string]any) (fields []Field) {
	if s.Title != "" {
		fields = append(fields, Field{Type: "title", Label: s.Title})
	}
	for p := range s.Parts() {
		if f, drawn := partField(p, data); drawn && !p.Hidden(data) {
			if p.Name != "" {
				f.Name = "screens." + s.ID + "." + p.Name
			}
			fields = append(fields, f)
		}
	}
	return fields
}

// partField draws a component. What only leads on, or shows pictures, is not drawn.
func partField(p *kabar.FlowPart, data map[string]any) (f Field, drawn bool) {
	f = Field{Label: kabar.FlowText(p.Label, data), Note: kabar.FlowText(p.Helper, data), Value: kabar.FlowText(p.Initial, data)}
	f.Required = p.Needed(data)
	switch p.Type {
	case "TextHeading", "TextSubheading":
		return Field{Type: "title", Label: kabar.FlowText(p.Text, data)}, true
	case "TextBody", "TextCaption", "RichText":
		return Field{Type: "note", Label: kabar.FlowText(p.Text, data)}, true
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
		f.Type, f.Options = "select", options(p, data)
	case "RadioButtonsGroup":
		f.Type, f.Options = "radio", options(p, data)
	case "CheckboxGroup", "ChipsSelector":
		f.Type, f.Options = "many", options(p, data)
	default:
		return f, false
	}
	return f, true
}

// Option is something to choose from.
type Option struct{ ID, Title string }

func options(p *kabar.FlowPart, data map[string]any) (all []Option) {
	for _, o := range p.Options(data) {
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
