package kabar

import (
	"slices"
	"strings"
	"time"
)

// Decision is what a reviewer says of a template.
type Decision struct {
	Decision Verb           `json:"decision"`
	Reason   RejectedReason `json:"reason,omitempty"`   // VerbReject
	Category Category       `json:"category,omitempty"` // VerbRecategorise
	Note     string         `json:"note,omitempty"`     // to the author; up to 1024 characters
}

// Verb is what a reviewer does.
type Verb string

// The verbs.
const (
	VerbApprove      Verb = "approve"
	VerbReject       Verb = "reject"
	VerbPause        Verb = "pause"
	VerbDisable      Verb = "disable"
	VerbRecategorise Verb = "recategorise"
)

// Verbs returns the verbs.
func Verbs() []Verb { return []Verb{VerbApprove, VerbReject, VerbPause, VerbDisable, VerbRecategorise} }

// allowed says in which statuses a template can be decided upon.
func (v Verb) allowed() []TemplateStatus {
	switch v {
	case VerbApprove:
		return []TemplateStatus{TemplatePending, TemplateInAppeal, TemplateRejected, TemplatePaused, TemplateDisabled, TemplateArchived}
	case VerbReject:
		return []TemplateStatus{TemplatePending, TemplateInAppeal, TemplateApproved, TemplatePaused}
	case VerbPause:
		return []TemplateStatus{TemplateApproved}
	case VerbDisable:
		return []TemplateStatus{TemplatePending, TemplateInAppeal, TemplateApproved, TemplatePaused, TemplateRejected}
	case VerbRecategorise:
		return []TemplateStatus{TemplatePending, TemplateInAppeal, TemplateApproved, TemplatePaused, TemplateRejected}
	}
	return nil
}

// Allows reports whether a template in a status can be decided upon in this way.
func (v Verb) Allows(s TemplateStatus) bool { return slices.Contains(v.allowed(), s) }

// check checks the form of a decision.
func (v Decision) check() error {
	switch {
	case !slices.Contains(Verbs(), v.Decision):
		return fault(ReasonInvalid, "decision", "is %q, allowed are %v", v.Decision, Verbs())
	case v.Decision == VerbReject && !slices.Contains(RejectedReasons(), v.Reason):
		return fault(ReasonInvalid, "reason", "is %q, allowed are %v", v.Reason, RejectedReasons())
	case v.Decision != VerbReject && v.Reason != "":
		return fault(ReasonNotRequired, "reason", "belongs to reject")
	case v.Decision == VerbRecategorise && v.Category != CategoryMarketing && v.Category != CategoryUtility:
		return fault(ReasonInvalid, "category", "is %q, allowed are MARKETING and UTILITY", v.Category.Graph())
	case v.Decision != VerbRecategorise && v.Category != "":
		return fault(ReasonNotRequired, "category", "belongs to recategorise")
	}
	return checkMax("note", v.Note, MaxTemplateText)
}

// Decide executes a reviewer's decision. One that the template's status does not allow is ReasonTemplateState.
func (d *TemplateDef) Decide(now time.Time, v Decision) ([]TemplateChange, error) {
	v.Category = Category(strings.ToLower(string(v.Category)))
	if err := v.check(); err != nil {
		return nil, err
	}
	if allowed := v.Decision.allowed(); !v.Decision.Allows(d.Status) {
		return nil, fault(ReasonTemplateState, "decision", "is %q, and the template is %s; it must be one of %v", v.Decision, d.Status, allowed)
	}
	switch v.Decision {
	case VerbApprove:
		return d.approve(now), nil
	case VerbReject:
		return d.reject(now, v.Reason, v.Note), nil
	case VerbPause:
		c := d.become(TemplatePaused, now)
		c.Description = v.Note
		return []TemplateChange{c}, nil
	case VerbDisable:
		c := d.become(TemplateDisabled, now)
		c.Title, c.Description, c.At = TitleDisabled, v.Note, now
		d.Life.Dues = nil
		return []TemplateChange{c}, nil
	case VerbRecategorise:
		return d.recategorise(now, v.Category)
	}
	return nil, nil
}

func (d *TemplateDef) approve(now time.Time) []TemplateChange {
	was := d.Status
	c := d.become(TemplateApproved, now)
	switch was {
	case TemplatePaused:
		c.Title = TitleUnpause
	case TemplateDisabled:
		c.Event, d.Life.Pauses = EventReinstated, 0
	default: // for the first time, or again after an edit
	}
	d.paced()
	return []TemplateChange{c}
}

func (d *TemplateDef) reject(now time.Time, why RejectedReason, advice string) []TemplateChange {
	c := d.become(TemplateRejected, now)
	d.Life.Rejected, d.Life.Advice = why, advice
	d.Life.plan(TaskReview, time.Time{})
	d.Life.plan(TaskUnpause, time.Time{})
	c.Reason, c.Advice = why, advice
	return []TemplateChange{c}
}

// recategorise changes the category: at once of what is not in use, and otherwise after a notice.
func (d *TemplateDef) recategorise(now time.Time, to Category) ([]TemplateChange, error) {
	if d.Category == to {
		return nil, fault(ReasonInvalid, "category", "is %s already", to.Graph())
	}
	if d.Category == CategoryAuthentication {
		return nil, fault(ReasonInvalid, "category", "of a template for one-time passwords cannot be changed")
	}
	d.Life.Changed = now
	if d.Status == TemplateApproved || d.Status == TemplatePaused {
		d.Life.Correct = to
		d.Life.plan(TaskCategory, now.Add(CategoryNotice))
		c := d.change(NewsCategory)
		c.Correct, c.At = to, now.Add(CategoryNotice)
		return []TemplateChange{c}, nil
	}
	return []TemplateChange{d.moved(to)}, nil
}

// moved gives the template another category.
func (d *TemplateDef) moved(to Category) TemplateChange {
	d.Life.Previous, d.Category, d.Life.Correct = d.Category, to, ""
	c := d.change(NewsCategory)
	c.Previous = d.Life.Previous
	return c
}
