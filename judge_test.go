package kabar

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	now := time.Date(2031, 5, 2, 12, 0, 0, 0, time.UTC)
	heard := func(ago time.Duration) *Conversation { return &Conversation{LastInbound: now.Add(-ago)} }
	blocked := &Conversation{LastInbound: now, Blocked: true}
	barred := &Conversation{LastInbound: now, Blocked: true, Barred: now}
	text, template := &Text{Body: "x"}, &Template{Name: "x"}
	offer, lite := &Template{Name: "x", Category: CategoryMarketing}, &Template{Name: "x", Category: CategoryMarketingLite}
	for name, c := range map[string]struct {
		f       Facts
		verdict Verdict
		reason  Reason
	}{
		"inside the window":                     {Facts{Content: text, Conversation: heard(time.Hour)}, Allow, ""},
		"a moment before its end":               {Facts{Content: text, Conversation: heard(Window - 1)}, Allow, ""},
		"at its end":                            {Facts{Content: text, Conversation: heard(Window)}, AcceptAndFail, ReasonWindowClosed},
		"a stranger":                            {Facts{Content: text}, AcceptAndFail, ReasonWindowClosed},
		"who has never written":                 {Facts{Content: text, Conversation: &Conversation{}}, AcceptAndFail, ReasonWindowClosed},
		"template to a stranger":                {Facts{Content: template}, Allow, ""},
		"template outside the window":           {Facts{Content: template, Conversation: heard(48 * time.Hour)}, Allow, ""},
		"text after a block":                    {Facts{Content: text, Conversation: blocked}, AcceptAndFail, ReasonUndeliverable},
		"template after a block":                {Facts{Content: template, Conversation: blocked}, AcceptAndFail, ReasonUndeliverable},
		"text after our own block":              {Facts{Content: text, Conversation: barred}, AcceptAndFail, ReasonBarred},
		"template after our own":                {Facts{Content: template, Conversation: barred}, AcceptAndFail, ReasonBarred},
		"in time":                               {Facts{Content: template, Expires: now.Add(1)}, Allow, ""},
		"expired":                               {Facts{Content: template, Expires: now}, AcceptAndFail, ReasonExpired},
		"expired goes before blocked":           {Facts{Content: text, Conversation: blocked, Expires: now}, AcceptAndFail, ReasonExpired},
		"to oneself":                            {Facts{Content: template, Recipient: "1", Sender: "1"}, Deny, ReasonSelf},
		"marketing to whom nothing is known of": {Facts{Content: offer, Consent: ConsentUnknown}, Allow, ""},
		"marketing to who has opted out":        {Facts{Content: offer, Consent: ConsentOut}, AcceptAndFail, ReasonOptedOut},
		"the other edge's marketing to them":    {Facts{Content: lite, Consent: ConsentOut}, AcceptAndFail, ReasonOptedOut},
		"marketing to them in the window":       {Facts{Content: offer, Conversation: heard(0), Consent: ConsentOut}, AcceptAndFail, ReasonOptedOut},
		"a template that is none to them":       {Facts{Content: template, Consent: ConsentOut}, Allow, ""},
		"any template to them where required":   {Facts{Content: template, Consent: ConsentOut, Required: true}, AcceptAndFail, ReasonOptedOut},
		"opt-in required and not given":         {Facts{Content: template, Consent: ConsentUnknown, Required: true}, Deny, ReasonNoConsent},
		"opt-in required and given":             {Facts{Content: offer, Consent: ConsentIn, Required: true}, Allow, ""},
		"text where opt-in is required":         {Facts{Content: text, Conversation: heard(0), Required: true}, Allow, ""},
		"marketing over the cap":                {Facts{Content: offer, Consent: ConsentIn, Capped: true}, AcceptAndFail, ReasonCapped},
		"over the cap after the window":         {Facts{Content: offer, Conversation: heard(Window), Capped: true}, AcceptAndFail, ReasonCapped},
		"over the cap within the window":        {Facts{Content: offer, Conversation: heard(time.Hour), Capped: true}, Allow, ""},
		"over the cap, but no marketing":        {Facts{Content: template, Capped: true}, Allow, ""},
		"a block goes before an opt-out":        {Facts{Content: offer, Conversation: blocked, Consent: ConsentOut}, AcceptAndFail, ReasonUndeliverable},
		"unacknowledged identity":               {Facts{Content: text, Conversation: heard(0), Identity: true}, Deny, ReasonIdentity},
	} {
		if c.f.Sender == "" {
			c.f.Recipient, c.f.Sender = "34600111222", "628111000200"
		}
		if v, r := Judge(now, c.f); v != c.verdict || r != c.reason {
			t.Errorf("%s: %v %q, want %v %q", name, v, r, c.verdict, c.reason)
		}
	}
}
