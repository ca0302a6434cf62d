package engine

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"kabar"
	"kabar/internal/store"
)

// AwayCallback is what the statuses of an away message bring back, as those of a message bring back the Callback of its Request.
const AwayCallback = "away_message"

// maxAway is the longest away message, in characters.
const maxAway = 1024

// hoursZone returns the time zone of a number's opening hours; nil when it has none. One that the machine does not know any more counts
// as none: SetHours has looked for it.
func hoursZone(n *kabar.Number) *time.Location {
	if n.Profile.Hours == nil {
		return nil
	}
	zone, err := time.LoadLocation(n.Profile.Hours.Timezone)
	if err != nil {
		return nil
	}
	return zone
}

// away answers who writes while the business is closed, once until it has been open again. It is an ordinary text of the business, so it
// answers nobody who opts out, reacts, or may not be written to; what answers it is not answered again.
func (d *delivery) away(tx *store.Tx, heard *kabar.Message) error {
	s, c := &d.line.settings, d.conv
	if s.Away == "" || d.line.hours == nil || s.Deregistered || !s.Naming.Approved() || heard.Content.Kind() == kabar.KindReaction || withheld(d.line, c) || !c.WindowOpen(d.now) {
		return nil
	}
	if said, _ := s.Consent.Heard(saidIn(heard.Content)); said != kabar.ConsentUnknown {
		return nil
	}
	hours, local := d.line.number.Profile.Hours, d.now.In(d.line.hours)
	if hours.OpenAt(local) || !c.Away.Before(hours.ClosedSince(local)) {
		return nil
	}
	if s.Limits.PairRate && c.Pair.Take(d.now) > 0 {
		return nil
	}
	m := &kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: &kabar.Text{Body: s.Away}, Context: kabar.Context{Callback: AwayCallback},
		At: d.now, Expires: d.now.Add(kabar.DefaultTTL)}
	bill, reason, err := d.e.quote(tx, d.line, c, m, d.now)
	if err != nil || reason != "" { // nobody has asked for it, so nobody is told that it was not paid for
		return err
	}
	c.Away = d.now
	if err := tx.AppendMessage(c, m); err != nil {
		return err
	}
	if err := charge(tx, bill, m); err != nil {
		return err
	}
	tx.After(func() {
		d.e.meters.count(d.line, d.now)
		d.e.counted(kabar.KindText, kabar.Accepted, "")
		d.e.note(Note{Number: d.line.number.ID, Fact: FactAccepted})
	})
	return d.e.addJob(tx, c, jobSend, m.ID, nil)
}

// SetHours says when a number's business is open, and what is answered to who writes while it is not. nil hours: nobody says; an empty
// message: nothing is answered.
func (e *Engine) SetHours(ctx context.Context, id kabar.NumberID, h *kabar.Hours, away string) error {
	if err := CheckHours(h, away); err != nil {
		return err
	}
	if err := e.ChangeProfile(ctx, id, func(p *kabar.Profile) error { p.Hours = h; return nil }); err != nil {
		return err
	}
	return e.ChangeSettings(ctx, id, func(s *kabar.Settings, _ *string) error { s.Away = away; return nil })
}

// CheckHours refuses what SetHours cannot do.
func CheckHours(h *kabar.Hours, away string) error {
	if n := utf8.RuneCountInString(away); n > maxAway {
		return kabar.Refuse(kabar.ReasonTooLong, "away_message", "has %d characters, the limit is %d", n, maxAway)
	}
	if away != "" && strings.TrimSpace(away) == "" {
		return kabar.Refuse(kabar.ReasonInvalid, "away_message", "has nothing to read: leave it empty to send none")
	}
	if h == nil {
		if away != "" {
			return kabar.Refuse(kabar.ReasonInvalid, "away_message", "needs opening hours: without them the business is never closed")
		}
		return nil
	}
	if _, err := time.LoadLocation(h.Timezone); err != nil || h.Timezone == "" || h.Timezone == "Local" {
		return kabar.Refuse(kabar.ReasonInvalid, "timezone", "is %.60q, which is no name of the tz database, such as Asia/Jakarta", h.Timezone)
	}
	if away != "" {
		if err := (&kabar.Text{Body: away}).Validate(); err != nil {
			return err
		}
	}
	return h.Validate()
}
