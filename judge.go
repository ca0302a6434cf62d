package kabar

import "time"

// Verdict is the three-way judgement of an outbound message.
type Verdict int8

// The verdicts.
const (
	Allow         Verdict = iota // go ahead
	Deny                         // answer the request with the reason; nothing is stored
	AcceptAndFail                // accept the request; the reason arrives as a failed status
)

// Facts are what the rules need to know about a message and its recipient. They are read again before every attempt:
// what was allowed when the message was accepted may be forbidden when its turn comes.
type Facts struct {
	Content      Content
	Conversation *Conversation // nil for a customer who has never been heard of
	Recipient    string        // handle of the customer
	Sender       string        // digits of the number
	Expires      time.Time     // zero: no limit
	Identity     bool          // the number wants identity changes acknowledged and one is not

	// Of templates only, and only where AsksConsent says that they matter.
	Consent  ConsentState // of the recipient
	Required bool         // the number sends templates only to who has opted in
	Capped   bool         // the recipient has had as much marketing as the number allows
}

// AsksConsent reports whether what a number sends depends on what its recipient has agreed to.
func AsksConsent(c Content, p *ConsentPolicy) bool {
	t, ok := c.(*Template)
	return ok && (p.Required || t.IsMarketing())
}

// Judge decides about an outbound message at now. It is called when the message is accepted and again just before it is
// encrypted; the window counts from the customer's own message time.
//
// The first rule that applies wins: a message to oneself and an unacknowledged identity change are refused at once, a
// block, an expired ttl, a closed window, an opt-out and the cap of marketing fail the accepted message. Who has not opted in where
// that is required is refused at once, too.
func Judge(now time.Time, f Facts) (Verdict, Reason) {
	switch {
	case f.Recipient == f.Sender:
		return Deny, ReasonSelf
	case f.Identity:
		return Deny, ReasonIdentity
	case !f.Expires.IsZero() && !now.Before(f.Expires):
		return AcceptAndFail, ReasonExpired
	case f.Conversation != nil && !f.Conversation.Barred.IsZero():
		return AcceptAndFail, ReasonBarred
	case f.Conversation != nil && f.Conversation.Blocked:
		return AcceptAndFail, ReasonUndeliverable
	case f.Content.Kind() != KindTemplate && (f.Conversation == nil || !f.Conversation.WindowOpen(now)):
		return AcceptAndFail, ReasonWindowClosed
	}
	if t, ok := f.Content.(*Template); ok {
		return judgeConsent(now, t, &f)
	}
	return Allow, ""
}

// judgeConsent decides about a template by what its recipient has agreed to. Marketing within the window is an answer: it is not
// capped (contract Cloud API, section 4).
func judgeConsent(now time.Time, t *Template, f *Facts) (Verdict, Reason) {
	marketing := t.IsMarketing()
	switch {
	case f.Consent == ConsentOut && (marketing || f.Required):
		return AcceptAndFail, ReasonOptedOut
	case f.Required && f.Consent != ConsentIn:
		return Deny, ReasonNoConsent
	case marketing && f.Capped && (f.Conversation == nil || !f.Conversation.WindowOpen(now)):
		return AcceptAndFail, ReasonCapped
	}
	return Allow, ""
}
