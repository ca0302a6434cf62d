package graph

import "kabar"

// fieldPreferences is the field of webhooks that tells what customers want (contract, section 2.3).
const fieldPreferences = "user_preferences"

// preferenceValue is the value of the field.
type preferenceValue struct {
	Product     string           `json:"messaging_product"`
	Metadata    hookNumber       `json:"metadata"`
	Contacts    []hookContact    `json:"contacts"`
	Preferences []hookPreference `json:"user_preferences"`
}

type hookPreference struct {
	WaID     string `json:"wa_id,omitzero"`
	User     string `json:"user_id,omitzero"` // of one who hides the number
	Detail   string `json:"detail"`
	Category string `json:"category"`
	Value    string `json:"value"` // stop or resume
	At       int64  `json:"timestamp"`
}

// preference tells that a customer has opted out of marketing, or in again.
func (a *API) preference(ev *kabar.Event, n *kabar.Number) preferenceValue {
	p := hookPreference{WaID: ev.Customer.WaID, Detail: ev.Detail, Category: "marketing_messages", Value: "resume", At: ev.At.Unix()}
	if ev.Customer.WaID == "" {
		p.User = ev.Customer.BSUID
	}
	if ev.Consent == kabar.ConsentOut {
		p.Value = "stop"
	}
	return preferenceValue{"whatsapp", hookNumber{n.Digits, a.nodeID(int64(n.ID))}, []hookContact{contactOf(ev.Customer)}, []hookPreference{p}}
}
