package kabar

import (
	"encoding/json"
	"fmt"
	"strings"
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
	// MaxCoupon bounds the code behind a button that copies it, a one-time password included.
	MaxCoupon = 15
)

// Template is what a request to send a template says: which one, and what to put into its placeholders. The template
// itself, a TemplateDef, is looked up by Name and Language.Code.
type Template struct {
	ID         TemplateID  `json:"id,omitempty"` // of the TemplateDef, when it was rendered
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

// IsMarketing reports whether the template was marketing when it was rendered.
func (t *Template) IsMarketing() bool {
	return t.Category == CategoryMarketing || t.Category == CategoryMarketingLite
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
	ComponentHeader   ComponentType = "header"
	ComponentBody     ComponentType = "body"
	ComponentButton   ComponentType = "button"
	ComponentCarousel ComponentType = "carousel"
	ComponentOffer    ComponentType = "limited_time_offer"
)

const componentTypes = "header, body, button, carousel or limited_time_offer"

// The sub-types of a button component.
const (
	SubTypeQuickReply = "quick_reply"
	SubTypeURL        = "url" // of one-time passwords, too
	SubTypeCopyCode   = "copy_code"
	SubTypeCatalog    = "catalog"
	SubTypeProducts   = "mpm"
	SubTypeFlow       = "flow"
	SubTypeCall       = "voice_call"
	SubTypeOrder      = "order_details"
)

const subTypes = "quick_reply, url, copy_code, catalog, mpm, flow, voice_call or order_details"

// Component fills the placeholders of one part of a template. Parameters may be empty.
type Component struct {
	Type       ComponentType `json:"type"`
	SubType    string        `json:"sub_type,omitempty"` // buttons only
	Index      int           `json:"index,omitempty"`    // buttons only: which, from 0 over all buttons of the template or the card
	Parameters []Parameter   `json:"parameters,omitempty"`
	Cards      []CardFilling `json:"cards,omitempty"` // carousels only: for each card of the template, in its order
}

// Rendered is a template message as the customer sees it.
type Rendered struct {
	Header  *Header          `json:"header,omitempty"` // a medium is the one of the parameter, not a copy
	Body    string           `json:"body"`
	Footer  string           `json:"footer,omitempty"`
	Buttons []RenderedButton `json:"buttons,omitempty"`
	Cards   []Rendered       `json:"cards,omitempty"` // of a carousel, below the body: header, body and buttons
	Offer   *RenderedOffer   `json:"limited_time_offer,omitempty"`
	// Permission says that the customer is asked whether the business may call.
	Permission bool `json:"call_permission_request,omitempty"`
	// Products are what the customer sees of a catalog, and can order: see Show. Those of cards are on the cards.
	Products []Product `json:"products,omitempty"`
}

// RenderedButton is a button below a template message.
type RenderedButton struct {
	Type    TemplateButtonType `json:"type"`
	Text    string             `json:"text"`
	URL     string             `json:"url,omitempty"`     // ButtonURL
	Phone   string             `json:"phone,omitempty"`   // ButtonPhone
	Payload string             `json:"payload,omitempty"` // ButtonQuickReply: what a tap reports
	Code    string             `json:"code,omitempty"`    // ButtonCopyCode and ButtonOTP: what a tap copies
	Product string             `json:"product,omitempty"` // ButtonCatalog, ButtonProducts: the retailer id of the product whose picture is shown
	Flow    *RenderedFlow      `json:"flow,omitempty"`    // ButtonFlow
	// Sections are of ButtonProducts: how its products are arranged.
	Sections []Section `json:"sections,omitempty"`
	Minutes  int       `json:"ttl_minutes,omitempty"`   // ButtonCall: how long it works; zero: as long as the message is there
	Payment  *Payment  `json:"order_details,omitempty"` // ButtonOrder
}

// RenderedFlow says which flow a button opens, and with what.
type RenderedFlow struct {
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"` // in the place of the ID
	Action string `json:"action,omitempty"`
	Screen string `json:"screen,omitempty"`
	Token  string `json:"token,omitempty"`
	Data   string `json:"data,omitempty"`
	Form   string `json:"form,omitempty"` // what it consists of, as in Flow
}

// Flow returns what the button with the text opens, as a message of its own would.
func (r *RenderedFlow) Flow(text string) *Flow {
	f := &Flow{Version: "3", ID: r.ID, Name: r.Name, Token: r.Token, Text: text, Action: strings.ToLower(r.Action), Form: r.Form}
	if r.Screen != "" || r.Data != "" {
		f.Payload, _ = json.Marshal(flowOpening{r.Screen, json.RawMessage(r.Data)}) // Data is an object, or nothing
	}
	return f
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
		checkComponents("template.components", t.Components),
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

func checkComponents(field string, all []Component) error {
	limit := MaxTemplateText
	if len(all) == 1 && all[0].Type == ComponentBody {
		limit = MaxTemplateBody
	}
	parts := make(seen)
	for i := range all {
		c, path := &all[i], fmt.Sprintf("%s[%d]", field, i)
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
	case ComponentHeader, ComponentBody, ComponentCarousel, ComponentOffer:
		if c.SubType != "" {
			return fault(ReasonNotRequired, field+".sub_type", "belongs to a button")
		}
	case ComponentButton:
		if err := c.checkButton(field); err != nil {
			return err
		}
	case "":
		return fault(ReasonMissing, field+".type", "is required: %s", componentTypes)
	default:
		return fault(ReasonInvalid, field+".type", "is %q, allowed are %s", c.Type, componentTypes)
	}
	if err := c.checkCards(field); err != nil {
		return err
	}
	for i := range c.Parameters {
		path := fmt.Sprintf("%s.parameters[%d]", field, i)
		if err := first(c.Parameters[i].check(path), c.checkPlace(path, c.Parameters[i].Type), c.checkAction(path, c.Parameters[i].Action)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Component) checkButton(field string) error {
	switch {
	case c.SubType == "":
		return fault(ReasonMissing, field+".sub_type", "is required: %s", subTypes)
	case c.takes() == "":
		return fault(ReasonInvalid, field+".sub_type", "is %q, allowed are %s", c.SubType, subTypes)
	case c.Index < 0 || c.Index >= MaxTemplateButtons:
		return fault(ReasonInvalid, field+".index", "is %d, allowed are 0 to %d", c.Index, MaxTemplateButtons-1)
	}
	return nil
}

// takes returns the type of parameter that a button of the component's sub-type takes; empty for an unknown sub-type.
func (c *Component) takes() ParameterType {
	switch c.SubType {
	case SubTypeQuickReply:
		return ParameterPayload
	case SubTypeURL:
		return ParameterText
	case SubTypeCopyCode:
		return ParameterCoupon
	case SubTypeCatalog, SubTypeProducts, SubTypeFlow, SubTypeOrder:
		return ParameterAction
	case SubTypeCall:
		return ParameterMinutes
	}
	return ""
}

// checkPlace checks that a parameter of type p belongs into the component.
func (c *Component) checkPlace(field string, p ParameterType) error {
	ok := false
	switch c.Type {
	case ComponentHeader:
		ok = p == ParameterText || p == ParameterLocation || p == ParameterImage || p == ParameterDocument || p == ParameterVideo || p == ParameterGIF || p == ParameterProduct
	case ComponentBody:
		ok = p == ParameterText || p == ParameterCurrency || p == ParameterDateTime
	case ComponentButton:
		ok = p == c.takes()
	case ComponentOffer:
		ok = p == ParameterOffer
	case ComponentCarousel: // its cards have parameters
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

// checkAction refuses what belongs to a button of another sub-type.
func (c *Component) checkAction(field string, a *ButtonAction) error {
	switch {
	case a == nil:
	case a.Sections != nil && c.SubType != SubTypeProducts:
		return fault(ReasonNotRequired, field+".action.sections", "belong to a button of sub_type %s", SubTypeProducts)
	case a.Payment != nil && c.SubType != SubTypeOrder:
		return fault(ReasonNotRequired, field+".action.order_details", "belong to a button of sub_type %s", SubTypeOrder)
	}
	return nil
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
