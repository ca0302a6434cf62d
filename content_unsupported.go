package kabar

// KindUnsupported is a message of a kind that this version does not know.
const KindUnsupported Kind = "unsupported"

// Unsupported stands for a customer's message that could not be understood: the business learns that there was one.
// Inbound only.
type Unsupported struct {
	Detail    string `json:"detail,omitempty"`    // what is known about it, for a developer
	Ephemeral bool   `json:"ephemeral,omitempty"` // it disappears after a while: its content is withheld
}

// Kind returns KindUnsupported.
func (u *Unsupported) Kind() Kind { return KindUnsupported }

// Validate refuses: nothing can be sent that is not understood here.
func (u *Unsupported) Validate() error { return checkUnsent(KindUnsupported) }
