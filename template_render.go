package kabar

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Render fills the template with the parameters of a valid request. Placeholders are replaced in one pass: a value is
// put in byte for byte and never searched for placeholders. Amounts and dates appear as their fallback text.
//
// A template that cannot be sent gives its status as the reason (a pending one is ReasonTemplateMissing). A part whose
// component is absent from the request is ReasonTemplateComponent, a wrong number of parameters
// ReasonTemplateParamCount, parameters that do not fit the part ReasonTemplateFormat, and a body that became longer than
// MaxTemplateText (MaxTemplateBody when there is nothing but a body) ReasonTemplateTextLong.
func (d *TemplateDef) Render(t *Template) (*Rendered, error) {
	if err := first(d.checkStatus(), d.checkFits(t)); err != nil {
		return nil, err
	}
	r := new(Rendered)
	for i := range d.Components {
		if err := d.Components[i].render(t, r); err != nil {
			return nil, err
		}
	}
	limit := MaxTemplateText
	if len(d.Components) == 1 {
		limit = MaxTemplateBody
	}
	if n := utf8.RuneCountInString(r.Body); n > limit {
		return nil, fault(ReasonTemplateTextLong, "template", "the body has %d characters with its parameters, the limit is %d", n, limit)
	}
	return r, nil
}

func (d *TemplateDef) checkStatus() error {
	const field = "template.name"
	switch d.Status {
	case TemplateApproved:
		return nil
	case TemplateRejected:
		return fault(ReasonTemplateRejected, field, "%s in %s was rejected", d.Name, d.Language)
	case TemplatePaused:
		return fault(ReasonTemplatePaused, field, "%s in %s is paused", d.Name, d.Language)
	case TemplateDisabled:
		return fault(ReasonTemplateDisabled, field, "%s in %s is disabled", d.Name, d.Language)
	default: // pending, or a status we do not know
		return fault(ReasonTemplateMissing, field, "%s in %s is not approved", d.Name, d.Language)
	}
}

