package kabar

import "fmt"

// Status is how far an outbound message has come. It only moves forward: Accepted < Sent < Delivered < Read < Played.
// Failed is terminal and reached from Accepted or Sent only. Inbound messages have the status Received, and Read once the
// business has read them.
type Status int8

// The statuses, in rank order.
const (
	Received  Status = 0 // inbound
	Accepted  Status = 1 // committed here, not yet taken by the network
	Sent      Status = 2 // the network has it
	Delivered Status = 3 // the customer's device has it
	Read      Status = 4
	Played    Status = 5 // a voice message was listened to
	Failed    Status = 9
)

// String returns the name both API dialects use.
func (s Status) String() string {
	switch s {
	case Received:
		return "received"
	case Accepted:
		return "accepted"
	case Sent:
		return "sent"
	case Delivered:
		return "delivered"
	case Read:
		return "read"
	case Played:
		return "played"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("status %d", int8(s))
}

// Advance reports whether a message in status s may go to next. Every status change in the product asks here; a refused
// change is a late or repeated report and is dropped without an event.
func (s Status) Advance(next Status) bool {
	switch {
	case s == Received:
		return next == Read
	case s == Failed:
		return false
	case next == Failed:
		return s == Accepted || s == Sent
	}
	return next > s && next <= Played
}
