package kabar

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// TemplateRule names a rule that a new template can break.
type TemplateRule string

// The rules of templates (contract Cloud API, section 1.5).
const (
	RuleName            TemplateRule = "name"
	RuleLanguage        TemplateRule = "language"
	RuleCategory        TemplateRule = "category"
	RuleStatus          TemplateRule = "status"
	RuleTTL             TemplateRule = "ttl"
	RuleRequired        TemplateRule = "required"
	RuleLength          TemplateRule = "length"
	RuleCharacters      TemplateRule = "characters"
	RuleComponents      TemplateRule = "components"
	RuleHeader          TemplateRule = "header"
	RuleBody            TemplateRule = "body"
	RuleFooter          TemplateRule = "footer"
	RuleVariables       TemplateRule = "variables"
	RuleVariableEdge    TemplateRule = "variable-at-the-edge"
	RuleVariablesAdjoin TemplateRule = "variables-adjoin"
	RuleVariableRatio   TemplateRule = "variable-ratio"
	RuleExample         TemplateRule = "example"
	RuleButtons         TemplateRule = "buttons"
	RuleButtonOrder     TemplateRule = "button-order"
	RuleLink            TemplateRule = "link"
	RulePhone           TemplateRule = "phone-number"
	RuleFlow            TemplateRule = "flow"
	RuleOTP             TemplateRule = "one-time-password"
	RuleOffer           TemplateRule = "limited-time-offer"
	RuleCarousel        TemplateRule = "carousel"
)

// suggestions say for each rule what to do.
var suggestions = map[TemplateRule]string{
	RuleName:            "Use up to 512 small letters, digits and underscores, such as order_shipped_2.",
	RuleLanguage:        "Use a code of the list of languages, such as en, en_US, id or pt_BR.",
	RuleCategory:        "MARKETING promotes, UTILITY follows up on what the customer did, AUTHENTICATION carries a one-time password and nothing else.",
	RuleStatus:          "Leave the status out: review gives it.",
	RuleTTL:             "Leave it out for the default, or stay within the bounds of the category: AUTHENTICATION 30 to 900 s, UTILITY 30 to 43200 s (both also -1 for 30 days), MARKETING 43200 to 2592000 s.",
	RuleRequired:        "Fill it in.",
	RuleLength:          "Shorten it; what does not fit may stand behind a link.",
	RuleCharacters:      "Write plain text: no line break or tab where one line is meant, no more than four spaces or two line breaks in a row.",
	RuleComponents:      "A template has one BODY and at most one HEADER, FOOTER and BUTTONS.",
	RuleHeader:          "A header is a line of text with at most one variable, a medium, a location or a product.",
	RuleBody:            "Add {\"type\":\"BODY\",\"text\":\"…\"}.",
	RuleFooter:          "Write the footer as fixed text, and what changes into the body.",
	RuleVariables:       "Number variables {{1}}, {{2}}… from 1 without a gap, or name all of them {{first_name}} and set parameter_format to NAMED.",
	RuleVariableEdge:    "Put words before the first variable and behind the last one.",
	RuleVariablesAdjoin: "Put words between the variables, or make one of the two.",
	RuleVariableRatio:   "Say more in fixed words, or use fewer variables: n variables need 2n+1 words beside them.",
	RuleExample:         "Give each variable and each medium an example, which the reviewer sees in its place.",
	RuleButtons:         "Use up to 10 buttons: 10 quick replies, 2 links, and one of each other kind.",
	RuleButtonOrder:     "Put all quick replies at the beginning or all at the end.",
	RuleLink:            "Use http:// or https:// and a host name, with at most one variable, at the very end.",
	RulePhone:           "Write the number with its country code, up to 20 characters.",
	RuleFlow:            "Name one flow by flow_id, flow_name or flow_json; with flow_action navigate also navigate_screen.",
	RuleOTP:             "A one-time password has a BODY without text, perhaps a FOOTER with code_expiration_minutes, and one OTP button.",
	RuleOffer:           "An offer is MARKETING, has no footer, a body of up to 600 characters, and a URL button with perhaps a COPY_CODE button.",
	RuleCarousel:        "Use 2 to 10 cards of the same form: a HEADER with an image, a video or a product, perhaps a BODY of up to 160 characters, and 1 or 2 buttons.",
}

