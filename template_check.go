package kabar

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a template, in characters unless they count something.
const (
	MaxTemplateName = 512
	maxHeaderText   = 60
	maxFooterText   = 60
	maxButtonText   = 25
	maxButtonURL    = 2000
	maxButtonPhone  = 20
	maxButtonsOfOne = 1
	maxButtonsOfURL = 2
)

// Normalize brings what the Graph API takes in either case into the form in which it is stored, and fills in what may be left
// out: a template without a status is approved.
func (d *TemplateDef) Normalize() {
	d.Category = Category(strings.ToLower(string(d.Category)))
	d.Status = TemplateStatus(strings.ToUpper(string(d.Status)))
	if d.Status == "" {
		d.Status = TemplateApproved
	}
	d.ParameterFormat = strings.ToUpper(d.ParameterFormat)
	normalize(d.Components)
}

func normalize(parts []TemplateComponent) {
	for i := range parts {
		c := &parts[i]
		c.Type, c.Format = strings.ToUpper(c.Type), strings.ToUpper(c.Format)
		for j := range c.Buttons {
			b := &c.Buttons[j]
			b.Type, b.OTPType = TemplateButtonType(strings.ToUpper(string(b.Type))), strings.ToUpper(b.OTPType)
		}
		for j := range c.Cards {
			normalize(c.Cards[j].Components)
		}
	}
}

// Check returns every fault in the form of a template in its normal form, each an *Error that names its place. A template
// without faults can be stored; whether it can be sent depends on its status and on CanSend, and Lint says what review
// would find.
func (d *TemplateDef) Check() []error {
	c := &defCheck{def: d}
	c.run()
	var errs []error
	for i := range c.faults {
		errs = append(errs, c.faults[i].err())
	}
	return errs
}

// defCheck collects the faults of a template.
type defCheck struct {
	def    *TemplateDef
	strict bool // what review asks for, too
	faults []TemplateFault
}

func (c *defCheck) fault(rule TemplateRule, field, detail string, args ...any) {
	c.faults = append(c.faults, TemplateFault{Path: field, Rule: rule, Detail: fmt.Sprintf(detail, args...), Suggestion: rule.Suggestion()})
}

// text checks a text of 1 to limit characters.
func (c *defCheck) text(field, s string, limit int) {
	switch err := checkText(field, s, limit).(type) { //nolint:errorlint // made in this expression
	case nil:
	case *Error:
		rule := RuleLength
		switch {
		case err.Reason == ReasonMissing:
			rule = RuleRequired
		case utf8.RuneCountInString(s) <= limit:
			rule = RuleCharacters
		}
		c.fault(rule, field, "%s", err.Detail)
	}
}

func (c *defCheck) run() {
	d := c.def
	if d.Name == "" || len(d.Name) > MaxTemplateName || strings.Trim(d.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		c.fault(RuleName, "name", "must be 1 to %d of the characters a-z, 0-9 and _", MaxTemplateName)
	}
	if !isLanguage(d.Language) {
		c.fault(RuleLanguage, "language", "is %q; it must have a form such as es or es_ES", d.Language)
	} else if c.strict && !knownLanguage(d.Language) {
		c.fault(RuleLanguage, "language", "is %q, which no template can have", d.Language)
	}
	if d.Category != CategoryMarketing && d.Category != CategoryUtility && d.Category != CategoryAuthentication {
		c.fault(RuleCategory, "category", "is %q, allowed are MARKETING, UTILITY and AUTHENTICATION", strings.ToUpper(string(d.Category)))
	}
	if !slices.Contains(TemplateStatuses(), d.Status) {
		c.fault(RuleStatus, "status", "is %q, which no template can have", d.Status)
	}
	if d.ParameterFormat != "" && d.ParameterFormat != Positional && d.ParameterFormat != Named {
		c.fault(RuleVariables, "parameter_format", "is %q, allowed are POSITIONAL and NAMED", d.ParameterFormat)
	}
	if c.strict {
		c.ttl()
	}
	c.components("components", d.Components)
	if c.strict {
		c.whole()
	}
}

// CanSend returns nil, or what keeps the template from being sent whatever a request says: its status, or parts that are not
// supported.
func (d *TemplateDef) CanSend() error { return first(d.checkStatus(), checkSupported(d.Components)) }

