package kabar

import "encoding/json"

// What a customer's handset asks the business's server for, beside FlowExchange: how a flow begins, and what an earlier screen shows now.
const (
	FlowInit = "INIT"
	FlowBack = "BACK"
)

// FlowSuccess is the screen that ends a flow. None can be called so.
const FlowSuccess = "SUCCESS"

// MaxFlowStep bounds a FlowStep, and MaxFlowData the data of a FlowQuestion, in bytes as they travel.
const (
	MaxFlowStep = 200 << 10
	MaxFlowData = 64 << 10
)

// FlowQuestion is what a customer's handset wants to know of the business's server while a flow is filled in. It is no message: nobody
// is told of it but the endpoint of the flow.
type FlowQuestion struct {
	ID      string          `json:"id"`               // the handset's choice
	Message string          `json:"message"`          // network id of the message that has opened the flow
	Action  string          `json:"action"`           // FlowInit, FlowExchange or FlowBack
	Screen  string          `json:"screen,omitempty"` // where the customer is; empty at the beginning
	Data    json.RawMessage `json:"data,omitempty"`   // an object
}

// FlowStep answers a FlowQuestion: a screen with its data, or why there is none.
type FlowStep struct {
	Question string          `json:"question"`
	Message  string          `json:"message"`
	Screen   string          `json:"screen,omitempty"` // FlowSuccess ends the flow
	Data     json.RawMessage `json:"data,omitempty"`   // an object
	Fault    FlowStepFault   `json:"fault,omitempty"`
	Text     string          `json:"text,omitempty"` // with FlowOver: what the business tells the customer
}

// FlowStepFault says why a flow does not go on.
type FlowStepFault string

// The faults.
const (
	FlowAway FlowStepFault = "away" // the server did not answer as it should: the customer may try again
	FlowOver FlowStepFault = "over" // the flow cannot be filled in any more
)

// FlowOf returns the flow that a message opens, within a button of a template, too; nil when it opens none.
func FlowOf(c Content) *Flow {
	switch c := c.(type) {
	case *Interactive:
		return c.Action.Flow
	case *Template:
		if c.Rendered == nil {
			return nil
		}
		for _, b := range c.Rendered.Buttons {
			if b.Flow != nil {
				return b.Flow.Flow(b.Text)
			}
		}
	}
	return nil
}

// Exchanges reports whether the business's server is asked while the flow is filled in, and returns what it consists of; nil when
// that did not travel with the message or cannot be read.
func (f *Flow) Exchanges() (*FlowForm, bool) {
	form, faults := ParseFlow(f.Form)
	if len(faults) > 0 {
		return nil, false
	}
	return form, form.DataAPI != "" && (f.Action == FlowExchange || form.Exchanges())
}

// Paged reports whether the flow is gone through screen by screen, as the business's server or the answers of the customer decide what
// comes, and returns what it consists of.
func (f *Flow) Paged() (*FlowForm, bool) {
	form, exchanges := f.Exchanges()
	if form == nil || exchanges {
		return form, exchanges
	}
	return form, f.Action != FlowExchange && !form.Exchanges() && form.Branches()
}

// Ended returns what the business is told of a flow that its server has ended: the parameters within the data of FlowSuccess.
func (s *FlowStep) Ended() map[string]any {
	var data struct {
		Response struct {
			Params map[string]any `json:"params"`
		} `json:"extension_message_response"`
	}
	_ = json.Unmarshal(s.Data, &data) // of another form it says nothing
	return data.Response.Params
}