// Suggestion says what to do about a template that breaks the rule.
func (r TemplateRule) Suggestion() string { return suggestions[r] }

// TemplateRules returns all rules, sorted.
func TemplateRules() []TemplateRule { return slices.Sorted(maps.Keys(suggestions)) }

// TemplateFault is one fault of a template.
type TemplateFault struct {
	Path       string       `json:"path"` // components[1].buttons[0].url
	Rule       TemplateRule `json:"rule"`
	Detail     string       `json:"detail"` // what is wrong, after the path: "has 1090 characters, the limit is 1024"
	Suggestion string       `json:"suggestion"`
}

// String is the fault in one line.
func (f TemplateFault) String() string { return f.Path + ": " + f.Detail }

// TemplateFaults are what keeps a template from being created. As an error they are an *Error about the first of them, with
// the reason ReasonTemplateFaults, to those who do not look at each.
type TemplateFaults []TemplateFault

// Error names all of them.
func (fs TemplateFaults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "; ")
}

// Unwrap returns the first as an *Error.
func (fs TemplateFaults) Unwrap() error {
	if len(fs) == 0 {
		return nil
	}
	return fault(ReasonTemplateFaults, fs[0].Path, "%s", fs[0].Detail)
}

func (f TemplateFault) err() error {
	reason := ReasonInvalid
	if f.Rule == RuleRequired {
		reason = ReasonMissing
	}
	return fault(reason, f.Path, "%s", f.Detail)
}

// Lint returns every fault that keeps a template in its normal form from being created: those of Check, and those that
// review would refuse it for whatever it says. What depends on the account's other templates is for Assess.
func (d *TemplateDef) Lint() []TemplateFault {
	c := &defCheck{def: d, strict: true}
	c.run()
	return c.faults
}

// ttl checks how long a message is tried.
func (c *defCheck) ttl() {
	low, high, ever := 30, 43_200, true
	switch c.def.Category {
	case CategoryAuthentication:
		high = 900
	case CategoryMarketing:
		low, high, ever = 43_200, 2_592_000, false
	default: // utility, or told already
	}
	if t := c.def.TTL; t != 0 && (t < low || t > high) && (t != -1 || !ever) {
		c.fault(RuleTTL, "message_send_ttl_seconds", "is %d, allowed for %s are %d to %d", t, c.def.Category.Graph(), low, high)
	}
}

// whole checks what concerns several parts of the template.
func (c *defCheck) whole() {
	if c.def.Category == CategoryAuthentication {
		c.code()
	}
	for i := range c.def.Components {
		part, field := &c.def.Components[i], fmt.Sprintf("components[%d]", i)
		switch part.Type {
		case TemplateOffer:
			c.offer(field, part)
		case TemplateCarousel:
			c.carousel(field, part)
		}
	}
	if c.button1(ButtonProduct) {
		c.bodyLimit(maxCardBody, "a template with an SPM button")
	}
}

// button1 reports whether the template has a button of the type.
func (c *defCheck) button1(t TemplateButtonType) bool {
	part := c.def.part(TemplateButtons)
	return part != nil && slices.ContainsFunc(part.Buttons, func(b TemplateButton) bool { return b.Type == t })
}

// bodyLimit bounds the body more narrowly than usual.
func (c *defCheck) bodyLimit(limit int, of string) {
	for i := range c.def.Components {
		part := &c.def.Components[i]
		if n := len([]rune(part.Text)); part.Type == TemplateBody && n > limit && n <= MaxTemplateText {
			c.fault(RuleLength, fmt.Sprintf("components[%d].text", i), "has %d characters, the limit in %s is %d", n, of, limit)
		}
	}
}
