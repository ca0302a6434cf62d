package graph

import (
	"net/http"

	"kabar"
)

// What the contract has and this server does not do is refused by the contract's own error (section 3), so that a client shows what
// it shows there.

// notCalling is how everything about calls is refused.
var notCalling = refusal{code: 138000, title: "Calling not enabled", status: http.StatusBadRequest}

// unserved are the edges with how they are refused, and why.
var unserved = map[string]struct {
	refusal
	why string
}{
	"groups":                    {refusal{code: 131215, title: "Groups are not available for this number", status: http.StatusBadRequest}, "there are no groups here"},
	"message_history":           {refusal{code: 2593109, title: "Message history is not shared", status: http.StatusBadRequest}, "no history of an app was handed over; GET /kabar/v1/messages/{id} says what became of a message"},
	"messages_encrypted":        {refusal{code: 100, title: "Invalid parameter", status: http.StatusNotImplemented}, "messages that are encrypted for the server are not taken: POST /messages"},
	"migrate_message_templates": {refusal{code: 2388103, title: "Templates cannot be migrated", status: http.StatusBadRequest}, "templates are not moved between accounts here: create them in the other one"},
}

// noCalls: calls, and asking for the permission to call.
func (a *API) noCalls(x *exchange, _ *kabar.Number) error {
	a.refuse(x, notCalling, kabar.Refuse(kabar.ReasonInvalid, "", "there are no calls here"))
	return nil
}

// without refuses an edge of a number or of an account.
func without[T any](a *API, edge string) func(*exchange, T) error {
	u := unserved[edge]
	return func(x *exchange, _ T) error {
		a.refuse(x, u.refusal, kabar.Refuse(kabar.ReasonInvalid, "", "%s", u.why))
		return nil
	}
}
