package kabar

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of buttons that only some have.
const (
	maxAutofill  = 25
	maxApps      = 5
	maxPackage   = 224
	maxCodeMins  = 90
	maxOfferText = 16
	maxOfferBody = 600
	maxCardBody  = 160
	minCards     = 2
	maxCards     = 10
	maxCardKeys  = 2 // buttons
)

var (
	packageName   = regexp.MustCompile(`^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)+$`)
	signatureHash = regexp.MustCompile(`^[A-Za-z0-9+/=]{11}$`)
)

// strictButton checks a button as review does.
func (c *defCheck) strictButton(field string, b *TemplateButton) {
	if len(placeholders(b.Text)) > 0 || strings.Contains(b.Text, "{{") {
		c.fault(RuleVariables, field+".text", "has a variable; the text of a button has none")
	}
	c.line("", field+".text", b.Text)
	if b.Type == ButtonOTP && c.def.Category != CategoryAuthentication {
		c.fault(RuleOTP, field+".type", "is OTP, which only AUTHENTICATION has")
	}
	switch b.Type {
	case ButtonURL:
		c.strictLink(field, b)
	case ButtonPhone:
		if b.Phone != "" && b.checkPhone() != nil {
			c.fault(RulePhone, field+".phone_number", "is %q, which is no phone number", b.Phone)
		}
	case ButtonCopyCode:
		x, err := buttonExample(b.Example)
		switch {
		case err != nil:
			c.fault(RuleExample, field+".example", "%v", err)
		case len(x) != 1 || x[0] == "":
			c.fault(RuleExample, field+".example", "is required: the code, of up to %d characters", MaxCoupon)
		case len([]rune(x[0])) > MaxCoupon:
			c.fault(RuleLength, field+".example", "has %d characters, the limit is %d", len([]rune(x[0])), MaxCoupon)
		}
	case ButtonFlow:
		c.strictFlow(field, b)
	case ButtonOTP:
		c.otp(field, b)
	default: // nothing more is asked of the others
	}
}

func (c *defCheck) strictLink(field string, b *TemplateButton) {
	names := placeholders(b.URL)
	if len(names) == 0 {
		c.braces(field+".url", b.URL)
		return
	}
	if !strings.HasSuffix(b.URL, "{{"+names[0]+"}}") {
		c.fault(RuleLink, field+".url", "has its variable within; it must be at the end")
	}
	if x, err := buttonExample(b.Example); err != nil {
		c.fault(RuleExample, field+".example", "%v", err)
	} else if len(x) != 1 || x[0] == "" {
		c.fault(RuleExample, field+".example", "is required: one address as it looks when the variable is filled in")
	}
}

func (c *defCheck) strictFlow(field string, b *TemplateButton) {
	given := 0
	for _, s := range []string{string(b.FlowID), b.FlowName, b.FlowJSON} {
		if s != "" {
			given++
		}
	}
	if given > 1 {
		c.fault(RuleFlow, field, "names its flow in %d ways", given)
	}
	switch strings.ToLower(b.FlowAction) {
	case "", "navigate", "data_exchange":
	default:
		c.fault(RuleFlow, field+".flow_action", "is %q, allowed are navigate and data_exchange", b.FlowAction)
	}
	if strings.EqualFold(b.FlowAction, "navigate") && b.NavigateScreen == "" {
		c.fault(RuleFlow, field+".navigate_screen", "is required, since flow_action is navigate")
	}
	if b.FlowJSON == "" {
		return
	}
	form, faults := ParseFlow(b.FlowJSON)
	switch {
	case len(b.FlowJSON) > MaxFlowForm:
		c.fault(RuleFlow, field+".flow_json", "has %d bytes, the limit is %d", len(b.FlowJSON), MaxFlowForm)
	case len(faults) > 0:
		c.fault(RuleFlow, field+".flow_json", "has faults, the first of %d: %s", len(faults), faults[0].Message)
	case form.DataAPI != "":
		c.fault(RuleFlow, field+".flow_json", "has a data_api_version, and the flow no endpoint_uri: make a flow of the account, and name it")
	case b.NavigateScreen != "" && form.Screen(b.NavigateScreen) == nil:
		c.fault(RuleFlow, field+".navigate_screen", "is %.80q, and the flow has no such screen", b.NavigateScreen)
	}
}

// LintFlows returns what is wrong with the buttons of a template that open flows of the account, which find finds; nil for one that
// there is not.
func (d *TemplateDef) LintFlows(find func(id, name string) (*FlowDef, error)) ([]TemplateFault, error) {
	c := &defCheck{def: d, strict: true}
	for i := range d.Components {
		for j := range d.Components[i].Buttons {
			b := &d.Components[i].Buttons[j]
			if b.Type != ButtonFlow || b.FlowID == "" && b.FlowName == "" {
				continue
			}
			flow, err := find(string(b.FlowID), b.FlowName)
			if err != nil {
				return nil, err
			}
			c.storedFlow(fmt.Sprintf("components[%d].buttons[%d]", i, j), b, flow)
		}
	}
	return c.faults, nil
}

