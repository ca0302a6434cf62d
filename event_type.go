package kabar

import (
	"slices"
	"strings"
)

// EventType is the name by which an application knows what an event reports, in Kabar's own dialect and in the filters of endpoints.
// An event's type does not change, so that filters hold for what happened before they were set.
type EventType string

// eventTypes are the types of the kinds that have one. Statuses have one each: "message." and the name of the status.
var eventTypes = map[EventKind]EventType{
	EventMessage:   "message.received",
	EventDeleted:   "message.deleted",
	EventIdentity:  "customer.identity_changed",
	EventNumber:    "customer.number_changed",
	EventConsent:   "customer.consent_changed",
	EventContacts:  "contacts.checked",
	EventCollected: "number.collected",
	EventFault:     "number.fault",
	EventSecurity:  "number.pin_changed",
	EventName:      "number.name_reviewed",
	EventLimits:    "number.limits_changed",
	EventReview:    "account.reviewed",
	EventCredit:    "account.credit_low",
	EventTemplate:  "template.changed",
	EventEndpoint:  "endpoint.changed",
}

// Type returns the type of e.
func (e *Event) Type() EventType {
	if e.Kind == EventStatus {
		return EventType("message." + e.Status.String())
	}
	return eventTypes[e.Kind]
}

// EventTypes returns all types, sorted.
func EventTypes() []EventType {
	all := []EventType{"message.sent", "message.delivered", "message.read", "message.played", "message.failed"}
	for _, t := range eventTypes {
		all = append(all, t)
	}
	slices.Sort(all)
	return all
}

// EventFilter says which events an endpoint is told of. The zero value wants all.
type EventFilter struct {
	Types     []string `json:"types,omitempty"`     // types, "message.*" for all that begin so, or "*"; none is all
	Kinds     []Kind   `json:"kinds,omitempty"`     // of the message's content; events that are about no message pass; none is all
	Customers []string `json:"customers,omitempty"` // wa_ids or BSUIDs; events that are about no customer pass; none is all
}

// Limits of an EventFilter.
const (
	maxFilterTypes     = 50
	maxFilterCustomers = 1000
)

// Wants reports whether the filter lets e pass.
func (f *EventFilter) Wants(e *Event) bool {
	return f.wantsType(e.Type()) && f.wantsKind(e) && f.wantsCustomer(e.Customer)
}

func (f *EventFilter) wantsType(t EventType) bool {
	return len(f.Types) == 0 || slices.ContainsFunc(f.Types, func(p string) bool { return typeMatches(p, t) })
}

func typeMatches(pattern string, t EventType) bool {
	if stem, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(string(t), stem)
	}
	return pattern == string(t)
}

func (f *EventFilter) wantsKind(e *Event) bool {
	kind := e.Content.Kind
	if kind == "" {
		kind = e.Of
	}
	return len(f.Kinds) == 0 || kind == "" || slices.Contains(f.Kinds, kind)
}

func (f *EventFilter) wantsCustomer(c Customer) bool {
	return len(f.Customers) == 0 || c.WaID == "" && c.BSUID == "" || slices.ContainsFunc(f.Customers, func(id string) bool {
		return id != "" && (id == c.WaID || id == c.BSUID)
	})
}

// Check refuses, with ReasonInvalid, patterns that no type matches, unknown kinds, and lists that are too long.
func (f *EventFilter) Check() error {
	if len(f.Types) > maxFilterTypes {
		return Refuse(ReasonInvalid, "events", "there may be %d of them; use a pattern such as message.*", maxFilterTypes)
	}
	for _, p := range f.Types {
		if !slices.ContainsFunc(EventTypes(), func(t EventType) bool { return typeMatches(p, t) }) {
			return Refuse(ReasonInvalid, "events", "%q matches no type; there are %s, and patterns such as message.* and *", p, joined(EventTypes()))
		}
	}
	for _, k := range f.Kinds {
		if contents[k] == nil {
			return Refuse(ReasonInvalid, "kinds", "%q is no kind of message, such as text, image or interactive", string(k))
		}
	}
	if len(f.Customers) > maxFilterCustomers {
		return Refuse(ReasonInvalid, "customers", "there may be %d of them", maxFilterCustomers)
	}
	return nil
}

func joined(types []EventType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}
