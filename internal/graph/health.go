package graph

import (
	"kabar"
)

// What an entity of a health_status can do.
const (
	available = "AVAILABLE"
	limited   = "LIMITED"
	blocked   = "BLOCKED"
)

// healthEntity says whether messages can be sent, as far as one of the things that take part in it is concerned.
type healthEntity struct {
	Type   string        `json:"entity_type"`
	ID     string        `json:"id"`
	Can    string        `json:"can_send_message"`
	Info   []string      `json:"additional_info,omitzero"`
	Errors []healthFault `json:"errors,omitzero"`
}

type healthFault struct {
	Code     int    `json:"error_code"`
	What     string `json:"error_description"`
	Solution string `json:"possible_solution"`
}

// numberHealth is the field health_status of a number.
func (a *API) numberHealth(x *exchange, n *kabar.Number, _ Field) (any, error) {
	number := healthEntity{Type: "PHONE_NUMBER", ID: a.nodeID(int64(n.ID)), Can: available}
	s, err := a.engine.Settings(n.ID)
	if err != nil {
		return nil, err
	}
	switch up, _ := a.engine.Link(n.ID); {
	case s.Deregistered:
		number.Can = blocked
		number.Errors = []healthFault{{refusals[kabar.ReasonUnregistered].code, "The number was deregistered.", "Register it: POST /{number}/register."}}
	case a.verification(n) != "VERIFIED":
		number.Can = blocked
		number.Errors = []healthFault{{refusals[kabar.ReasonUnregistered].code, "The network has not admitted the number.", "Ask for a code and bring it: request_code, verify_code."}}
	case !s.Naming.Approved():
		number.Can = blocked
		number.Errors = []healthFault{{refusals[kabar.ReasonName].code, "The display name is not approved.", "Wait for its review, or ask for another: POST /{number} with new_display_name."}}
	case !up:
		number.Info = []string{"The network is away. Messages are taken, and leave when it is back."}
	}
	return a.health(x, n.Account, number)
}

// accountHealth is the field health_status of an account.
func (a *API) accountHealth(x *exchange, w *kabar.Account, _ Field) (any, error) {
	return a.health(x, w.ID)
}

// templateHealth is the field health_status of a template.
func (a *API) templateHealth(x *exchange, d *kabar.TemplateDef, _ Field) (any, error) {
	template := healthEntity{Type: "MESSAGE_TEMPLATE", ID: templateID(d), Can: available}
	if err := d.CanSend(); err != nil {
		template.Can, template.Info = blocked, []string{err.Error()}
	}
	return a.health(x, d.Account, template)
}

// flowHealth is the field health_status of a flow: whether it can be sent, and what was wrong with its endpoint when a customer last
// needed it.
func (a *API) flowHealth(x *exchange, d *kabar.FlowDef, _ Field) (any, error) {
	flow := healthEntity{Type: "FLOW", ID: d.ID.String(), Can: available}
	switch {
	case d.Status == kabar.FlowBlocked || d.Status == kabar.FlowDeprecated:
		flow.Can = blocked
	case d.Ailing != "":
		flow.Can, flow.Info = limited, []string{"the endpoint_uri: " + d.Ailing}
	}
	return a.health(x, d.Account, flow)
}

// health is the field health_status: what somebody asks about, if it is less than the account, and what it belongs to. The first of
// them decides: the others can always send.
func (a *API) health(x *exchange, account kabar.AccountID, all ...healthEntity) (any, error) {
	app, err := a.app(x)
	if err != nil {
		return nil, err
	}
	all = append(all, healthEntity{Type: "WABA", ID: a.nodeID(int64(account)), Can: available},
		healthEntity{Type: "BUSINESS", ID: a.nodeID(app.Business), Can: available}, healthEntity{Type: "APP", ID: a.nodeID(app.ID), Can: available})
	return map[string]any{"can_send_message": all[0].Can, "entities": all}, nil
}
