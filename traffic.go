package kabar

import "time"

// Traffic is what is counted of a number's messages in half an hour, with customers of a country.
type Traffic struct {
	Account AccountID
	Number  NumberID
	Slot    int64  // SlotOf
	Country string // of the customer's number, as ISO 3166 has it (ID); empty when it is hidden, or nobody's
	Class   string // what they are priced as: a Category; ClassInbound for customers' messages

	Sent, Delivered, Read int64 // of the business's messages
	FreeWindow, FreeEntry int64 // of Delivered: those that were free, and by which PricingFreeWindow or PricingFreeEntry
	Cost                  Money // of the others
	Received              int64 // of customers' messages
	Opened                int64 // conversations that began
	Blocked               int64 // customers who have blocked the number, or reported it; of ClassInbound
}

// ClassInbound is the class of customers' messages.
const ClassInbound = "inbound"

// Slot is the length of time that is counted together.
const Slot = 30 * time.Minute

// SlotOf returns the slot of a time: how many half hours have passed since 1970.
func SlotOf(t time.Time) int64 { return t.Unix() / int64(Slot/time.Second) }

// QualityOf says how customers take a number: by how many of those that its messages were delivered to have blocked or reported it, and how
// many have read them.
func QualityOf(all []Traffic) TemplateScore {
	var u TemplateUse
	for _, t := range all {
		u.Add(TemplateUse{Delivered: int(t.Delivered), Read: int(t.Read), Blocked: int(t.Blocked)})
	}
	return ScoreOf(u)
}
