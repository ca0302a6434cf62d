package kabar

import (
	"fmt"
	"slices"
	"time"
)

// Reasons of refused changes of templates. No call of /v1 can meet them.
const (
	ReasonTemplateFaults   Reason = "template has faults" // TemplateFaults says which
	ReasonTemplateState    Reason = "template cannot be changed in its status"
	ReasonTemplateEdits    Reason = "template was edited too often"
	ReasonTemplateExists   Reason = "there is such a template already"
	ReasonTemplateDeleting Reason = "a template of this name was deleted lately"
	ReasonTemplateLimit    Reason = "limit of templates reached"
	ReasonTemplateHaste    Reason = "too many templates in an hour"
)

// TemplateChange is what is told of a change of a template: the snapshot of an event. Which of the kinds it is says Kind.
type TemplateChange struct {
	Kind     TemplateNews   `json:"kind"`
	ID       TemplateID     `json:"id"`
	Name     string         `json:"name"`
	Language string         `json:"language"`
	Category Category       `json:"category"`
	Status   TemplateStatus `json:"status"`

	// NewsStatus.
	Event       string         `json:"event,omitempty"` // the status, or REINSTATED
	Reason      RejectedReason `json:"reason,omitempty"`
	Advice      string         `json:"advice,omitempty"`      // with RejectedFormat: what to do
	Title       string         `json:"title,omitempty"`       // FIRST_PAUSE, SECOND_PAUSE, UNPAUSE, DISABLED…
	Description string         `json:"description,omitempty"` // for people

	Before TemplateScore `json:"before,omitempty"` // NewsQuality
	Score  TemplateScore `json:"score,omitempty"`

	// NewsCategory: before it happens Correct and At, afterwards Previous.
	Previous Category  `json:"previous_category,omitempty"`
	Correct  Category  `json:"correct_category,omitempty"`
	At       time.Time `json:"at,omitzero"`

	Components []TemplateComponent `json:"components,omitempty"` // NewsComponents
}

// TemplateNews is what a TemplateChange is about.
type TemplateNews string

// The kinds of changes.
const (
	NewsStatus     TemplateNews = "status"
	NewsQuality    TemplateNews = "quality"
	NewsCategory   TemplateNews = "category"
	NewsComponents TemplateNews = "components"
)

// Titles of a change of status, beside the status itself.
const (
	TitleFirstPause  = "FIRST_PAUSE"
	TitleSecondPause = "SECOND_PAUSE"
	TitlePacing      = "RATE_LIMITING_PAUSE"
	TitleUnpause     = "UNPAUSE"
	TitleDisabled    = "DISABLED"
	EventReinstated  = "REINSTATED"
)

func (d *TemplateDef) change(kind TemplateNews) TemplateChange {
	return TemplateChange{Kind: kind, ID: d.ID, Name: d.Name, Language: d.Language, Category: d.Category, Status: d.Status}
}

// become gives the template a status and says so.
func (d *TemplateDef) become(s TemplateStatus, now time.Time) TemplateChange {
	d.Status, d.Life.Changed = s, now
	c := d.change(NewsStatus)
	c.Event = string(s)
	if s == TemplateApproved {
		d.Life.Rejected, d.Life.Advice = "", ""
		d.Life.plan(TaskReview, time.Time{})
		d.Life.plan(TaskUnpause, time.Time{})
		if d.Life.Approved.IsZero() {
			d.Life.Approved = now
		}
	}
	return c
}

// Submit puts a new or edited template before review: it is pending until Decide or Tick. A utility template that promotes is
// marketing from here on.
func (d *TemplateDef) Submit(now time.Time, p TemplatePolicy, v *TemplateVerdict) []TemplateChange {
	if d.Life.Created.IsZero() {
		d.Life.Created = now
	}
	if v.Category != "" && v.Category != d.Category {
		d.Life.Previous, d.Category = d.Category, v.Category
	}
	d.Life.Verdict = v
	d.Life.Rejected, d.Life.Advice = "", ""
	d.Life.plan(TaskUnpause, time.Time{})
	d.Life.plan(TaskReview, p.reviewAt(now))
	return []TemplateChange{d.become(TemplatePending, now)}
}

// reviewAt returns when the automatic checks decide by themselves; zero: never.
func (p TemplatePolicy) reviewAt(now time.Time) time.Time {
	switch p.Review {
	case ReviewAuto:
		return now.Add(ReviewMoment)
	case ReviewDelayed:
		if p.Delay > 0 {
			return now.Add(p.Delay)
		}
		return now.Add(ReviewDelay)
	default: // an operator decides
		return time.Time{}
	}
}

