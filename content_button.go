package kabar

// KindButton is a customer's tap on a quick reply of a template.
const KindButton Kind = "button"

// Button is the tap on a quick-reply button of a template. Inbound only.
type Button struct {
	Text    string `json:"text"`    // as shown on the button
	Payload string `json:"payload"` // as the template message set it; the text when it did not
}

// Kind returns KindButton.
func (b *Button) Kind() Kind { return KindButton }

// Validate refuses: only customers tap buttons.
func (b *Button) Validate() error { return checkUnsent(KindButton) }
