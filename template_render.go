package kabar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Render fills the template with the parameters of a valid request. Placeholders are replaced in one pass: a value is
// put in byte for byte and never searched for placeholders. Amounts and dates are written by f in the template's language,
// and appear as their fallback text where f is nil or cannot.
//
// A template that cannot be sent gives its status as the reason (a pending one is ReasonTemplateMissing), or what is not
// supported: ReasonTemplateMedia for its header, ReasonTemplateButtons for a button, ReasonTemplateFormat for a part. A part
// whose component is absent from the request is ReasonTemplateComponent, a wrong number of parameters
// ReasonTemplateParamCount, parameters that do not fit the part ReasonTemplateFormat, a button whose address does not become
// a URL of the template's host ReasonTemplateURL, one that calls no telephone number ReasonTemplatePhone, and a body that
// became longer than MaxTemplateText (MaxTemplateBody when there is nothing but a body) ReasonTemplateTextLong.
func (d *TemplateDef) Render(t *Template, f Formatter) (*Rendered, error) {
	if err := first(d.checkStatus(), checkSupported(d.Components), checkFits(d.Components, "template.components", t.Components)); err != nil {
		return nil, err
	}
	limit := MaxTemplateText
	if len(d.Components) == 1 {
		limit = MaxTemplateBody
	}
	return render(d.Components, filler{t.Components, "template.components", d.Language, f}, limit)
}

// render fills the parts of a template, or of a card, whose body may become limit characters long.
func render(parts []TemplateComponent, f filler, limit int) (*Rendered, error) {
	r := new(Rendered)
	for i := range parts {
		if err := parts[i].render(f, r); err != nil {
			return nil, err
		}
	}
	if n := utf8.RuneCountInString(r.Body); n > limit {
		return nil, fault(ReasonTemplateTextLong, strings.TrimSuffix(f.path, ".components"), "the body has %d characters with its parameters, the limit is %d", n, limit)
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
	default: // pending, say
		return fault(ReasonTemplateMissing, field, "%s in %s is not approved", d.Name, d.Language)
	}
}

// checkFits refuses parameters for parts that the template, or the card, does not have.
func checkFits(parts []TemplateComponent, path string, filled []Component) error {
	for i, c := range filled {
		if len(c.Parameters) == 0 && len(c.Cards) == 0 {
			continue
		}
		field := fmt.Sprintf("%s[%d]", path, i)
		switch part := partOf(parts, strings.ToUpper(string(c.Type))); {
		case c.Type == ComponentButton:
			if err := checkFitsButton(partOf(parts, TemplateButtons), c, field); err != nil {
				return err
			}
		case part == nil:
			return fault(ReasonTemplateParamCount, field, "has %d parameters, but the template has no %s", max(len(c.Parameters), len(c.Cards)), c.Type)
		case c.Type == ComponentCarousel:
			if err := part.checkFitsCards(c, field); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkFitsButton(part *TemplateComponent, c Component, field string) error {
	var buttons []TemplateButton
	if part != nil {
		buttons = part.Buttons
	}
	if c.Index < 0 || c.Index >= len(buttons) {
		return fault(ReasonTemplateFormat, field+".index", "is %d, but the template has %d buttons", c.Index, len(buttons))
	}
	if b := buttons[c.Index]; b.Type.takes() != c.SubType {
		return fault(ReasonTemplateFormat, field+".sub_type", "is %q, but button %d of the template is %s", c.SubType, c.Index, WithArticle(string(b.Type)))
	}
	return nil
}

// part returns the component of a type, or nil.
func (d *TemplateDef) part(typ string) *TemplateComponent { return partOf(d.Components, typ) }

// partOf returns the component of a type, or nil.
func partOf(parts []TemplateComponent, typ string) *TemplateComponent {
	i := slices.IndexFunc(parts, func(c TemplateComponent) bool { return c.Type == typ })
	if i < 0 {
		return nil
	}
	return &parts[i]
}

// render adds the component to r.
func (c *TemplateComponent) render(f filler, r *Rendered) (err error) {
	switch c.Type {
	case TemplateHeader:
		r.Header, err = c.renderHeader(f.part(ComponentHeader, 0))
	case TemplateBody:
		r.Body, err = f.part(ComponentBody, 0).text(c.Text)
	case TemplateFooter:
		r.Footer = c.Text
	case TemplateButtons:
		for i, b := range c.Buttons {
			rendered, err := b.render(f.part(ComponentButton, i))
			if err != nil {
				return err
			}
			r.Buttons = append(r.Buttons, rendered)
		}
	case TemplateCarousel:
		r.Cards, err = c.renderCards(f)
	case TemplateCall:
		r.Permission = true
	case TemplateOffer:
		r.Offer, err = c.Offer.render(f.part(ComponentOffer, 0))
	}
	return err
}

func (c *TemplateComponent) renderHeader(f filling) (*Header, error) {
	if c.Format == "" || c.Format == FormatText {
		text, err := f.text(c.Text)
		return &Header{Type: KindText, Text: text}, err
	}
	if err := f.checkCount(1); err != nil {
		return nil, err
	}
	p, want := f.parameters[0], ParameterType(strings.ToLower(c.Format))
	if p.Type != want || p.Media == nil && p.Location == nil && p.Product == nil {
		return nil, fault(ReasonTemplateFormat, f.field+".parameters[0].type", "is %q, the template's header needs %q", p.Type, want)
	}
	return &Header{Type: want.media(), Media: p.Media, Location: p.Location, Product: p.Product}, nil
}

// filler is what a request gives to a template, or to a card of one, in the template's language.
type filler struct {
	components []Component
	path       string // of the components
	language   string
	format     Formatter
}

// filling is what a request gives to one part of a template.
type filling struct {
	filler
	field      string // path of the component
	absent     bool   // the request has no such component
	parameters []Parameter
}

// part finds the component for a part. The index matters for buttons only.
func (f filler) part(part ComponentType, index int) filling {
	for i, c := range f.components {
		if c.Type == part && (part != ComponentButton || c.Index == index) {
			return filling{filler: f, field: fmt.Sprintf("%s[%d]", f.path, i), parameters: c.Parameters}
		}
	}
	return filling{filler: f, field: f.path, absent: true}
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
		values[name] = p.written(f.language, f.format)
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
