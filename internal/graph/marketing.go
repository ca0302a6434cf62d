package graph

import (
	"kabar"
)

// marketingEdge is the edge of a number for nothing but marketing.
const marketingEdge = "marketing_messages"

// sendMarketing: POST /{number}/marketing_messages sends a template of marketing (contract 1.1). There is one way for all messages
// here, so product_policy decides nothing, and message_activity_sharing shares nothing.
func (a *API) sendMarketing(x *exchange, n *kabar.Number) error {
	x.own = ofMarketing
	return a.accept(x, n, marketingEdge)
}

// checkMarketing refuses what is no template, and policies that nobody knows.
func (r *messageRequest) checkMarketing() error {
	switch {
	case r.Type != "template":
		return kabar.Refuse(kabar.ReasonNotTemplate, "type", "is %q, only template is allowed here", clip(r.Type))
	case r.Policy != "" && r.Policy != "CLOUD_API_FALLBACK" && r.Policy != "STRICT":
		return kabar.Refuse(kabar.ReasonInvalid, "product_policy", "is %q, allowed are CLOUD_API_FALLBACK and STRICT", clip(r.Policy))
	}
	return nil
}
