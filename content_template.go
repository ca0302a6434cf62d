package kabar

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// KindTemplate is a message from an approved template.
const KindTemplate Kind = "template"

// Limits of template messages, in characters.
const (
	// MaxTemplateText bounds the texts of a component, and the text made of them, in a template of several components.
	MaxTemplateText = 1024
	// MaxTemplateBody is the bound when the body is the only component.
	MaxTemplateBody = 32768
	// MaxTemplateButtons is the number of buttons a template can have.
	MaxTemplateButtons = 10
)

// Template is what a request to send a template says: which one, and what to put into its placeholders. The template
// itself, a TemplateDef, is looked up by Name and Language.Code.
type Template struct {
	Name       string      `json:"name"`
	Namespace  string      `json:"namespace,omitempty"` // accepted and without effect
	Language   Language    `json:"language"`
	Components []Component `json:"components,omitempty"`
	// Rendered is what the customer sees. The engine sets it from TemplateDef.Render before the message is stored, so that
	// a later change of the template does not change the message.
	Rendered *Rendered `json:"rendered,omitempty"`
	// Category is the template's when it was rendered: what the message is billed as.
	Category Category `json:"category,omitempty"`
}

// Language says which translation of a template is meant.
type Language struct {
	Policy string `json:"policy,omitempty"` // "deterministic", or empty for the same
	Code   string `json:"code"`             // "es" or "es_ES"
}

// ComponentType says which part of a template a component fills.
type ComponentType string

// The types of components in a request.
const (
	ComponentHeader ComponentType = "header"
	ComponentBody   ComponentType = "body"
	ComponentButton ComponentType = "button"
)

// The sub-types of a button component.
const (
	SubTypeQuickReply = "quick_reply"
	SubTypeURL        = "url"
)

// Component fills the placeholders of one part of a template. Parameters may be empty.
type Component struct {
	Type       ComponentType `json:"type"`
	SubType    string        `json:"sub_type,omitempty"` // buttons only
	Index      int           `json:"index,omitempty"`    // buttons only: which, from 0 over all buttons of the template
	Parameters []Parameter   `json:"parameters,omitempty"`
}

// ParameterType says what a parameter is.
type ParameterType string

// The types of parameters. The media types have the names of the media kinds.
const (
	ParameterText     ParameterType = "text"
	ParameterCurrency ParameterType = "currency"
	ParameterDateTime ParameterType = "date_time"
	ParameterImage    ParameterType = "image"
	ParameterDocument ParameterType = "document"
	ParameterVideo    ParameterType = "video"
	ParameterPayload  ParameterType = "payload"
)

// Parameter is one value. Type says which of the fields after Name holds it.
type Parameter struct {
	Type     ParameterType `json:"type"`
	Name     string        `json:"name,omitempty"` // of a named placeholder; empty: placeholders are filled by position
	Text     string        `json:"text,omitempty"`
	Currency *Currency     `json:"currency,omitempty"`
	DateTime *DateTime     `json:"date_time,omitempty"`
	Media    *Media        `json:"media,omitempty"`
	Payload  string        `json:"payload,omitempty"` // what a tap on a quick reply reports
}

// UnmarshalJSON also gives the medium its kind, which the parameter's type says.
func (p *Parameter) UnmarshalJSON(b []byte) error {
	type plain Parameter
	if err := json.Unmarshal(b, (*plain)(p)); err != nil {
		return err
	}
	if p.Media != nil {
		p.Media.kind = Kind(p.Type)
	}
	return nil
}

// Currency is an amount of money.
type Currency struct {
	Fallback   string `json:"fallback_value"` // what is shown
	Code       string `json:"code"`           // ISO 4217
	Amount1000 int64  `json:"amount_1000"`    // thousandths of the currency's unit
}

// DateTime is a date, as a timestamp or by its parts. Parts that are zero (Hour and Minute: nil) were not given.
type DateTime struct {
	Fallback   string `json:"fallback_value"`        // what is shown
	Timestamp  int64  `json:"timestamp,omitempty"`   // Unix seconds
	DayOfWeek  int    `json:"day_of_week,omitempty"` // 1 is Monday, 7 is Sunday; the date wins when they disagree
	Year       int    `json:"year,omitempty"`
	Month      int    `json:"month,omitempty"`
	DayOfMonth int    `json:"day_of_month,omitempty"`
	Hour       *int   `json:"hour,omitempty"`
	Minute     *int   `json:"minute,omitempty"`
	Calendar   string `json:"calendar,omitempty"` // "GREGORIAN", or empty for the same, or "SOLAR_HIJRI"
}

// Rendered is a template message as the customer sees it.
type Rendered struct {
	Header  *Header          `json:"header,omitempty"` // a medium is the one of the parameter, not a copy
	Body    string           `json:"body"`
	Footer  string           `json:"footer,omitempty"`
	Buttons []RenderedButton `json:"buttons,omitempty"`
}

