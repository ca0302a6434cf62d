package kabar

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// FlowID is the id of a flow, as the Graph API has it: a number of 15 or 16 digits.
type FlowID int64

// FlowStatus says what may be done with a flow.
type FlowStatus string

// The statuses of flows. A draft can be changed; what is published stays as it is.
const (
	FlowDraft      FlowStatus = "DRAFT"
	FlowPublished  FlowStatus = "PUBLISHED"
	FlowDeprecated FlowStatus = "DEPRECATED"
	FlowBlocked    FlowStatus = "BLOCKED"
	FlowThrottled  FlowStatus = "THROTTLED"
)

// Limits of flows.
const (
	MaxFlowJSON     = 256 << 10 // bytes of what a flow consists of
	MaxFlowEndpoint = 2000      // bytes of its address
)

// FlowDef is a form of one or more screens that an account has made. What it consists of is kept as it was uploaded.
type FlowDef struct {
	Account    AccountID   `json:"-"`
	ID         FlowID      `json:"-"`
	Name       string      `json:"name"` // of the account's one
	Status     FlowStatus  `json:"status"`
	Categories []string    `json:"categories"`
	Endpoint   string      `json:"endpoint,omitempty"` // the business's server, for flows that exchange data
	JSON       string      `json:"json,omitempty"`
	Faults     []FlowFault `json:"faults,omitempty"` // of JSON
	Ailing     string      `json:"ailing,omitempty"` // why the endpoint did not answer when it was last asked; empty: it did
	Created    time.Time   `json:"created"`
	Changed    time.Time   `json:"changed"`
}

// FlowCategories are what a flow can be for.
func FlowCategories() []string {
	return []string{"SIGN_UP", "SIGN_IN", "APPOINTMENT_BOOKING", "LEAD_GENERATION", "CONTACT_US", "CUSTOMER_SUPPORT", "SURVEY", "OTHER"}
}

// Reasons of flows that cannot be changed, published, deprecated, deleted or sent.
const (
	ReasonFlowUpdate    Reason = "the flow cannot be changed"
	ReasonFlowPublish   Reason = "the flow cannot be published"
	ReasonFlowDeprecate Reason = "the flow cannot be deprecated"
	ReasonFlowDelete    Reason = "the flow cannot be deleted"
	ReasonFlowBlocked   Reason = "the flow is blocked"
)

// FlowEdit is a change of what is said about a flow; nil and empty values change nothing.
type FlowEdit struct {
	Name       string
	Categories []string
	Endpoint   *string
}

// Edit changes what is said about the flow. Only the endpoint of a published one can be changed.
func (d *FlowDef) Edit(now time.Time, e FlowEdit) error {
	if d.Status != FlowDraft && (d.Status != FlowPublished || e.Name != "" || e.Categories != nil) {
		return fault(ReasonFlowUpdate, "", "the flow is %s: only a draft can be changed, and of a published flow only its endpoint_uri", d.Status)
	}
	if e.Name != "" {
		d.Name = e.Name
	}
	if e.Categories != nil {
		d.Categories = e.Categories
	}
	if e.Endpoint != nil {
		d.Endpoint = *e.Endpoint
	}
	d.Changed = now
	return d.Check()
}

// Check checks what is said about the flow.
func (d *FlowDef) Check() error {
	if len(d.Categories) == 0 {
		return fault(ReasonMissing, "categories", "is required: some of %s", WordsOf(FlowCategories()))
	}
	for _, c := range d.Categories {
		if !slices.Contains(FlowCategories(), c) {
			return fault(ReasonInvalid, "categories", "has %.40q, allowed are %s", c, WordsOf(FlowCategories()))
		}
	}
	return first(checkText("name", d.Name, MaxFlowName), d.checkEndpoint())
}

func (d *FlowDef) checkEndpoint() error {
	const field = "endpoint_uri"
	if d.Endpoint == "" {
		return nil
	}
	if len(d.Endpoint) > MaxFlowEndpoint {
		return fault(ReasonInvalid, field, "has %d bytes, the limit is %d", len(d.Endpoint), MaxFlowEndpoint)
	}
	if u, err := url.Parse(d.Endpoint); err == nil && u.User != nil {
		return fault(ReasonInvalid, field, "must not hold a user or a password")
	}
	return CheckURL(field, d.Endpoint)
}

