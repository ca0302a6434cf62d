package kabar

import "time"

// ReviewMode says who judges the templates of an account.
type ReviewMode string

// The modes of review.
const (
	ReviewManual  ReviewMode = "manual"  // an operator; the automatic checks advise
	ReviewAuto    ReviewMode = "auto"    // the automatic checks, after ReviewMoment
	ReviewDelayed ReviewMode = "delayed" // the automatic checks, after TemplatePolicy.Delay, unless an operator is faster
)

// Periods of templates (contract Cloud API, sections 1.5 and 4; the first two are ours).
const (
	ReviewMoment   = 2 * time.Second     // long enough to see that a template is pending
	ReviewDelay    = 15 * time.Minute    // the default of TemplatePolicy.Delay
	FirstPause     = 3 * time.Hour       // for the first bad quality
	SecondPause    = 6 * time.Hour       // for the second; the third disables
	CategoryNotice = 24 * time.Hour      // before an approved template changes its category
	NameKept       = 30 * 24 * time.Hour // before the name of a deleted template can be used again
	EditEvery      = 24 * time.Hour      // between two edits of an approved template
	EditPeriod     = 30 * 24 * time.Hour // in which MaxEdits are allowed
)

// Numbers of templates.
const (
	MaxEdits       = 10    // of an approved template in EditPeriod
	MaxCreations   = 100   // in an hour and account
	TemplatesUsual = 250   // in an account
	TemplatesMost  = 6_000 // in an account that may have more
	DefaultPace    = 1_000 // messages of a paced template that go out at once
	PaceFor        = time.Hour
)

// TemplatePolicy is how an account's templates are handled. What it says of review holds for the names of its numbers, too, which
// the automatic review decides upon at once.
type TemplatePolicy struct {
	Review ReviewMode    `json:"review"`
	Delay  time.Duration `json:"delay,omitempty"` // ReviewDelayed
	Limit  int           `json:"limit,omitempty"` // of templates; 0: as many as MaxTemplates says
	Pace   int           `json:"pace,omitempty"`  // 0: DefaultPace; -1: nothing is held
}

// Check checks that the policy is one that there can be.
func (p TemplatePolicy) Check() error {
	switch {
	case p.Review != ReviewManual && p.Review != ReviewAuto && p.Review != ReviewDelayed:
		return fault(ReasonInvalid, "review", "is %q, allowed are manual, auto and delayed", p.Review)
	case p.Delay < 0 || p.Delay > 24*time.Hour:
		return fault(ReasonInvalid, "delay", "is %v, allowed are up to 24h", p.Delay)
	case p.Limit < 0 || p.Limit > TemplatesMost:
		return fault(ReasonInvalid, "limit", "is %d, allowed are 1 to %d", p.Limit, TemplatesMost)
	case p.Pace < -1:
		return fault(ReasonInvalid, "pace", "is %d, allowed are -1 and more", p.Pace)
	}
	return nil
}

// MaxTemplates returns how many templates the account may have. It is trusted when its business is verified and one of its numbers
// has an approved name.
func (p TemplatePolicy) MaxTemplates(trusted bool) int {
	switch {
	case p.Limit != 0:
		return p.Limit
	case trusted:
		return TemplatesMost
	}
	return TemplatesUsual
}

// Held returns how many messages of a paced template go out before the rest is held; -1 when nothing is held.
func (p TemplatePolicy) Held() int {
	if p.Pace == 0 {
		return DefaultPace
	}
	return p.Pace
}

// RejectedReason says why a template was rejected.
type RejectedReason string

// The reasons.
const (
	RejectedNone        RejectedReason = "NONE"
	RejectedAbusive     RejectedReason = "ABUSIVE_CONTENT"
	RejectedFormat      RejectedReason = "INVALID_FORMAT"
	RejectedPromotional RejectedReason = "PROMOTIONAL"
	RejectedScam        RejectedReason = "SCAM"
	RejectedTag         RejectedReason = "TAG_CONTENT_MISMATCH"
	RejectedCategory    RejectedReason = "INCORRECT_CATEGORY"
)