// checkSupported refuses parts of a template that cannot be sent.
func checkSupported(parts []TemplateComponent) error {
	const field = "template.name"
	for _, c := range parts {
		switch kind := Kind(strings.ToLower(c.Format)); c.Type {
		case TemplateBody, TemplateFooter, TemplateOffer, TemplateCall:
		case TemplateCarousel:
			for n := range c.Cards {
				if err := checkSupported(c.Cards[n].Components); err != nil {
					return err
				}
			}
		case TemplateHeader:
			if c.Format != "" && c.Format != FormatText && c.Format != FormatLocation && c.Format != FormatProduct && c.Format != FormatGIF && (kind == KindAudio || !isMedia(kind)) {
				return fault(ReasonTemplateMedia, field, "a template with a %s header cannot be sent", c.Format)
			}
		case TemplateButtons:
			for _, b := range c.Buttons {
				if !b.Type.canSend() {
					return fault(ReasonTemplateButtons, field, "a template with a %s button cannot be sent", b.Type)
				}
				if h := partOf(parts, TemplateHeader); b.Type == ButtonProduct && (h == nil || h.Format != FormatProduct) {
					return fault(ReasonTemplateButtons, field, "a template with an SPM button cannot be sent without a PRODUCT header, which names the product")
				}
			}
		default:
			return fault(ReasonTemplateFormat, field, "a template with a %s cannot be sent", c.Type)
		}
	}
	return nil
}

// components checks the parts of a template.
func (c *defCheck) components(place string, parts []TemplateComponent) {
	count := map[string]int{}
	for i := range parts {
		part, field := &parts[i], fmt.Sprintf("%s[%d]", place, i)
		if count[part.Type]++; count[part.Type] == 2 {
			c.fault(RuleComponents, field, "is a second %s", part.Type)
		}
		switch part.Type {
		case TemplateHeader:
			c.header(field, part)
		case TemplateBody:
			c.body(field, part)
		case TemplateFooter:
			c.footer(field, part)
		case TemplateButtons:
			c.buttons(field+".buttons", part.Buttons)
		case TemplateCarousel, TemplateOffer, TemplateCall:
		case "":
			c.fault(RuleComponents, field+".type", "is required: HEADER, BODY, FOOTER or BUTTONS")
		default:
			c.fault(RuleComponents, field+".type", "is %q, allowed are HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER and CALL_PERMISSION_REQUEST", part.Type)
		}
	}
	if count[TemplateBody] == 0 {
		c.fault(RuleBody, place, "have no BODY; a template needs one")
	}
}

func (c *defCheck) body(field string, part *TemplateComponent) {
	if c.strict && c.def.Category == CategoryAuthentication {
		c.codeBody(field, part)
		return
	}
	c.text(field+".text", part.Text, MaxTemplateText)
	c.placeholders(field+".text", part.Text)
	if c.strict {
		c.prose(field, part, true)
	}
}

func (c *defCheck) footer(field string, part *TemplateComponent) {
	if c.strict && c.def.Category == CategoryAuthentication {
		c.codeFooter(field, part)
		return
	}
	c.text(field+".text", part.Text, maxFooterText)
	if len(placeholders(part.Text)) > 0 {
		c.fault(RuleFooter, field+".text", "has placeholders; a footer has none")
	}
	if c.strict {
		c.line(RuleFooter, field+".text", part.Text)
	}
}

func (c *defCheck) header(field string, part *TemplateComponent) {
	switch part.Format {
	case "", FormatText:
		c.text(field+".text", part.Text, maxHeaderText)
		c.placeholders(field+".text", part.Text)
		if n := len(placeholders(part.Text)); n > 1 {
			c.fault(RuleHeader, field+".text", "has %d placeholders, a header has at most 1", n)
		}
	case FormatLocation, FormatImage, FormatVideo, FormatDocument, FormatGIF, FormatProduct:
	default:
		c.fault(RuleHeader, field+".format", "is %q, allowed are TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION, GIF and PRODUCT", part.Format)
	}
	if c.strict {
		c.strictHeader(field, part)
	}
}

// placeholders checks that the placeholders are numbers from 1 on, without a gap, or names.
func (c *defCheck) placeholders(field, text string) {
	names := placeholders(text)
	want, positional := arity(names)
	if positional && want != len(names) {
		c.fault(RuleVariables, field, "has placeholders up to {{%d}}, and not every number before", want)
	}
	if positional {
		return
	}
	for _, name := range names {
		if name[0] >= '0' && name[0] <= '9' {
			c.fault(RuleVariables, field, "has the placeholder {{%s}} beside named ones: placeholders are numbered, {{1}}, {{2}}…, or named, not both", name)
			return
		}
	}
}
