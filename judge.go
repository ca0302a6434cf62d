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
}

// Judge decides about an outbound message at now. It is called when the message is accepted and again just before it is
// encrypted; the window counts from the customer's own message time.
//
// The first rule that applies wins: a message to oneself and an unacknowledged identity change are refused at once, a
// block, an expired ttl and a closed window fail the accepted message.
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
	return Allow, ""
}
