package kabar

import (
	"fmt"
	"net/url"
	"unicode/utf8"
)

func (c *defCheck) buttons(field string, buttons []TemplateButton) {
	if n := len(buttons); n < 1 || n > MaxTemplateButtons {
		c.fault(RuleButtons, field, "are %d, allowed are 1 to %d", n, MaxTemplateButtons)
	}
	count := map[TemplateButtonType]int{}
	for i, b := range buttons {
		path := fmt.Sprintf("%s[%d]", field, i)
		count[b.Type]++
		if b.Type == ButtonQuickReply && count[b.Type] > 1 && buttons[i-1].Type != ButtonQuickReply {
			c.fault(RuleButtonOrder, path, "is a quick reply behind other buttons: quick replies stand together")
		}
		if limit := limitOf(b.Type); count[b.Type] == limit+1 {
			c.fault(RuleButtons, path, "is one %s button too many, the limit is %d", b.Type, limit)
		}
		c.button(path, &b)
		if c.strict {
			c.strictButton(path, &b)
		}
	}
}

// limitOf returns how many buttons of a type a template can have.
func limitOf(t TemplateButtonType) int {
	switch t {
	case ButtonURL:
		return maxButtonsOfURL
	case ButtonQuickReply, ButtonFlow:
		return MaxTemplateButtons
	default:
		return maxButtonsOfOne
	}
}

func (c *defCheck) button(field string, b *TemplateButton) {
	switch b.Type {
	case ButtonQuickReply, ButtonCatalog, ButtonProducts, ButtonProduct, ButtonCall, ButtonOrder, ButtonApp:
	case ButtonURL:
		c.link(field+".url", b.URL)
	case ButtonPhone:
		c.text(field+".phone_number", b.Phone, maxButtonPhone)
	case ButtonCopyCode, ButtonOTP, ButtonContact:
		if b.Text != "" {
			c.text(field+".text", b.Text, maxButtonText)
		}
		return // the app has a text of its own for those
	case ButtonFlow:
		if b.FlowID == "" && b.FlowName == "" && b.FlowJSON == "" {
			c.fault(RuleFlow, field, "needs a flow_id, a flow_name or a flow_json")
		}
	case "":
		c.fault(RuleButtons, field+".type", "is required, such as QUICK_REPLY or URL")
	default:
		c.fault(RuleButtons, field+".type", "is %q, which is no type of button", b.Type)
	}
	c.text(field+".text", b.Text, maxButtonText)
}

// link checks the address of a button: http or https, with at most one placeholder, behind the host.
func (c *defCheck) link(field, s string) {
	c.text(field, s, maxButtonURL)
	names := placeholders(s)
	if len(names) > 1 {
		c.fault(RuleLink, field, "has %d placeholders, a button has at most 1", len(names))
	}
	bare := substitute(s, func(string) string { return "" })
	u, err := url.Parse(bare)
	marked, err2 := url.Parse(substitute(s, func(string) string { return "x" }))
	switch {
	case s == "" || !utf8.ValidString(s): // told already
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		c.fault(RuleLink, field, "must be a URL that starts with http:// or https:// and a host name")
	case err2 != nil || marked.Host != u.Host:
		c.fault(RuleLink, field, "has a placeholder in its host; only what comes behind the host can be filled in")
	}
}
