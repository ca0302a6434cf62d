package contentjson

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kabar"
	"kabar/internal/web"
)

// parameters holds the parameters of all actions that have a name. Those of another action are not looked at.
type parameters struct {
	Thumbnail string `json:"thumbnail_product_retailer_id"` // catalog_message

	DisplayText string `json:"display_text"` // cta_url
	URL         string `json:"url"`

	FlowVersion web.StringOrInt `json:"flow_message_version"` // flow
	FlowID      web.StringOrInt `json:"flow_id"`
	FlowName    string          `json:"flow_name"`
	FlowMode    string          `json:"mode"`
	FlowToken   string          `json:"flow_token"`
	FlowCTA     string          `json:"flow_cta"`
	FlowAction  string          `json:"flow_action"`
	FlowPayload jsontext.Value  `json:"flow_action_payload"`

	Minutes int `json:"ttl_minutes"` // voice_call, beside display_text

	payment // order_details and order_status

	Country string            `json:"country"` // address_message
	Values  map[string]string `json:"values"`
	Errors  map[string]string `json:"validation_errors"`
	Saved   []struct {
		ID    web.StringOrInt   `json:"id"`
		Value map[string]string `json:"value"`
	} `json:"saved_addresses"`
}

// actionNames are the names that the actions of these types have.
var actionNames = map[kabar.InteractiveType]string{
	kabar.InteractiveCatalog: "catalog_message", kabar.InteractiveLink: "cta_url", kabar.InteractiveFlow: "flow",
	kabar.InteractiveAddress: "address_message", kabar.InteractivePlace: "send_location",
	kabar.InteractivePermission: "call_permission_request", kabar.InteractiveCall: "voice_call",
	kabar.InteractivePayment: "review_and_pay", kabar.InteractiveUpdate: "review_order",
}

// named reads what belongs to an action with a name.
func (o *action[M]) named(i *kabar.Interactive) error {
	name, ok := actionNames[i.Type]
	switch {
	case !ok:
		return nil
	case o.Name == "":
		return kabar.Refuse(kabar.ReasonMissing, "interactive.action.name", "is required: %s", name)
	case o.Name != name:
		return kabar.Refuse(kabar.ReasonInvalid, "interactive.action.name", "is %q; in a message of type %s it must be %s", o.Name, i.Type, name)
	case o.Parameters == nil:
		return nil
	}
	p, a := o.Parameters, &i.Action
	switch i.Type {
	case kabar.InteractiveCatalog:
		a.Product = p.Thumbnail
	case kabar.InteractiveLink:
		a.Link = &kabar.Link{Text: p.DisplayText, URL: p.URL}
	case kabar.InteractiveFlow:
		var err error
		a.Flow, err = p.flow()
		return err
	case kabar.InteractiveCall:
		a.Call = &kabar.CallButton{Text: p.DisplayText, Minutes: p.Minutes}
	case kabar.InteractivePayment:
		var err error
		a.Payment, err = p.payment.read("interactive.action.parameters")
		return err
	case kabar.InteractiveUpdate:
		a.Update = p.payment.update()
	case kabar.InteractiveAddress:
		a.Address = p.address()
	default: // a request for a location or for permission to call has none
	}
	return nil
}

func (p *parameters) flow() (*kabar.Flow, error) {
	f := &kabar.Flow{Version: string(p.FlowVersion), ID: string(p.FlowID), Name: p.FlowName, Token: p.FlowToken, Text: p.FlowCTA, Action: p.FlowAction}
	if p.FlowPayload != nil && p.FlowPayload.Kind() != 'n' {
		f.Payload = []byte(p.FlowPayload)
	}
	switch strings.ToLower(p.FlowMode) {
	case "", "published":
	case "draft":
		f.Draft = true
	default:
		return nil, kabar.Refuse(kabar.ReasonInvalid, "interactive.action.parameters.mode", "is %q, allowed are draft and published", p.FlowMode)
	}
	return f, nil
}

func (p *parameters) address() *kabar.AddressForm {
	a := &kabar.AddressForm{Country: p.Country, Values: p.Values, Errors: p.Errors}
	for _, s := range p.Saved {
		a.Saved = append(a.Saved, kabar.SavedAddress{ID: string(s.ID), Value: s.Value})
	}
	return a
}
