package kabar

// KindReply is a customer's answer to an interactive message.
const KindReply Kind = "reply"

// ReplyType says what the customer tapped.
type ReplyType string

// The types of replies.
const (
	ButtonReply ReplyType = "button_reply" // a button of an interactive message
	ListReply   ReplyType = "list_reply"   // a row of a list
	FormReply   ReplyType = "nfm_reply"    // the end of a flow, or a postal address
	CallReply   ReplyType = "call_permission_reply"
)

// Reply is the answer to an interactive message: the button or row that was tapped, or the form that was filled in. Inbound
// only.
type Reply struct {
	Type        ReplyType       `json:"type"`
	ID          string          `json:"id,omitempty"` // as the business chose it
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"` // of a row that has one
	Form        *Form           `json:"form,omitempty"`        // FormReply
	Call        *CallPermission `json:"call,omitempty"`        // CallReply
}

// Form is what a customer has filled in.
type Form struct {
	Name     string `json:"name"`     // FormFlow or FormAddress
	Body     string `json:"body"`     // what the customer's chat shows
	Response string `json:"response"` // the answers: a JSON object as text
}

// The names of forms.
const (
	FormFlow    = "flow"
	FormAddress = "address_message"
)

// Kind returns KindReply.
func (r *Reply) Kind() Kind { return KindReply }

// Validate refuses: only customers send replies.
func (r *Reply) Validate() error { return checkUnsent(KindReply) }
