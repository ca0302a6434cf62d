package kabar

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// maxSample bounds how many numbered variables a part is filled for: no text that review lets through has as many.
const maxSample = 1000

// sampleCode stands for a one-time password or a coupon without an example.
const sampleCode = "123456"

// sampleProduct stands for a catalog and for a product of it.
const sampleProduct = "sample"

// sampleEnd stands for the end of an offer: the last minute of 2030, in Unix milliseconds.
const sampleEnd = 1_924_991_940_000

// Preview returns what a customer would see of the template, with its examples in the place of variables, whatever its status
// is. A variable without an example stays as it is written; a medium and a place are empty. The errors are those of Render.
func (d *TemplateDef) Preview() (*Rendered, error) {
	as := *d
	as.Status = TemplateApproved
	return as.Render(as.sample(), nil)
}

// sample is a request with the examples as its parameters.
func (d *TemplateDef) sample() *Template {
	return &Template{Name: d.Name, Language: Language{Code: d.Language}, Components: sampleOf(d.Components)}
}

// sampleOf fills the parts of a template or of a card.
func sampleOf(parts []TemplateComponent) (all []Component) {
	add := func(typ ComponentType, sub string, index int, p []Parameter) {
		all = append(all, Component{Type: typ, SubType: sub, Index: index, Parameters: p})
	}
	for i := range parts {
		c := &parts[i]
		x, _ := c.Examples() // what cannot be read is a fault, and no example
		switch c.Type {
		case TemplateHeader:
			add(ComponentHeader, "", 0, c.sampleHeader(x))
		case TemplateBody:
			add(ComponentBody, "", 0, sampleText(c.Text, x.Body, x.BodyNamed))
		case TemplateButtons:
			for j, b := range c.Buttons {
				if p := b.sample(); p != nil {
					add(ComponentButton, b.Type.takes(), j, p)
				}
			}
		case TemplateCarousel:
			cards := make([]CardFilling, len(c.Cards))
			for n := range cards {
				cards[n].Components = sampleOf(c.Cards[n].Components)
			}
			all = append(all, Component{Type: ComponentCarousel, Cards: cards})
		case TemplateOffer:
			if c.Offer != nil && c.Offer.Expiry {
				add(ComponentOffer, "", 0, []Parameter{{Type: ParameterOffer, Ends: sampleEnd}})
			}
		}
	}
	return all
}

func (c *TemplateComponent) sampleHeader(x TemplateExample) []Parameter {
	switch kind := Kind(strings.ToLower(c.Format)); {
	case c.Format == "" || c.Format == FormatText:
		return sampleText(c.Text, x.Header, x.HeaderNamed)
	case c.Format == FormatLocation:
		return []Parameter{{Type: ParameterLocation, Location: &Location{Name: "The place that the message names"}}}
	case c.Format == FormatProduct:
		return []Parameter{{Type: ParameterProduct, Product: &ProductRef{Catalog: sampleProduct, RetailerID: sampleProduct}}}
	case c.Format == FormatGIF:
		film := NewMedia(KindVideo)
		film.GIF = true
		return []Parameter{{Type: ParameterGIF, Media: film}}
	default:
		return []Parameter{{Type: ParameterType(kind), Media: NewMedia(kind)}}
	}
}

// sampleText has a parameter for each variable of a text.
func sampleText(text string, numbered []string, named []NamedExample) (all []Parameter) {
	names := placeholders(text)
	want, positional := arity(names)
	for i := range min(want, maxSample) {
		p := Parameter{Type: ParameterText}
		if positional {
			p.Text = fmt.Sprintf("{{%d}}", i+1)
			if i < len(numbered) {
				p.Text = numbered[i]
			}
		} else {
			p.Name, p.Text = names[i], "{{"+names[i]+"}}"
			if at := slices.IndexFunc(named, func(x NamedExample) bool { return x.Name == names[i] }); at >= 0 {
				p.Text = named[at].Value
			}
		}
		all = append(all, p)
	}
	return all
}

// sample has what a button takes; nil: nothing.
func (b TemplateButton) sample() []Parameter {
	example := b.ExampleText()
	switch b.Type {
	case ButtonURL:
		base, _, variable := strings.Cut(b.URL, "{{")
		if !variable {
			return nil
		}
		return []Parameter{{Type: ParameterText, Text: strings.TrimPrefix(example, base)}}
	case ButtonCopyCode:
		return []Parameter{{Type: ParameterCoupon, Coupon: orSample(example)}}
	case ButtonOTP:
		return []Parameter{{Type: ParameterText, Text: sampleCode}}
	case ButtonProducts:
		return []Parameter{{Type: ParameterAction, Action: &ButtonAction{Sections: []Section{{Products: []string{sampleProduct}}}}}}
	case ButtonOrder:
		return []Parameter{{Type: ParameterAction, Action: &ButtonAction{Payment: &Payment{Reference: sampleProduct, Currency: "INR"}}}}
	default: // can be sent without parameters, or not at all
		return nil
	}
}

func orSample(code string) string {
	if code == "" {
		return sampleCode
	}
	return code
}

// ExampleText returns the example of a button, which the Graph API writes as a text or as a list of one; empty when there is
// none.
func (b TemplateButton) ExampleText() (s string) {
	if json.Unmarshal(b.Example, &s) == nil {
		return s
	}
	var list []string
	if json.Unmarshal(b.Example, &list) == nil && len(list) > 0 {
		return list[0]
	}
	return ""
}

// Variables returns the names of the variables in the text of a part, each once, in the order in which its examples stand.
func (c *TemplateComponent) Variables() []string {
	names := placeholders(c.Text)
	if n, positional := arity(names); positional && n == len(names) { // without a gap
		for i := range names {
			names[i] = fmt.Sprint(i + 1)
		}
	}
	return names
}

// SetExamples gives the variables of a header or a body their examples, in the order of Variables.
func (c *TemplateComponent) SetExamples(values []string) {
	c.Example = nil
	names := c.Variables()
	if len(names) == 0 || len(values) == 0 {
		return
	}
	key, example := strings.ToLower(c.Type)+"_text", any(values)
	if _, positional := arity(names); !positional {
		key += "_named_params"
		var named []NamedExample
		for i, v := range values[:min(len(values), len(names))] {
			named = append(named, NamedExample{names[i], v})
		}
		example = named
	} else if c.Type == TemplateBody {
		example = [][]string{values}
	}
	c.Example, _ = json.Marshal(map[string]any{key: example}) // texts can be written
}

// ExampleValues returns the examples of the variables of a header or a body, in the order of Variables; fewer when some have
// none.
func (c *TemplateComponent) ExampleValues() (values []string) {
	x, _ := c.Examples()
	numbered, named := x.Header, x.HeaderNamed
	if c.Type == TemplateBody {
		numbered, named = x.Body, x.BodyNamed
	}
	if len(named) == 0 {
		return numbered
	}
	for _, name := range c.Variables() {
		if at := slices.IndexFunc(named, func(x NamedExample) bool { return x.Name == name }); at >= 0 {
			values = append(values, named[at].Value)
		}
	}
	return values
}
