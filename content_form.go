package kabar

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits of forms and links.
const (
	MaxLinkText = 20 // characters
	MaxFlowText = 30 // characters
	MaxFlowName = 200
	MaxFormSize = 32 << 10
	MaxFlowForm = 96 << 10 // bytes of a flow that travels with the message: MaxContent holds it with every quote escaped
)

// Link is a button that opens a website.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Flow is a form of one or more screens. What it asks travels as Form when the server knows it; the answer comes back as a Reply.
type Flow struct {
	Version string          `json:"version"`          // of the messages, "3"
	ID      string          `json:"id"`               // digits; empty while there is only its name
	Name    string          `json:"name,omitempty"`   // in the place of the id, which the engine then fills in
	Draft   bool            `json:"draft,omitempty"`  // one that is not published may be opened, too
	Token   string          `json:"token,omitempty"`  // comes back with the answer
	Text    string          `json:"text"`             // of the button
	Action  string          `json:"action,omitempty"` // FlowNavigate, which is the default, or FlowExchange
	Payload json.RawMessage `json:"payload,omitempty"`
	// Form is what the flow consists of, for ParseFlow. The engine sets it before the message is stored, if it is not too long to
	// travel, so that a later change of the flow does not change the message.
	Form string `json:"form,omitempty"`
}

// What a flow does when it is opened, or a screen at its end: show another screen, or ask the business's server which. FlowComplete ends
// the flow.
const (
	FlowNavigate = "navigate"
	FlowExchange = "data_exchange"
	FlowComplete = "complete"
	FlowUpdate   = "update_data" // changes the data of the screen
)

// AddressForm asks for a postal address. Which fields it has depends on the country.
type AddressForm struct {
	Country string            `json:"country"`          // IN or SG
	Values  map[string]string `json:"values,omitempty"` // filled in beforehand
	Saved   []SavedAddress    `json:"saved,omitempty"`  // to choose from
	Errors  map[string]string `json:"errors,omitempty"` // by field: what was wrong with an earlier answer
}

// SavedAddress is an address that the customer has given before.
type SavedAddress struct {
	ID    string            `json:"id"`
	Value map[string]string `json:"value"`
}

// AddressFields returns the fields of a country's form in the order in which they are asked; nil for a country that has none.
func AddressFields(country string) []string {
	switch country {
	case "IN":
		return []string{"name", "phone_number", "in_pin_code", "house_number", "floor_number", "tower_number", "building_name",
			"address", "landmark_area", "city", "state"}
	case "SG":
		return []string{"name", "phone_number", "sg_post_code", "address", "unit_number", "city"}
	}
	return nil
}

func (l *Link) check(field string) error {
	if l == nil {
		return fault(ReasonMissing, field, "is required: display_text and url")
	}
	if err := first(checkText(field+".display_text", l.Text, MaxLinkText), checkValue(field+".url", l.URL)); err != nil {
		return err
	}
	return CheckURL(field+".url", l.URL)
}

func (f *Flow) check(field string) error {
	if f == nil {
		return fault(ReasonMissing, field, "is required: flow_message_version, flow_id and flow_cta")
	}
	err := first(
		checkValue(field+".flow_message_version", f.Version),
		f.checkName(field),
		checkString(field+".flow_token", f.Token),
		checkText(field+".flow_cta", f.Text, MaxFlowText),
	)
	switch {
	case err != nil:
		return err
	case f.Version != "3":
		return fault(ReasonInvalid, field+".flow_message_version", "is %q, allowed is only 3", f.Version)
	case len(f.ID) > 20 || strings.Trim(f.ID, "0123456789") != "":
		return fault(ReasonFlow, field+".flow_id", "is %.40q; the id of a flow has up to 20 digits", f.ID)
	case f.Action != "" && f.Action != FlowNavigate && f.Action != FlowExchange:
		return fault(ReasonInvalid, field+".flow_action", "is %q, allowed are %s and %s", f.Action, FlowNavigate, FlowExchange)
	}
	return first(f.checkPayload(field+".flow_action_payload"), checkSize(field, f))
}

// checkName wants the id of the flow or its name, not both.
func (f *Flow) checkName(field string) error {
	switch {
	case f.Name == "":
		return checkValue(field+".flow_id", f.ID)
	case f.ID != "":
		return fault(ReasonInvalid, field+".flow_name", "has no place beside flow_id")
	}
	return checkMax(field+".flow_name", f.Name, MaxFlowName)
}

// flowOpening is the payload with which a flow is opened.
type flowOpening struct {
	Screen string          `json:"screen,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"` // an object
}

// Opened returns the screen that the flow is opened with, and its data; both may be empty.
func (f *Flow) Opened() (screen string, data map[string]any) {
	var p struct {
		Screen string         `json:"screen"`
		Data   map[string]any `json:"data"`
	}
	_ = json.Unmarshal(f.Payload, &p) // which Validate has looked at; without a payload both are empty
	return p.Screen, p.Data
}

// checkPayload checks what a flow is opened with: it names a screen, and may hold data for it.
func (f *Flow) checkPayload(field string) error {
	if f.Payload == nil {
		return nil
	}
	var p struct {
		Screen string         `json:"screen"`
		Data   map[string]any `json:"data"`
	}
	switch err := json.Unmarshal(f.Payload, &p); {
	case err != nil:
		return fault(ReasonInvalid, field, "must be an object with screen and data")
	case p.Screen == "" && f.Action != FlowExchange:
		return fault(ReasonMissing, field+".screen", "is required: the screen to begin with")
	}
	return nil
}

func (a *AddressForm) check(field string) error {
	if a == nil || a.Country == "" {
		return fault(ReasonMissing, field+".country", "is required: IN or SG")
	}
	if AddressFields(a.Country) == nil {
		return fault(ReasonInvalid, field+".country", "is %q, allowed are IN and SG", a.Country)
	}
	err := first(checkValues(field+".values", a.Values), checkValues(field+".validation_errors", a.Errors))
	for i, s := range a.Saved {
		at := fmt.Sprintf("%s.saved_addresses[%d]", field, i)
		err = first(err, checkValue(at+".id", s.ID), checkValues(at+".value", s.Value))
	}
	return first(err, checkSize(field, a))
}

// checkValues takes fields that the form does not have, too: they are not shown.
func checkValues(field string, values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := checkStrings(field+"."+name, name, values[name]); err != nil {
			return err
		}
	}
	return nil
}

// checkSize bounds what has no limit of its own by its stored form.
func checkSize(field string, form any) error {
	b, err := json.Marshal(form)
	if err != nil {
		return fault(ReasonInvalid, field, "cannot be stored")
	}
	if len(b) > MaxFormSize {
		return fault(ReasonInvalid, field, "have %d bytes, the limit is %d", len(b), MaxFormSize)
	}
	return nil
}
