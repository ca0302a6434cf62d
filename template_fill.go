package kabar

import (
	"slices"
	"strconv"
	"strings"
)

// Place is where a template takes a text of a table: its name is "header", "body.1" (or "body.first_name" where the template's
// variables have names), or "button.0", buttons counted from 0.
type Place struct {
	Name     string
	Optional bool // the template can be sent without it: what a tap on a quick reply reports
}

// Places returns the places of a template in its order. A template that takes anything but texts and links of media (products, cards, a
// location, say) is refused with ReasonTemplateFormat: a table cannot fill it.
func (d *TemplateDef) Places() (all []Place, err error) {
	for i := range d.Components {
		c := &d.Components[i]
		switch {
		case c.Type == TemplateHeader && c.takesLink(), c.Type == TemplateHeader && c.isText() && len(c.Variables()) == 1:
			all = append(all, Place{Name: string(ComponentHeader)})
		case c.Type == TemplateHeader && c.isText() && len(c.Variables()) == 0:
		case c.Type == TemplateBody:
			for _, name := range c.Variables() {
				all = append(all, Place{Name: string(ComponentBody) + "." + name})
			}
		case c.Type == TemplateButtons:
			for j, b := range c.Buttons {
				place, takes, ok := b.place(j)
				if !ok {
					return nil, unfillable(string(b.Type) + " button")
				}
				if takes {
					all = append(all, place)
				}
			}
		case c.Type == TemplateFooter, c.Type == TemplateCall:
		default:
			return nil, unfillable(strings.TrimSpace(c.Format + " " + c.Type))
		}
	}
	return all, nil
}

func unfillable(part string) error {
	return fault(ReasonTemplateFormat, "template.name", "has a %s, which the columns of a table cannot fill", strings.ToLower(part))
}

func (c *TemplateComponent) isText() bool { return c.Format == "" || c.Format == FormatText }

// takesLink reports whether a header is a medium, of which a message names the link.
func (c *TemplateComponent) takesLink() bool {
	return slices.Contains([]string{FormatImage, FormatVideo, FormatDocument}, c.Format)
}

// place returns what a button takes, if it takes anything; ok is false for what is no text.
func (b TemplateButton) place(index int) (p Place, takes, ok bool) {
	p.Name = string(ComponentButton) + "." + strconv.Itoa(index)
	switch b.Type {
	case ButtonURL:
		return p, len(placeholders(b.URL)) > 0, true
	case ButtonOTP, ButtonCopyCode:
		return p, true, true
	case ButtonQuickReply:
		p.Optional = true
		return p, true, true
	case ButtonPhone, ButtonContact, ButtonApp, ButtonCall, ButtonFlow, ButtonCatalog:
		return p, false, true // they take nothing, or can be sent without
	default:
		return p, false, false
	}
}

// Fill returns the request that puts values, by the names of their places, into a template. Places without a value are left out, and
// Render says whether that can be.
func (d *TemplateDef) Fill(values map[string]string) *Template {
	t := &Template{Name: d.Name, Language: Language{Code: d.Language}}
	for i := range d.Components {
		t.Components = append(t.Components, d.Components[i].fill(values)...)
	}
	return t
}

func (c *TemplateComponent) fill(values map[string]string) (all []Component) {
	switch c.Type {
	case TemplateHeader:
		if v, ok := values[string(ComponentHeader)]; ok {
			all = append(all, Component{Type: ComponentHeader, Parameters: []Parameter{c.headerParameter(v)}})
		}
	case TemplateBody:
		body := Component{Type: ComponentBody}
		names := c.Variables()
		_, positional := arity(names)
		for _, name := range names {
			v, ok := values[string(ComponentBody)+"."+name]
			if !ok {
				continue
			}
			p := Parameter{Type: ParameterText, Text: v}
			if !positional {
				p.Name = name
			}
			body.Parameters = append(body.Parameters, p)
		}
		if len(body.Parameters) > 0 {
			all = append(all, body)
		}
	case TemplateButtons:
		for i, b := range c.Buttons {
			if v, ok := values[string(ComponentButton)+"."+strconv.Itoa(i)]; ok {
				all = append(all, Component{Type: ComponentButton, SubType: b.Type.takes(), Index: i, Parameters: []Parameter{b.parameter(v)}})
			}
		}
	}
	return all
}

func (c *TemplateComponent) headerParameter(value string) Parameter {
	if !c.takesLink() {
		p := Parameter{Type: ParameterText, Text: value}
		if names := c.Variables(); len(names) == 1 {
			if _, positional := arity(names); !positional {
				p.Name = names[0]
			}
		}
		return p
	}
	kind := Kind(strings.ToLower(c.Format))
	m := NewMedia(kind)
	m.Link = value
	return Parameter{Type: ParameterType(kind), Media: m}
}

func (b TemplateButton) parameter(value string) Parameter {
	switch b.Type {
	case ButtonQuickReply:
		return Parameter{Type: ParameterPayload, Payload: value}
	case ButtonCopyCode:
		return Parameter{Type: ParameterCoupon, Coupon: value}
	default: // a link, or a one-time password, which is filled as one
		return Parameter{Type: ParameterText, Text: value}
	}
}
