package kabar

import "encoding/json"

// MaxContent bounds what a message says, in bytes of its JSON form: it travels in one envelope of the network. It holds the longest
// template with every character escaped.
const MaxContent = 230 << 10

// CheckSize checks that a content, with what the store has filled in, is not larger than a message may be. Fields without a limit of
// their own, such as a file's name or a place's address, meet this one. It returns an *Error that names the kind.
func CheckSize(c Content) error {
	var travels any = c
	switch c := c.(type) {
	case *Text, *Reaction:
		return nil // their own limits are far below
	case *Template:
		travels = c.Rendered // the parameters stay with the sender
	}
	b, err := json.Marshal(travels)
	if err != nil {
		return fault(ReasonInvalid, string(c.Kind()), "cannot be stored")
	}
	if len(b) > MaxContent {
		return fault(ReasonInvalid, string(c.Kind()), "has %d bytes in all, the limit is %d", len(b), MaxContent)
	}
	return nil
}
