package kabar

import "time"

// Window is how long free-form messages are allowed after the customer's last message.
const Window = 24 * time.Hour

// EntryPointWindow is how long messages are free of charge once the business has replied to somebody who came by way of an ad
// (contract Cloud API, section 4).
const EntryPointWindow = 72 * time.Hour

// fromAd is the source of a referral that opens an entry point; a post opens none.
const fromAd = "ad"

// WindowOpen reports whether free-form messages are allowed at now.
func (c *Conversation) WindowOpen(now time.Time) bool {
	return !c.LastInbound.IsZero() && now.Before(c.LastInbound.Add(Window))
}

// EntryPointOpen reports whether messages are free of charge at now, because the customer came by way of an ad and the business
// replied in time. Whether free-form messages are allowed is another question: see WindowOpen.
func (c *Conversation) EntryPointOpen(now time.Time) bool { return now.Before(c.EntryPoint) }

// Refer notes by which way the customer has written at a time, and reports whether that changes c.
func (c *Conversation) Refer(r *Referral, at time.Time) bool {
	if r == nil || r.SourceType != fromAd || !at.After(c.AdTapped) {
		return false
	}
	c.AdTapped = at
	return true
}

// Reply opens the entry point with a message that the business sends at now, and reports whether that changes c: the first one
// within 24 hours after the customer came by way of an ad does. One that is open is not prolonged by further messages, only by
// another ad.
func (c *Conversation) Reply(now time.Time) bool {
	if c.AdTapped.IsZero() || !now.Before(c.AdTapped.Add(Window)) || !c.EntryPoint.Before(c.AdTapped.Add(EntryPointWindow)) {
		return false
	}
	c.EntryPoint = now.Add(EntryPointWindow)
	return true
}

// WindowReason says why a window is open or closed.
type WindowReason string

// The reasons of windows.
const (
	WindowWritten WindowReason = "customer_wrote"       // open: within the last 24 hours
	WindowOver    WindowReason = "window_expired"       // closed: longer ago
	WindowNever   WindowReason = "never_wrote"          // closed: this customer has not written yet, or is unknown
	WindowBarred  WindowReason = "blocked_by_business"  // closed: whatever was written, nothing is delivered
	WindowBlocked WindowReason = "blocked_by_recipient" // closed: the customer has blocked the number
)

// WindowState tells whether free-form messages are allowed.
type WindowState struct {
	Open       bool
	Since      time.Time // open: the message that the window counts from; closed: the end of the last one, or the block; zero: not known
	Until      time.Time // when it closes; zero: it is closed
	Reason     WindowReason
	EntryPoint time.Time // end of the entry point that is open; zero: none is
}

// WindowState returns how the window stands at now. c is nil for a customer who has never been heard of.
func (c *Conversation) WindowState(now time.Time) (s WindowState) {
	if c == nil {
		return WindowState{Reason: WindowNever}
	}
	if c.EntryPointOpen(now) {
		s.EntryPoint = c.EntryPoint
	}
	switch {
	case !c.Barred.IsZero():
		s.Since, s.Reason = c.Barred, WindowBarred
	case c.Blocked:
		s.Reason = WindowBlocked
	case c.LastInbound.IsZero():
		s.Reason = WindowNever
	case c.WindowOpen(now):
		s.Open, s.Since, s.Until, s.Reason = true, c.LastInbound, c.LastInbound.Add(Window), WindowWritten
	default:
		s.Since, s.Reason = c.LastInbound.Add(Window), WindowOver
	}
	return s
}