// storedFlow checks a button against the flow that it opens; nil for none.
func (c *defCheck) storedFlow(field string, b *TemplateButton, flow *FlowDef) {
	if flow == nil {
		c.fault(RuleFlow, field, "opens the flow %.200q, and the account has none of that id or name", string(b.FlowID)+b.FlowName)
		return
	}
	opens := (&RenderedFlow{Action: b.FlowAction, Screen: b.NavigateScreen}).Flow(b.Text)
	if refused, ok := errors.AsType[*Error](first(flow.CanSend("flow_id", false), flow.CanOpen("", opens))); ok {
		c.fault(RuleFlow, field, "%s", refused.Detail)
	}
}

// otp checks a button that takes a one-time password over.
func (c *defCheck) otp(field string, b *TemplateButton) {
	if len([]rune(b.Autofill)) > maxAutofill {
		c.fault(RuleLength, field+".autofill_text", "has %d characters, the limit is %d", len([]rune(b.Autofill)), maxAutofill)
	}
	apps := b.Apps
	if len(apps) == 0 && b.Package+b.Signature != "" {
		apps = []SupportedApp{{b.Package, b.Signature}}
	}
	switch b.OTPType {
	case "COPY_CODE":
		return
	case "ONE_TAP", "ZERO_TAP":
	default:
		c.fault(RuleOTP, field+".otp_type", "is %q, allowed are COPY_CODE, ONE_TAP and ZERO_TAP", b.OTPType)
		return
	}
	if b.OTPType == "ZERO_TAP" && !b.ZeroTap {
		c.fault(RuleOTP, field+".zero_tap_terms_accepted", "must be true")
	}
	if len(apps) < 1 || len(apps) > maxApps {
		c.fault(RuleOTP, field+".supported_apps", "has %d entries, allowed are 1 to %d", len(apps), maxApps)
	}
	for i, a := range apps {
		place := field
		if len(b.Apps) > 0 {
			place = indexed(field+".supported_apps", i)
		}
		if len(a.Package) > maxPackage || !packageName.MatchString(a.Package) {
			c.fault(RuleOTP, place+".package_name", "is %q; it must have two or more parts of a-z, A-Z, 0-9 and _, with dots between them", a.Package)
		}
		if !signatureHash.MatchString(a.Signature) {
			c.fault(RuleOTP, place+".signature_hash", "is %q; it must be 11 characters of A-Z, a-z, 0-9, +, / and =", a.Signature)
		}
	}
}

// code checks the parts of a template for one-time passwords.
func (c *defCheck) code() {
	buttons := 0
	for i := range c.def.Components {
		part, field := &c.def.Components[i], indexed("components", i)
		switch part.Type {
		case TemplateHeader, TemplateCarousel, TemplateOffer, TemplateCall:
			c.fault(RuleOTP, field, "is a %s, which AUTHENTICATION has not", part.Type)
		case TemplateButtons:
			buttons = len(part.Buttons)
			if buttons != 1 {
				c.fault(RuleOTP, field+".buttons", "are %d; AUTHENTICATION has one", buttons)
			}
			for j, b := range part.Buttons {
				if b.Type != ButtonOTP {
					c.fault(RuleOTP, indexed(field+".buttons", j)+".type", "is %s; AUTHENTICATION has an OTP button only", b.Type)
				}
			}
		}
	}
	if c.def.part(TemplateButtons) == nil {
		c.fault(RuleOTP, "components", "have no BUTTONS; AUTHENTICATION has an OTP button")
	}
}

// codeBody and codeFooter check parts whose text is given: AuthenticationText writes it.
func (c *defCheck) codeBody(field string, part *TemplateComponent) {
	if want := codeText(c.def.Language); part.Text != "" && part.Text != want.bodyText(part.Recommendation) {
		c.fault(RuleOTP, field+".text", "is given; the text of a one-time password is fixed")
	}
}

func (c *defCheck) codeFooter(field string, part *TemplateComponent) {
	if part.CodeMinutes < 1 || part.CodeMinutes > maxCodeMins {
		c.fault(RuleOTP, field+".code_expiration_minutes", "is %d, allowed are 1 to %d", part.CodeMinutes, maxCodeMins)
	} else if want := codeText(c.def.Language); part.Text != "" && part.Text != want.footerText(part.CodeMinutes) {
		c.fault(RuleOTP, field+".text", "is given; the text of a one-time password is fixed")
	}
}

// offer checks a limited-time offer and the parts beside it.
func (c *defCheck) offer(field string, part *TemplateComponent) {
	if part.Offer == nil {
		c.fault(RuleRequired, field+".limited_time_offer", "is required, with its text")
	} else {
		c.text(field+".limited_time_offer.text", part.Offer.Text, maxOfferText)
	}
	if c.def.Category != CategoryMarketing {
		c.fault(RuleOffer, "category", "is %s; an offer is MARKETING", c.def.Category.Graph())
	}
	if c.def.part(TemplateFooter) != nil {
		c.fault(RuleOffer, field, "stands beside a FOOTER, which an offer has not")
	}
	c.bodyLimit(maxOfferBody, "an offer")
	buttons := c.def.part(TemplateButtons)
	if !c.button1(ButtonURL) {
		c.fault(RuleOffer, field, "has no URL button beside it")
	}
	if buttons != nil && slices.ContainsFunc(buttons.Buttons, func(b TemplateButton) bool { return b.Type != ButtonURL && b.Type != ButtonCopyCode }) {
		c.fault(RuleOffer, field, "stands beside buttons that are neither URL nor COPY_CODE")
	}
}