// RenderedButton is a button below a template message.
type RenderedButton struct {
	Type    TemplateButtonType `json:"type"`
	Text    string             `json:"text"`
	URL     string             `json:"url,omitempty"`     // ButtonURL
	Phone   string             `json:"phone,omitempty"`   // ButtonPhone
	Payload string             `json:"payload,omitempty"` // ButtonQuickReply: what a tap reports
}

// Kind returns KindTemplate.
func (t *Template) Kind() Kind { return KindTemplate }

// Validate checks the form of the request alone; TemplateDef.Render checks it against the template. Texts over the limit
// are ReasonTemplateParamLong, a parameter in the wrong component is ReasonTemplateFormat.
func (t *Template) Validate() error {
	return first(
		checkText("template.name", t.Name, 512),
		checkString("template.namespace", t.Namespace),
		t.Language.check("template.language"),
		t.checkComponents("template.components"),
	)
}

func (l Language) check(field string) error {
	switch {
	case l.Policy != "" && l.Policy != "deterministic":
		return fault(ReasonInvalid, field+".policy", "is %q, allowed is only \"deterministic\"", l.Policy)
	case l.Code == "":
		return fault(ReasonMissing, field+".code", "is required, such as es or es_ES")
	case !isLanguage(l.Code):
		return fault(ReasonInvalid, field+".code", "is %q; it must have a form such as es or es_ES", l.Code)
	}
	return nil
}

// isLanguage reports whether code is a language of two letters (three where ISO 639 has no shorter code, as for
// Filipino), alone or with the two letters of a country.
func isLanguage(code string) bool {
	n := 0
	for n < len(code) && 'a' <= code[n] && code[n] <= 'z' {
		n++
	}
	country := code[n:]
	return (n == 2 || n == 3) && (country == "" || len(country) == 3 && country[0] == '_' &&
		'A' <= country[1] && country[1] <= 'Z' && 'A' <= country[2] && country[2] <= 'Z')
}

func (t *Template) checkComponents(field string) error {
	limit := MaxTemplateText
	if len(t.Components) == 1 && t.Components[0].Type == ComponentBody {
		limit = MaxTemplateBody
	}
	parts := make(seen)
	for i := range t.Components {
		c, path := &t.Components[i], fmt.Sprintf("%s[%d]", field, i)
		part := string(c.Type)
		if c.Type == ComponentButton {
			part = fmt.Sprintf("button %d", c.Index)
		}
		if err := first(c.check(path), parts.check(path, part), c.checkLength(path, limit)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Component) check(field string) error {
	switch c.Type {
	case ComponentHeader, ComponentBody:
		if c.SubType != "" {
			return fault(ReasonNotRequired, field+".sub_type", "belongs to a button")
		}
	case ComponentButton:
		if err := c.checkButton(field); err != nil {
			return err
		}
	case "":
		return fault(ReasonMissing, field+".type", "is required: header, body or button")
	default:
		return fault(ReasonInvalid, field+".type", "is %q, allowed are header, body and button", c.Type)
	}
	for i := range c.Parameters {
		path := fmt.Sprintf("%s.parameters[%d]", field, i)
		if err := first(c.Parameters[i].check(path), c.checkPlace(path, c.Parameters[i].Type)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Component) checkButton(field string) error {
	switch {
	case c.SubType == "":
		return fault(ReasonMissing, field+".sub_type", "is required: quick_reply or url")
	case c.SubType != SubTypeQuickReply && c.SubType != SubTypeURL:
		return fault(ReasonInvalid, field+".sub_type", "is %q, allowed are quick_reply and url", c.SubType)
	case c.Index < 0 || c.Index >= MaxTemplateButtons:
		return fault(ReasonInvalid, field+".index", "is %d, allowed are 0 to %d", c.Index, MaxTemplateButtons-1)
	}
	return nil
}

// checkPlace checks that a parameter of type p belongs into the component.
func (c *Component) checkPlace(field string, p ParameterType) error {
	ok := false
	switch {
	case c.Type == ComponentHeader:
		ok = p == ParameterText || p == ParameterImage || p == ParameterDocument || p == ParameterVideo
	case c.Type == ComponentBody:
		ok = p == ParameterText || p == ParameterCurrency || p == ParameterDateTime
	case c.SubType == SubTypeQuickReply:
		ok = p == ParameterPayload
	default:
		ok = p == ParameterText
	}
	if ok {
		return nil
	}
	place := string(c.Type)
	if c.Type == ComponentButton {
		place = c.SubType + " button"
	}
	return fault(ReasonTemplateFormat, field+".type", "a parameter of type %q has no place in a %s", p, place)
}

// checkLength bounds the sum of the texts of the component.
func (c *Component) checkLength(field string, limit int) error {
	n := 0
	for i := range c.Parameters {
		n += utf8.RuneCountInString(c.Parameters[i].shown())
	}
	if n > limit {
		return fault(ReasonTemplateParamLong, field+".parameters", "have %d characters in all, the limit is %d", n, limit)
	}
	return nil
}