// checkFits refuses parameters for parts that the template does not have.
func (d *TemplateDef) checkFits(t *Template) error {
	for i, c := range t.Components {
		if len(c.Parameters) == 0 {
			continue
		}
		field := fmt.Sprintf("template.components[%d]", i)
		switch c.Type {
		case ComponentHeader, ComponentBody:
			if d.part(strings.ToUpper(string(c.Type))) == nil {
				return fault(ReasonTemplateParamCount, field, "has %d parameters, but the template has no %s", len(c.Parameters), c.Type)
			}
		case ComponentButton:
			if err := d.checkFitsButton(c, field); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *TemplateDef) checkFitsButton(c Component, field string) error {
	var buttons []TemplateButton
	if part := d.part(TemplateButtons); part != nil {
		buttons = part.Buttons
	}
	if c.Index < 0 || c.Index >= len(buttons) {
		return fault(ReasonTemplateFormat, field+".index", "is %d, but the template has %d buttons", c.Index, len(buttons))
	}
	if b := buttons[c.Index]; !strings.EqualFold(string(b.Type), c.SubType) {
		return fault(ReasonTemplateFormat, field+".sub_type", "is %q, but button %d of the template is a %s", c.SubType, c.Index, b.Type)
	}
	return nil
}

// part returns the component of a type, or nil.
func (d *TemplateDef) part(typ string) *TemplateComponent {
	i := slices.IndexFunc(d.Components, func(c TemplateComponent) bool { return c.Type == typ })
	if i < 0 {
		return nil
	}
	return &d.Components[i]
}

// render adds the component to r.
func (c *TemplateComponent) render(t *Template, r *Rendered) (err error) {
	switch c.Type {
	case TemplateHeader:
		r.Header, err = c.renderHeader(t.filling(ComponentHeader, 0))
	case TemplateBody:
		r.Body, err = t.filling(ComponentBody, 0).text(c.Text)
	case TemplateFooter:
		r.Footer = c.Text
	case TemplateButtons:
		for i, b := range c.Buttons {
			rendered, err := b.render(t.filling(ComponentButton, i))
			if err != nil {
				return err
			}
			r.Buttons = append(r.Buttons, rendered)
		}
	default:
		err = fault(ReasonTemplateFormat, "template.name", "a template with a %q component cannot be sent", c.Type)
	}
	return err
}

func (c *TemplateComponent) renderHeader(f filling) (*Header, error) {
	if c.Format == "" || c.Format == FormatText {
		text, err := f.text(c.Text)
		return &Header{Type: KindText, Text: text}, err
	}
	kind := Kind(strings.ToLower(c.Format))
	if kind == KindAudio || !isMedia(kind) {
		return nil, fault(ReasonTemplateFormat, "template.name", "a template with a %q header cannot be sent", c.Format)
	}
	if err := f.checkCount(1); err != nil {
		return nil, err
	}
	p := f.parameters[0]
	if p.Media == nil || Kind(p.Type) != kind {
		return nil, fault(ReasonTemplateFormat, f.field+".parameters[0].type", "is %q, the template's header needs %q", p.Type, kind)
	}
	return &Header{Type: kind, Media: p.Media}, nil
}

func (b TemplateButton) render(f filling) (RenderedButton, error) {
	r := RenderedButton{Type: b.Type, Text: b.Text}
	var err error
	switch b.Type {
	case ButtonQuickReply:
		r.Payload, err = b.payload(f)
	case ButtonURL:
		r.URL, err = b.link(f)
	case ButtonPhone:
		r.Phone = b.Phone
	default:
		err = fault(ReasonTemplateFormat, "template.name", "a template with a %q button cannot be sent", b.Type)
	}
	return r, err
}

// payload returns what a tap on a quick reply reports: the text of the button unless the request says otherwise.
func (b TemplateButton) payload(f filling) (string, error) {
	if len(f.parameters) == 0 {
		return b.Text, nil
	}
	if err := f.checkCount(1); err != nil {
		return "", err
	}
	if p := f.parameters[0]; p.Type != ParameterPayload {
		return "", fault(ReasonTemplateFormat, f.field+".parameters[0].type", "is %q, a quick reply takes %q", p.Type, ParameterPayload)
	}
	return f.parameters[0].Payload, nil
}

// link fills the URL of a button. Only the reviewed template chooses the host: a value that changes it is refused.
func (b TemplateButton) link(f filling) (string, error) {
	link, err := f.text(b.URL)
	if err != nil || link == b.URL {
		return link, err
	}
	bare, err := url.Parse(substitute(b.URL, func(string) string { return "" }))
	filled, err2 := url.Parse(link)
	if err != nil || err2 != nil || filled.Host == "" || filled.Host != bare.Host || filled.Scheme != bare.Scheme {
		return "", fault(ReasonTemplateFormat, f.field+".parameters[0].text", "does not make a valid URL on the host of the template")
	}
	return link, nil
}

// filling is what a request gives to one part of a template.
type filling struct {
	field      string // path of the component
	absent     bool   // the request has no such component
	parameters []Parameter
}

// filling finds the component for a part. The index matters for buttons only.
func (t *Template) filling(part ComponentType, index int) filling {
	for i, c := range t.Components {
		if c.Type == part && (part != ComponentButton || c.Index == index) {
			return filling{field: fmt.Sprintf("template.components[%d]", i), parameters: c.Parameters}
		}
	}
	return filling{field: "template.components", absent: true}
}

func (f filling) checkCount(want int) error {
	switch n := len(f.parameters); {
	case n == want:
		return nil
	case f.absent:
		return fault(ReasonTemplateComponent, f.field, "one is absent whose part of the template needs %d parameters", want)
	default:
		return fault(ReasonTemplateParamCount, f.field+".parameters", "are %d, the template needs %d", n, want)
	}
}

// text replaces the placeholders of text.
func (f filling) text(text string) (string, error) {
	names := placeholders(text)
	want, positional := arity(names)
	if err := f.checkCount(want); err != nil {
		return "", err
	}
	values := make(map[string]string, len(names))
	for i := range f.parameters {
		p, field := &f.parameters[i], fmt.Sprintf("%s.parameters[%d]", f.field, i)
		name := p.Name
		if positional && name == "" {
			name = strconv.Itoa(i + 1)
		}
		_, repeated := values[name]
		switch {
		case positional && p.Name != "":
			return "", fault(ReasonTemplateFormat, field+".parameter_name", "is %q, the template's placeholders are numbered", p.Name)
		case !positional && (repeated || !slices.Contains(names, name)):
			return "", fault(ReasonTemplateFormat, field+".parameter_name", "is %q, needed are %s once each", name, strings.Join(names, ", "))
		case p.Type != ParameterText && p.Type != ParameterCurrency && p.Type != ParameterDateTime:
			return "", fault(ReasonTemplateFormat, field+".type", "is %q, the template has text there", p.Type)
		}
		values[name] = p.shown()
	}
	return substitute(text, func(name string) string { return values[name] }), nil
}

// arity returns how many parameters placeholders take, and whether they are filled by position: when all are numbers.
func arity(names []string) (want int, positional bool) {
	for _, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil || n < 1 || strconv.Itoa(n) != name {
			return len(names), false
		}
		want = max(want, n)
	}
	return want, true
}

// placeholders returns the names of the placeholders in s, each once.
func placeholders(s string) (names []string) {
	substitute(s, func(name string) string {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		return ""
	})
	return names
}

// substitute replaces each {{name}} of s, where a name is of a-z, 0-9 and _. It goes over s once, and what value returns
// is not looked at. Braces around anything else are text.
func substitute(s string, value func(name string) string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz0123456789_"))]
		if after, ok := strings.CutPrefix(rest[len(name):], "}}"); ok && name != "" {
			b.WriteString(value(name))
			s = after
		} else {
			b.WriteByte('{')
			s = s[len(before)+1:] // the second brace may begin a placeholder
		}
	}
}
