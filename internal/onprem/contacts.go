package onprem

import (
	"kabar"
	"kabar/internal/engine"
)

// contactsRequest asks who of some people is on the network.
type contactsRequest struct {
	Blocking   string   `json:"blocking"`
	Contacts   []string `json:"contacts"`
	ForceCheck bool     `json:"force_check"`
}

// contact is the answer for one of them.
type contact struct {
	Input  string              `json:"input"`
	Status kabar.ContactStatus `json:"status"`
	WaID   string              `json:"wa_id,omitempty"` // of one who is valid
}

// contacts: POST /v1/contacts (contract 1.4). It answers the truth: who is not on the network is invalid.
func (a *API) contacts(x *exchange) error {
	var body contactsRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	switch {
	case body.Contacts == nil:
		return kabar.Refuse(kabar.ReasonMissing, "contacts", "is required: a list of phone numbers")
	case len(body.Contacts) == 0:
		return kabar.Refuse(kabar.ReasonInvalid, "contacts", "is empty")
	case body.Blocking != "" && body.Blocking != "wait" && body.Blocking != "no_wait":
		return kabar.Refuse(kabar.ReasonInvalid, "blocking", "is %q, allowed are wait and no_wait", body.Blocking)
	}
	known, err := a.engine.CheckContacts(x.r.Context(), x.number(), engine.Check{Inputs: body.Contacts, Force: body.ForceCheck, Wait: body.Blocking == "wait"})
	if err != nil {
		return err
	}
	list := make([]contact, len(known))
	for i, c := range known {
		list[i] = contact{c.Input, c.Status, c.Handle}
	}
	return x.reply("contacts", list)
}

// checked tells who of those the business has asked about is on the network (contract 2.4).
func checked(ev *kabar.Event) hook {
	var h hook
	for _, c := range ev.Contacts {
		h.Contacts = append(h.Contacts, hookContact{Input: c.Input, Status: c.Status, WaID: c.Handle})
	}
	return h
}
