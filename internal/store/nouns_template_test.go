package store_test

import (
	"testing"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// templateNouns are a template's use, a message that waits for it, the account's policy, and what was done.
func templateNouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) []*noun {
	id, day := kabar.TemplateID(2_000_000_000_000_000+int64(n.ID)), kabar.DayOf(s.Now)
	use := kabar.TemplateUse{}
	count := func(more kabar.TemplateUse) func(tx *store.Tx) error {
		return func(tx *store.Tx) error {
			use.Add(more)
			return tx.AddUse(n.Account, id, day, more)
		}
	}
	m := &kabar.Message{ID: kabar.MessageID(n.ID), Account: n.Account, Number: n.ID}
	held := []store.HeldMessage{{Template: id, Number: n.ID, Message: m.ID}}
	policy := kabar.TemplatePolicy{Review: kabar.ReviewAuto, Limit: kabar.TemplatesMost}
	entry := store.Audit{Account: n.Account, At: s.Now, Actor: "operator", Action: "template.approved", Subject: "template/" + tag[:4], Detail: "{}"}
	form := &kabar.FlowDef{Account: n.Account, Name: "flow " + tag[:4], Status: kabar.FlowDraft, Categories: []string{"OTHER"}, Endpoint: "https://shop.example",
		Created: s.Now.UTC(), Changed: s.Now.UTC()}
	wanted := form
	counted := kabar.Traffic{Account: n.Account, Number: n.ID, Slot: kabar.SlotOf(s.Now), Country: "62", Class: "utility"}
	add := func(more kabar.Traffic) func(tx *store.Tx) error {
		return func(tx *store.Tx) error {
			counted.Sent, counted.Delivered, counted.Read = counted.Sent+more.Sent, counted.Delivered+more.Delivered, counted.Read+more.Read
			counted.Received, counted.Opened = counted.Received+more.Received, counted.Opened+more.Opened
			counted.FreeWindow, counted.FreeEntry, counted.Cost = counted.FreeWindow+more.FreeWindow, counted.FreeEntry+more.FreeEntry, counted.Cost+more.Cost
			more.Account, more.Number, more.Slot, more.Country, more.Class = n.Account, n.ID, counted.Slot, counted.Country, counted.Class
			return tx.AddTraffic(more)
		}
	}
	return []*noun{
		{name: "flow", add: func(tx *store.Tx) error { return tx.SaveFlow(form) },
			change: func(tx *store.Tx) error { form.Name += "!"; return tx.SaveFlow(form) },
			remove: func(tx *store.Tx) error { wanted = nil; return tx.RemoveFlow(form.ID) },
			inside: func(tx *store.Tx) (any, error) { return tx.Flow(n.Account, form.ID) },
			read: func() (any, error) {
				named, err := s.DB.FlowNamed(t.Context(), n.Account, form.Name)
				if err != nil {
					return nil, err
				}
				return s.DB.Flow(t.Context(), n.Account, named.ID)
			},
			want: func() any { return orNil(wanted) }},
		{name: "traffic", add: add(kabar.Traffic{Sent: 1, Opened: 1}), change: add(kabar.Traffic{Sent: 1, Delivered: 2, Read: 1, Received: 3, FreeWindow: 1, FreeEntry: 1, Cost: 7}),
			read: func() (any, error) { return s.DB.Traffic(t.Context(), n.Account, n.ID, counted.Slot-1, counted.Slot) },
			want: func() any { return []kabar.Traffic{counted} }},
		{name: "use", add: count(kabar.TemplateUse{Sent: 1}), change: count(kabar.TemplateUse{Read: 1, Clicked: map[string]int{"Yes": 2}, Opened: map[string]int{"Shop": 3}, FirstOpened: map[string]int{"Shop": 1}}),
			read: func() (any, error) { return s.DB.TemplateUse(t.Context(), n.Account, id, day-1, day) },
			want: func() any { return map[int64]kabar.TemplateUse{day: use} }},
		{name: "held", add: func(tx *store.Tx) error { tx.Hold(id, m); return nil },
			remove: func(tx *store.Tx) error { held = []store.HeldMessage{}; tx.Unhold(id, m.ID); return nil },
			read:   func() (any, error) { return s.DB.HeldMessages(t.Context(), n.Account, id, 10) }, want: func() any { return held }},
		{name: "policy", add: func(tx *store.Tx) error { return tx.SavePolicy(n.Account, policy) },
			change: func(tx *store.Tx) error { policy.Review = kabar.ReviewManual; return tx.SavePolicy(n.Account, policy) },
			read:   func() (any, error) { return s.DB.Policy(t.Context(), n.Account) }, want: func() any { return policy }},
		{name: "audit", add: func(tx *store.Tx) error { return tx.AddAudit(&entry) },
			read: func() (any, error) { return s.DB.Audits(t.Context(), n.Account, entry.Subject, 0, 10) }, want: func() any { return []store.Audit{entry} }},
	}
}
