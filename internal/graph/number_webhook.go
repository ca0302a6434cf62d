package graph

import "kabar"

// numberNews returns the field and the value of the webhook that tells of a change of a number (contract, section 2.3).
func (a *API) numberNews(ev *kabar.Event, n *kabar.Number) (field string, value map[string]any) {
	value = map[string]any{"display_phone_number": n.Digits}
	if ev.Kind == kabar.EventSecurity {
		value["event"], value["requester"] = "PIN_CHANGED", a.nodeID(a.auth.App().User)
		return "security", value
	}
	value["decision"], value["requested_verified_name"], value["rejection_reason"] = "APPROVED", ev.Name, nil
	return "phone_number_name_update", value
}
