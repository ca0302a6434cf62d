package kabar

import "unicode/utf8"

// KindText is plain text.
const KindText Kind = "text"

// MaxText is the longest text message, in characters.
const MaxText = 4096

// Text is a text message.
type Text struct {
	Body string `json:"body"`
	// PreviewURL asks the customer's app to show a preview of the first http:// or https:// link with a host name. A
	// body without such a link is sent without a preview: applications set the flag on every message.
	PreviewURL bool `json:"preview_url,omitempty"`
	// Preview is that of the link, once it has been fetched. A text that has none when it is sent goes without.
	Preview *Preview `json:"preview,omitempty"`
}

// Kind returns KindText.
func (t *Text) Kind() Kind { return KindText }

// Validate checks that the body has 1 to MaxText characters; a longer one is ReasonTooLong.
func (t *Text) Validate() error {
	const field = "text.body"
	if t.Body == "" {
		return fault(ReasonMissing, field, "is required, with 1 to %d characters", MaxText)
	}
	if err := checkString(field, t.Body); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(t.Body); n > MaxText {
		return fault(ReasonTooLong, field, "has %d characters, the limit is %d", n, MaxText)
	}
	return nil
}
