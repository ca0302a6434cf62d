package kabar

// KindReply is a customer's answer to an interactive message.
const KindReply Kind = "reply"

// ReplyType says what the customer tapped.
type ReplyType string

// The types of replies.
const (
	ButtonReply ReplyType = "button_reply" // a button of an interactive message
	ListReply   ReplyType = "list_reply"   // a row of a list
)

// Reply is the answer to an interactive message: the button or row that was tapped. Inbound only.
type Reply struct {
	Type        ReplyType `json:"type"`
	ID          string    `json:"id"` // as the business chose it
	Title       string    `json:"title"`
	Description string    `json:"description,omitempty"` // of a row that has one
}

// Kind returns KindReply.
func (r *Reply) Kind() Kind { return KindReply }

// Validate refuses: only customers send replies.
func (r *Reply) Validate() error { return checkUnsent(KindReply) }
