package kabar

// Limits of call buttons.
const (
	MaxCallText    = 20    // characters
	MaxCallMinutes = 43200 // 30 days
)

// CallButton is a button that calls the business.
type CallButton struct {
	Text    string `json:"text,omitempty"`
	Minutes int    `json:"minutes,omitempty"` // how long the button works; zero: as long as the message is there
}

func (c *CallButton) check(field string) error {
	if c == nil {
		return nil
	}
	if c.Minutes < 0 || c.Minutes > MaxCallMinutes {
		return fault(ReasonInvalid, field+".ttl_minutes", "is %d, allowed are 1 to %d", c.Minutes, MaxCallMinutes)
	}
	return checkMax(field+".display_text", c.Text, MaxCallText)
}

// CallPermission is what a customer answers to a business that asks whether it may call.
type CallPermission struct {
	Response string `json:"response"`          // CallAccepted or CallRejected
	Expires  int64  `json:"expires,omitempty"` // end of the permission, in seconds since 1970; zero: none was given
	Source   string `json:"source"`            // "user_action"
}

// The answers to a request for permission to call.
const (
	CallAccepted = "accept"
	CallRejected = "reject"
)