// SetJSON takes what a draft consists of, faulty or not: the faults are noted. field is what the text is called where it came from.
func (d *FlowDef) SetJSON(now time.Time, field, text string) error {
	if d.Status != FlowDraft {
		return fault(ReasonFlowUpdate, "", "the flow is %s: only a draft can be changed; make another one with clone_flow_id", d.Status)
	}
	if len(text) > MaxFlowJSON {
		return fault(ReasonInvalid, field, "has %d bytes, the limit is %d", len(text), MaxFlowJSON)
	}
	if err := checkString(field, text); err != nil {
		return err
	}
	_, faults := ParseFlow(text)
	d.JSON, d.Faults, d.Changed = text, faults, now
	return nil
}

// CanPublish says whether the flow may be published, and returns what it consists of.
func (d *FlowDef) CanPublish() (*FlowForm, error) {
	const reason = ReasonFlowPublish
	form, faults := ParseFlow(d.JSON)
	switch {
	case d.Status != FlowDraft:
		return nil, fault(reason, "", "the flow is %s: only a draft can be published", d.Status)
	case d.JSON == "":
		return nil, fault(reason, "", "the flow has no flow.json: upload one to /%d/assets", d.ID)
	case len(faults) > 0:
		return nil, fault(reason, "", "flow.json has faults, the first of %d: %s", len(faults), faults[0].Message)
	case form.DataAPI != "" && d.Endpoint == "":
		return nil, fault(reason, "", "flow.json has a data_api_version, so the flow needs an endpoint_uri")
	}
	return form, nil
}

// Publish makes the flow one that customers can open. It is final.
func (d *FlowDef) Publish(now time.Time) error {
	if _, err := d.CanPublish(); err != nil {
		return err
	}
	d.Status, d.Changed = FlowPublished, now
	return nil
}

// Deprecate ends the use of a published flow. It is final.
func (d *FlowDef) Deprecate(now time.Time) error {
	if d.Status != FlowPublished && d.Status != FlowThrottled && d.Status != FlowBlocked {
		return fault(ReasonFlowDeprecate, "", "the flow is %s: only a published one can be deprecated", d.Status)
	}
	d.Status, d.Changed = FlowDeprecated, now
	return nil
}

// CanDelete says whether the flow may be deleted: only drafts.
func (d *FlowDef) CanDelete() error {
	if d.Status != FlowDraft {
		return fault(ReasonFlowDelete, "", "the flow is %s: only a draft can be deleted", d.Status)
	}
	return nil
}

// CanSend says whether a message may open the flow, as a draft or as it is published.
func (d *FlowDef) CanSend(field string, draft bool) error {
	switch d.Status {
	case FlowBlocked:
		return fault(ReasonFlowBlocked, field, "the flow %q is blocked", d.Name)
	case FlowDeprecated:
		return fault(ReasonFlow, field, "the flow %q is deprecated", d.Name)
	case FlowDraft:
		if !draft {
			return fault(ReasonFlow, field, "the flow %q is a draft: publish it, or send it with the mode draft", d.Name)
		}
		if len(d.Faults) > 0 || d.JSON == "" {
			return fault(ReasonFlow, field, "the flow %q cannot be opened: its flow.json is missing or has faults", d.Name)
		}
	case FlowPublished, FlowThrottled:
		if draft {
			return fault(ReasonInvalid, strings.TrimSuffix(strings.TrimSuffix(field, "flow_id"), "flow_name")+"mode", "is draft, and the flow is %s", d.Status)
		}
	}
	return nil
}

// CanOpen says whether the flow can be opened as a message has it: by the screen that it names, or by asking the business's server.
// at is where the message says so.
func (d *FlowDef) CanOpen(at string, f *Flow) error {
	form, _ := ParseFlow(d.JSON)
	screen, _ := f.Opened()
	switch {
	case screen != "" && form.Screen(screen) == nil:
		return fault(ReasonFlow, at+"flow_action_payload.screen", "the flow %q has no screen %.80q", d.Name, screen)
	case f.Action == FlowExchange && form.DataAPI == "":
		return fault(ReasonFlow, at+"flow_action", "is %s, and the flow %q has no data_api_version", FlowExchange, d.Name)
	}
	return nil
}

// String writes the id as the API does.
func (id FlowID) String() string { return fmt.Sprint(int64(id)) }
