package kabar

import "time"

// From which figures a score follows: ours, since the contract names none.
const (
	scoreSends      = 100 // delivered messages without which nothing is said about quality
	redBlocks       = 50  // blocks in a thousand delivered messages
	yellowBlocks    = 20
	yellowReadShare = 50 // read of a thousand delivered: below, nobody wants it
)

// TemplateUse is what has become of messages of a template.
type TemplateUse struct {
	Accepted  int            `json:"accepted,omitzero"`
	Sent      int            `json:"sent,omitzero"`
	Delivered int            `json:"delivered,omitzero"`
	Read      int            `json:"read,omitzero"`
	Failed    int            `json:"failed,omitzero"`
	Blocked   int            `json:"blocked,omitzero"`  // customers who blocked the number when it was the last they had got
	Clicked   map[string]int `json:"clicked,omitempty"` // taps on quick replies, by the button's text
	Opened    map[string]int `json:"opened,omitempty"`  // taps on links, likewise
	// FirstOpened are those of them that were the message's first on the button.
	FirstOpened map[string]int `json:"first_opened,omitempty"`
}

// Add adds other to u.
func (u *TemplateUse) Add(other TemplateUse) { u.sum(other, 1) }

func (u *TemplateUse) sum(other TemplateUse, sign int) {
	u.Accepted += sign * other.Accepted
	u.Sent += sign * other.Sent
	u.Delivered += sign * other.Delivered
	u.Read += sign * other.Read
	u.Failed += sign * other.Failed
	u.Blocked += sign * other.Blocked
	u.Clicked = sumTaps(u.Clicked, other.Clicked, sign)
	u.Opened = sumTaps(u.Opened, other.Opened, sign)
	u.FirstOpened = sumTaps(u.FirstOpened, other.FirstOpened, sign)
}

// sumTaps adds more to taps, which may be nil.
func sumTaps(taps, more map[string]int, sign int) map[string]int {
	for text, n := range more {
		if taps == nil {
			taps = map[string]int{}
		}
		taps[text] += sign * n
	}
	return taps
}

// TemplateDays is how many days quality looks back.
const TemplateDays = 7

// DayOf returns the number of the day, in UTC, under which use is counted.
func DayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// UseSince returns the part of the use of the last days that quality counts; days holds them by DayOf.
func (l *TemplateLife) UseSince(now time.Time, days map[int64]TemplateUse) (u TemplateUse) {
	for day, use := range days {
		if day > DayOf(now)-TemplateDays && day >= l.From {
			u.Add(use)
		}
	}
	if l.From > DayOf(now)-TemplateDays {
		u.sum(l.Since, -1)
	}
	return u
}

// ScoreOf says how customers take a template: by how many block the number and how many read, once there is enough to say.
func ScoreOf(u TemplateUse) TemplateScore {
	switch {
	case u.Delivered < scoreSends:
		return ScoreUnknown
	case u.Blocked*1000 >= redBlocks*u.Delivered:
		return ScoreRed
	case u.Blocked*1000 >= yellowBlocks*u.Delivered, u.Read*1000 < yellowReadShare*u.Delivered:
		return ScoreYellow
	}
	return ScoreGreen
}

// paced has the first messages looked at before the others go: of marketing templates, and of utility ones after a pause.
func (d *TemplateDef) paced() {
	if d.Life.Pace == nil && d.Quality() != ScoreGreen && (d.Category == CategoryMarketing || d.Category == CategoryUtility && d.Life.Pauses > 0) {
		d.Life.Pace = &TemplatePace{}
	}
}

// Rate gives the template the score of its use in the last days, by DayOf, and pauses or disables it when it is bad.
func (d *TemplateDef) Rate(now time.Time, days map[int64]TemplateUse) []TemplateChange {
	before, score := d.Quality(), ScoreOf(d.Life.UseSince(now, days))
	if before == score || d.Status != TemplateApproved {
		return nil
	}
	d.Life.Score, d.Life.Scored = score, now
	c := d.change(NewsQuality)
	c.Before, c.Score = before, score
	if score != ScoreRed {
		return []TemplateChange{c}
	}
	d.Life.From, d.Life.Since = DayOf(now), days[DayOf(now)] // what comes after the pause counts anew
	return []TemplateChange{c, d.pause(now, "")}
}

// pause pauses the template for its quality: twice for a while, and then for good.
func (d *TemplateDef) pause(now time.Time, title string) TemplateChange {
	d.Life.Pauses++
	d.Life.Pace = nil
	if d.Life.Pauses > 2 {
		c := d.become(TemplateDisabled, now)
		c.Title, c.At, c.Description = TitleDisabled, now, "Customers have taken the template badly for the third time."
		d.Life.Dues = nil
		return c
	}
	c := d.become(TemplatePaused, now)
	c.Title, c.Description = TitleFirstPause, "Customers have taken the template badly. It is paused for 3 hours."
	until := now.Add(FirstPause)
	if d.Life.Pauses == 2 {
		c.Title, c.Description, until = TitleSecondPause, "Customers have taken the template badly again. It is paused for 6 hours.", now.Add(SecondPause)
	}
	if title != "" {
		c.Title = title
	}
	d.Life.plan(TaskUnpause, until)
	return c
}

// Paced notes a message of a template whose first messages are looked at, at now, and says whether it is to be held.
func (d *TemplateDef) Paced(now time.Time, p TemplatePolicy) (held bool) {
	pace := d.Life.Pace
	if pace == nil || p.Held() < 0 {
		return false
	}
	if !pace.Open {
		pace.Open = true
		d.Life.plan(TaskPace, now.Add(PaceFor))
	}
	if d.Holds(p) {
		pace.Held++
		return true
	}
	pace.Sent++
	return false
}

// Holds reports whether the next message of the template is to be held: the first have been sent, and are looked at.
func (d *TemplateDef) Holds(p TemplatePolicy) bool {
	pace := d.Life.Pace
	return pace != nil && pace.Open && p.Held() >= 0 && pace.Sent >= p.Held()
}

// PaceOver ends the look at the first messages, when it is due or the template is not approved any more. Its use decides:
// good says that what is held goes out; otherwise the template is paused, and what is held fails.
func (d *TemplateDef) PaceOver(now time.Time, days map[int64]TemplateUse) (changes []TemplateChange, over, good bool) {
	if !d.Life.take(TaskPace, now) {
		return nil, false, false
	}
	u := d.Life.UseSince(now, days)
	bad := d.Status != TemplateApproved || u.Blocked*1000 >= redBlocks*max(u.Delivered, 1)
	d.Life.Pace, d.Life.Changed = nil, now
	if bad && d.Status == TemplateApproved {
		d.Life.From, d.Life.Since = DayOf(now), days[DayOf(now)]
		changes = append(changes, d.pause(now, TitlePacing))
	}
	return changes, true, !bad
}
