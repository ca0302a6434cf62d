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
	for name, c := range map[string]struct {
		f       Facts
		verdict Verdict
		reason  Reason
	}{
		"inside the window":           {Facts{Content: text, Conversation: heard(time.Hour)}, Allow, ""},
		"a moment before its end":     {Facts{Content: text, Conversation: heard(Window - 1)}, Allow, ""},
		"at its end":                  {Facts{Content: text, Conversation: heard(Window)}, AcceptAndFail, ReasonWindowClosed},
		"a stranger":                  {Facts{Content: text}, AcceptAndFail, ReasonWindowClosed},
		"who has never written":       {Facts{Content: text, Conversation: &Conversation{}}, AcceptAndFail, ReasonWindowClosed},
		"template to a stranger":      {Facts{Content: template}, Allow, ""},
		"template outside the window": {Facts{Content: template, Conversation: heard(48 * time.Hour)}, Allow, ""},
		"text after a block":          {Facts{Content: text, Conversation: blocked}, AcceptAndFail, ReasonUndeliverable},
		"template after a block":      {Facts{Content: template, Conversation: blocked}, AcceptAndFail, ReasonUndeliverable},
		"text after our own block":    {Facts{Content: text, Conversation: barred}, AcceptAndFail, ReasonBarred},
		"template after our own":      {Facts{Content: template, Conversation: barred}, AcceptAndFail, ReasonBarred},
		"in time":                     {Facts{Content: template, Expires: now.Add(1)}, Allow, ""},
		"expired":                     {Facts{Content: template, Expires: now}, AcceptAndFail, ReasonExpired},
		"expired goes before blocked": {Facts{Content: text, Conversation: blocked, Expires: now}, AcceptAndFail, ReasonExpired},
		"to oneself":                  {Facts{Content: template, Recipient: "1", Sender: "1"}, Deny, ReasonSelf},
		"unacknowledged identity":     {Facts{Content: text, Conversation: heard(0), Identity: true}, Deny, ReasonIdentity},
	} {
		if c.f.Sender == "" {
			c.f.Recipient, c.f.Sender = "34600111222", "628111000200"
		}
		if v, r := Judge(now, c.f); v != c.verdict || r != c.reason {
			t.Errorf("%s: %v %q, want %v %q", name, v, r, c.verdict, c.reason)
		}
	}
}
