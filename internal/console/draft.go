package console

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"kabar"
	"kabar/internal/web"
)

// draft is what the form of the editor sends. It has room for a header, a body, a footer and the commonest buttons; everything
// else is written as JSON.
type draft struct {
	ID       string        `json:"id"`      // of a template that there is; for the preview
	Account  string        `json:"account"` // of a new one
	Name     string        `json:"name"`
	Language string        `json:"language"`
	Category string        `json:"category"`
	Header   draftHeader   `json:"header"`
	Body     draftBody     `json:"body"`
	Footer   string        `json:"footer"`
	Buttons  []draftButton `json:"buttons"`
	JSON     string        `json:"json"` // the components, in the place of all four
}

type draftHeader struct {
	Format  string `json:"format"` // empty: no header
	Text    string `json:"text"`
	Example string `json:"example"` // of its variable, or the address of a medium
}

type draftBody struct {
	Text     string `json:"text"`
	Examples string `json:"examples"` // a line for each variable
}

type draftButton struct {
	Type    string `json:"type"` // empty: no button
	Text    string `json:"text"`
	Value   string `json:"value"` // the address or the number
	Example string `json:"example"`
}

func headerOptions() []option {
	return []option{{"", "None"}, {kabar.FormatText, "Text"}, {kabar.FormatImage, "Image"}, {kabar.FormatVideo, "Video"},
		{kabar.FormatDocument, "Document"}, {kabar.FormatLocation, "Location"}}
}

func buttonOptions() []option {
	return []option{{"", "None"}, {string(kabar.ButtonQuickReply), "Quick reply"}, {string(kabar.ButtonURL), "Link"}, {string(kabar.ButtonPhone), "Call"}}
}

// def returns the template that the form describes.
func (d *draft) def() (*kabar.TemplateDef, error) {
	def := &kabar.TemplateDef{Name: d.Name, Language: d.Language, Category: kabar.Category(strings.ToLower(d.Category))}
	if d.JSON != "" {
		if err := web.Decode([]byte(d.JSON), &def.Components, web.Options{Unknown: web.Ignore}); err != nil {
			return nil, kabar.Refuse(kabar.ReasonInvalid, "components", "%v", err)
		}
	} else {
		def.Components = d.components()
	}
	for i := range def.Components {
		for _, name := range def.Components[i].Variables() {
			if _, err := strconv.Atoi(name); err != nil {
				def.ParameterFormat = kabar.Named
			}
		}
	}
	return def, nil
}

func (d *draft) components() (parts []kabar.TemplateComponent) {
	if d.Header.Format != "" {
		parts = append(parts, d.Header.component())
	}
	body := kabar.TemplateComponent{Type: kabar.TemplateBody, Text: newlines(d.Body.Text)}
	if d.Body.Examples != "" {
		body.SetExamples(strings.Split(strings.TrimRight(newlines(d.Body.Examples), "\n"), "\n"))
	}
	parts = append(parts, body)
	if d.Footer != "" {
		parts = append(parts, kabar.TemplateComponent{Type: kabar.TemplateFooter, Text: d.Footer})
	}
	var buttons []kabar.TemplateButton
	for _, b := range d.Buttons {
		if b.Type != "" {
			buttons = append(buttons, b.button())
		}
	}
	if buttons != nil {
		parts = append(parts, kabar.TemplateComponent{Type: kabar.TemplateButtons, Buttons: buttons})
	}
	return parts
}

// newlines has the line breaks of a form in one form.
func newlines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

func (h draftHeader) component() kabar.TemplateComponent {
	c := kabar.TemplateComponent{Type: kabar.TemplateHeader, Format: h.Format}
	switch {
	case h.Format == kabar.FormatText:
		c.Text = h.Text
		if h.Example != "" {
			c.SetExamples([]string{h.Example})
		}
	case h.Example != "" && h.Format != kabar.FormatLocation:
		key := "header_handle" // of an upload
		if strings.Contains(h.Example, "://") {
			key = "header_url"
		}
		c.Example, _ = json.Marshal(map[string][]string{key: {h.Example}}) // texts can be written
	}
	return c
}

func (b draftButton) button() kabar.TemplateButton {
	t := kabar.TemplateButton{Type: kabar.TemplateButtonType(b.Type), Text: b.Text}
	switch t.Type {
	case kabar.ButtonURL:
		t.SetLink(b.Value, b.Example)
	case kabar.ButtonPhone:
		t.Phone = b.Value
	default: // a quick reply says its text
	}
	return t
}

// draftOf returns the form for a template, and whether the form has room for all of it.
func draftOf(def *kabar.TemplateDef) (d draft, ok bool) {
	d = draft{Name: def.Name, Language: def.Language, Category: def.Category.Graph(), Buttons: make([]draftButton, 0, kabar.MaxTemplateButtons)}
	for i := range def.Components {
		c := &def.Components[i]
		switch c.Type {
		case kabar.TemplateHeader:
			d.Header = headerOf(c)
		case kabar.TemplateBody:
			d.Body = draftBody{c.Text, strings.Join(c.ExampleValues(), "\n")}
		case kabar.TemplateFooter:
			d.Footer = c.Text
		case kabar.TemplateButtons:
			for _, b := range c.Buttons {
				d.Buttons = append(d.Buttons, buttonOf(b))
			}
		}
	}
	ok = def.Components == nil || def.Category != kabar.CategoryAuthentication && sameParts(d.components(), def.Components)
	for len(d.Buttons) < kabar.MaxTemplateButtons {
		d.Buttons = append(d.Buttons, draftButton{})
	}
	return d, ok
}

func headerOf(c *kabar.TemplateComponent) draftHeader {
	h := draftHeader{Format: c.Format, Text: c.Text}
	if c.Format == "" {
		h.Format = kabar.FormatText
	}
	examples := c.ExampleValues()
	if h.Format != kabar.FormatText {
		x, _ := c.Examples() // what cannot be read does not fit
		examples = append(x.Handle, x.Links...)
	}
	if len(examples) > 0 {
		h.Example = examples[0]
	}
	return h
}

func buttonOf(b kabar.TemplateButton) draftButton {
	d := draftButton{Type: string(b.Type), Text: b.Text, Example: b.ExampleText()}
	switch b.Type {
	case kabar.ButtonURL:
		d.Value = b.URL
	case kabar.ButtonPhone:
		d.Value = b.Phone
	default: // has no more, or does not fit
	}
	return d
}

// sameParts reports whether two templates are written in the same way, but for a header that does not name TEXT.
func sameParts(a, b []kabar.TemplateComponent) bool {
	return bytes.Equal(plainly(a), plainly(b))
}

// plainly writes parts with the members of objects in order.
func plainly(parts []kabar.TemplateComponent) []byte {
	text, err := json.Marshal(parts)
	var v []map[string]any
	if err != nil || json.Unmarshal(text, &v) != nil {
		return nil
	}
	for _, part := range v {
		if part["type"] == kabar.TemplateHeader && part["format"] == nil {
			part["format"] = kabar.FormatText
		}
		if x, ok := part["example"].(map[string]any); ok && part["type"] == kabar.TemplateBody {
			if flat, ok := x["body_text"].([]any); ok && len(flat) > 0 {
				if _, nested := flat[0].([]any); !nested {
					x["body_text"] = []any{flat}
				}
			}
		}
	}
	text, _ = json.Marshal(v) // it was read from JSON
	return text
}