// RejectedReasons returns the reasons with which a template can be rejected.
func RejectedReasons() []RejectedReason {
	return []RejectedReason{RejectedAbusive, RejectedFormat, RejectedPromotional, RejectedScam, RejectedTag, RejectedCategory}
}

// TemplateScore is how customers take a template.
type TemplateScore string

// The scores.
const (
	ScoreUnknown TemplateScore = "UNKNOWN"
	ScoreGreen   TemplateScore = "GREEN"
	ScoreYellow  TemplateScore = "YELLOW"
	ScoreRed     TemplateScore = "RED"
)

// TemplateLife is what review, quality and time have made of a template.
type TemplateLife struct {
	Created  time.Time        `json:"created,omitzero"`
	Changed  time.Time        `json:"changed,omitzero"`
	Approved time.Time        `json:"approved,omitzero"` // for the first time
	Verdict  *TemplateVerdict `json:"verdict,omitempty"` // of the automatic checks on what was submitted last

	Rejected RejectedReason `json:"rejected,omitempty"` // of a rejected one
	Advice   string         `json:"advice,omitempty"`   // to the author of a rejected one

	Previous Category `json:"previous_category,omitempty"` // before it was changed by review
	Correct  Category `json:"correct_category,omitempty"`  // what it will be, after CategoryNotice

	Score  TemplateScore `json:"score,omitempty"` // empty: ScoreUnknown
	Scored time.Time     `json:"scored,omitzero"`
	Since  TemplateUse   `json:"since,omitzero"` // what quality does not count any more: the use before the last pause, of the day it ended
	From   int64         `json:"from,omitempty"` // that day
	Pauses int           `json:"pauses,omitempty"`

	Edits []time.Time    `json:"edits,omitempty"` // of the approved template, in the last EditPeriod
	Pace  *TemplatePace  `json:"pace,omitempty"`  // while messages may be held
	Dues  []TemplateTask `json:"dues,omitempty"`  // what happens by itself, in no order
}

// TemplatePace is the beginning of a template's life, in which it is found out how customers take it.
type TemplatePace struct {
	Sent int  `json:"sent,omitempty"` // messages that went out at once
	Held int  `json:"held,omitempty"` // messages that wait
	Open bool `json:"open,omitempty"` // the first message was sent, and a TaskPace ends it
}

// TemplateTask is something that happens to a template by itself.
type TemplateTask struct {
	What TemplateWork `json:"what"`
	At   time.Time    `json:"at"`
}

// TemplateWork says what happens.
type TemplateWork string

// What can happen to a template by itself.
const (
	TaskReview   TemplateWork = "review"   // the automatic checks' verdict is executed
	TaskUnpause  TemplateWork = "unpause"  // a pause ends
	TaskCategory TemplateWork = "category" // the category changes
	TaskRemove   TemplateWork = "remove"   // the name becomes free
	TaskPace     TemplateWork = "pace"     // what is held is released, or fails
)

// score is never empty.
func (l *TemplateLife) score() TemplateScore {
	if l.Score == "" {
		return ScoreUnknown
	}
	return l.Score
}

// Quality returns the template's score.
func (d *TemplateDef) Quality() TemplateScore { return d.Life.score() }

// Due returns when the next thing happens to the template by itself; zero: nothing does.
func (d *TemplateDef) Due() (at time.Time) {
	for _, t := range d.Life.Dues {
		if at.IsZero() || t.At.Before(at) {
			at = t.At
		}
	}
	return at
}

// plan has something happen at a time, in the place of what was planned of the kind; a zero time cancels it.
func (l *TemplateLife) plan(what TemplateWork, at time.Time) {
	var dues []TemplateTask
	for _, t := range l.Dues {
		if t.What != what {
			dues = append(dues, t)
		}
	}
	if !at.IsZero() {
		dues = append(dues, TemplateTask{what, at})
	}
	l.Dues = dues
}

// take returns whether something of the kind is due, and cancels it.
func (l *TemplateLife) take(what TemplateWork, now time.Time) bool {
	for _, t := range l.Dues {
		if t.What == what && !now.Before(t.At) {
			l.plan(what, time.Time{})
			return true
		}
	}
	return false
}
