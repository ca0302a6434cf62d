package kabar_test

import (
	"slices"
	"testing"

	"kabar"
)

func TestEventTypesAreDistinct(t *testing.T) {
	all := kabar.EventTypes()
	if got := slices.Compact(slices.Clone(all)); len(got) != len(all) || len(all) != 20 {
		t.Errorf("%d types, %d of them distinct: want 20: %v", len(all), len(got), all)
	}
	for _, e := range []kabar.Event{
		{Kind: kabar.EventStatus, Status: kabar.Sent}, {Kind: kabar.EventStatus, Status: kabar.Delivered}, {Kind: kabar.EventStatus, Status: kabar.Read},
		{Kind: kabar.EventStatus, Status: kabar.Played}, {Kind: kabar.EventStatus, Status: kabar.Failed}, {Kind: kabar.EventMessage}, {Kind: kabar.EventDeleted},
		{Kind: kabar.EventIdentity}, {Kind: kabar.EventNumber}, {Kind: kabar.EventConsent}, {Kind: kabar.EventContacts}, {Kind: kabar.EventCollected},
		{Kind: kabar.EventFault}, {Kind: kabar.EventSecurity}, {Kind: kabar.EventName}, {Kind: kabar.EventReview}, {Kind: kabar.EventCredit},
		{Kind: kabar.EventLimits}, {Kind: kabar.EventTemplate}, {Kind: kabar.EventEndpoint},
	} {
		if !slices.Contains(all, e.Type()) {
			t.Errorf("the type of kind %q, status %v is %q, which is in no list", e.Kind, e.Status, e.Type())
		}
	}
}

func TestEventFilter(t *testing.T) {
	ana, budi := kabar.Customer{WaID: "34600111222"}, kabar.Customer{BSUID: "ES.77"}
	text := kabar.Event{Kind: kabar.EventMessage, Customer: ana, Content: kabar.RawContent{Kind: kabar.KindText}}
	read := kabar.Event{Kind: kabar.EventStatus, Status: kabar.Read, Of: kabar.KindImage, Customer: budi}
	limits := kabar.Event{Kind: kabar.EventLimits}
	for _, c := range []struct {
		name               string
		filter             kabar.EventFilter
		text, read, limits bool
	}{
		{"all", kabar.EventFilter{}, true, true, true},
		{"star", kabar.EventFilter{Types: []string{"*"}}, true, true, true},
		{"messages", kabar.EventFilter{Types: []string{"message.*"}}, true, true, false},
		{"received", kabar.EventFilter{Types: []string{"message.received"}}, true, false, false},
		{"a prefix is no pattern", kabar.EventFilter{Types: []string{"message."}}, false, false, false},
		{"two", kabar.EventFilter{Types: []string{"message.read", "number.*"}}, false, true, true},
		{"kinds let pass what has none", kabar.EventFilter{Kinds: []kabar.Kind{kabar.KindImage}}, false, true, true},
		{"customers by wa_id", kabar.EventFilter{Customers: []string{"34600111222"}}, true, false, true},
		{"customers by BSUID", kabar.EventFilter{Customers: []string{"ES.77"}}, false, true, true},
		{"both must pass", kabar.EventFilter{Types: []string{"message.*"}, Customers: []string{"ES.77"}}, false, true, false},
		{"an empty id is nobody's", kabar.EventFilter{Customers: []string{""}}, false, false, true},
	} {
		if a, b, l := c.filter.Wants(&text), c.filter.Wants(&read), c.filter.Wants(&limits); a != c.text || b != c.read || l != c.limits {
			t.Errorf("%s: wants text %v, read %v, limits %v; want %v, %v, %v", c.name, a, b, l, c.text, c.read, c.limits)
		}
	}
}

func TestEventFilterRefusesWhatMatchesNothing(t *testing.T) {
	for name, f := range map[string]kabar.EventFilter{
		"type": {Types: []string{"message.recieved"}}, "pattern": {Types: []string{"messages.*"}}, "kind": {Kinds: []kabar.Kind{"picture"}},
		"types": {Types: slices.Repeat([]string{"*"}, 51)}, "customers": {Customers: make([]string, 1001)},
	} {
		if f.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	good := kabar.EventFilter{Types: []string{"*", "message.*", "account.credit_low"}, Kinds: []kabar.Kind{kabar.KindText}, Customers: []string{"34600111222"}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}