// TemplateEdit is what an author changes; nil and zero leave things as they are.
type TemplateEdit struct {
	Category   Category
	Components []TemplateComponent
	TTL        *int
}

// Edit changes the template, which Submit then has to put before review when its components or its category have changed:
// review says so. Only an approved, rejected or paused one can be edited (ReasonTemplateState); the category of an approved
// one is fixed, and it can be edited once a day and MaxEdits times in EditPeriod (ReasonTemplateEdits).
func (d *TemplateDef) Edit(now time.Time, e TemplateEdit) (changes []TemplateChange, review bool, err error) {
	if d.Status != TemplateApproved && d.Status != TemplateRejected && d.Status != TemplatePaused {
		return nil, false, fault(ReasonTemplateState, "", "is %s; only an APPROVED, REJECTED or PAUSED template can be edited", d.Status)
	}
	if d.Status == TemplateApproved {
		if e.Category != "" && e.Category != d.Category {
			return nil, false, fault(ReasonTemplateState, "category", "of an approved template cannot be changed")
		}
		if err := d.countEdit(now); err != nil {
			return nil, false, err
		}
	}
	if e.TTL != nil {
		d.TTL = *e.TTL
	}
	if e.Category != "" && e.Category != d.Category {
		d.Category, review = e.Category, true
	}
	d.Life.Changed = now
	if e.Components != nil {
		d.Components, review = e.Components, true
		d.Compose()
		c := d.change(NewsComponents)
		c.Components = d.Components
		changes = append(changes, c)
	}
	return changes, review, nil
}

// countEdit notes an edit of an approved template, if there may be one.
func (d *TemplateDef) countEdit(now time.Time) error {
	edits := slices.DeleteFunc(slices.Clone(d.Life.Edits), func(t time.Time) bool { return !now.Before(t.Add(EditPeriod)) })
	if n := len(edits); n > 0 && now.Before(edits[n-1].Add(EditEvery)) {
		return &Error{Reason: ReasonTemplateEdits, Detail: "An approved template can be edited once in 24 hours.", After: edits[n-1].Add(EditEvery).Sub(now)}
	}
	if len(edits) >= MaxEdits {
		return &Error{Reason: ReasonTemplateEdits, Detail: fmt.Sprintf("An approved template can be edited %d times in 30 days.", MaxEdits),
			After: edits[0].Add(EditPeriod).Sub(now)}
	}
	d.Life.Edits = append(edits, now)
	return nil
}

// Delete deletes the template. The name of one that was approved is kept for NameKept, as a template with the status
// TemplateDeleted, or TemplatePendingDeletion while messages of it are under way; of another nothing stays, and gone is true.
func (d *TemplateDef) Delete(now time.Time, underWay bool) (changes []TemplateChange, gone bool, err error) {
	if d.Status == TemplateDisabled {
		return nil, false, fault(ReasonTemplateState, "", "is DISABLED; such a template cannot be deleted")
	}
	if d.Status == TemplateDeleted || d.Status == TemplatePendingDeletion {
		return nil, false, fault(ReasonNotFound, "", "there is no such template")
	}
	approved := !d.Life.Approved.IsZero() || d.Status == TemplateApproved || d.Status == TemplatePaused // an imported one was elsewhere
	status := TemplateDeleted
	if underWay {
		status = TemplatePendingDeletion
	}
	c := d.become(status, now)
	d.Life.Dues, d.Life.Correct = nil, ""
	if !approved && !underWay {
		return []TemplateChange{c}, true, nil
	}
	d.Life.plan(TaskRemove, now.Add(NameKept))
	return []TemplateChange{c}, false, nil
}

// Tick executes what is due at now, but for TaskPace, which is for who knows the messages. Gone says that the template is to be
// forgotten.
func (d *TemplateDef) Tick(now time.Time) (changes []TemplateChange, gone bool) {
	if d.Life.take(TaskReview, now) && d.Status == TemplatePending {
		if v := d.Life.Verdict; v == nil || v.Reject == "" {
			changes = append(changes, d.approve(now)...)
		} else {
			changes = append(changes, d.reject(now, v.Reject, v.Advice)...)
		}
	}
	if d.Life.take(TaskUnpause, now) && d.Status == TemplatePaused {
		changes = append(changes, d.approve(now)...)
	}
	if d.Life.take(TaskCategory, now) && d.Life.Correct != "" {
		d.Life.Changed = now
		changes = append(changes, d.moved(d.Life.Correct))
	}
	if d.Life.take(TaskRemove, now) {
		if d.Status == TemplatePendingDeletion {
			changes = append(changes, d.become(TemplateDeleted, now))
		}
		gone = true
	}
	return changes, gone
}
