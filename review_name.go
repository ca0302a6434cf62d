package kabar

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// NameStatus is how far the review of a number's name is (contract Cloud API, section 1.6).
type NameStatus string

// The statuses. Certificates, which expire, are not given here.
const (
	NameApproved NameStatus = "APPROVED"
	NamePending  NameStatus = "PENDING_REVIEW"
	NameDeclined NameStatus = "DECLINED"
	NameNone     NameStatus = "NONE" // of a new name: none was asked for
)

// NameReason says why a name was rejected.
type NameReason string

// The reasons.
const (
	NamePerson       NameReason = "NAME_EMPLOYEE_ISSUE"       // it is a person's
	NameIndividual   NameReason = "NAME_INDIVIDUAL_ISSUE"     // the same
	NameUnrelated    NameReason = "NAME_ENDCLIENT_NOTRELATED" // it is another business's
	NameFormat       NameReason = "NAME_FORMAT_UNACCEPTABLE"
	NameInconsistent NameReason = "NAME_NOT_CONSISTENT" // with what else the business is called
)

// NameReasons returns the reasons.
func NameReasons() []NameReason {
	return []NameReason{NamePerson, NameIndividual, NameUnrelated, NameFormat, NameInconsistent}
}

// How long the name of a business may be, in characters.
const (
	MinName = 2
	MaxName = 75
)

// CheckName refuses what cannot be put before review.
func CheckName(field, name string) error {
	if n := utf8.RuneCountInString(name); n < MinName || n > MaxName || strings.TrimSpace(name) == "" || !utf8.ValidString(name) ||
		strings.ContainsFunc(name, unicode.IsControl) {
		return fault(ReasonInvalid, field, "must have %d to %d characters on one line", MinName, MaxName)
	}
	return nil
}

// AssessName is the automatic review of a name: why it is rejected, or nothing. Whose name it is no rule can know.
func AssessName(name string) NameReason {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
	switch {
	case len(words) == 0, name != strings.Join(strings.Fields(name), " "), strings.ContainsFunc(name, notForNames), isAddress(name):
		return NameFormat
	case slices.ContainsFunc(words, func(w string) bool { return w == "whatsapp" || w == "facebook" || w == "instagram" }),
		len(words) == 1 && words[0] == "meta":
		return NameUnrelated
	}
	return ""
}

// notForNames reports whether a character is neither read nor written: a picture, or one that cannot be seen.
func notForNames(r rune) bool { return unicode.In(r, unicode.So, unicode.Cf, unicode.Co) }

// isAddress reports whether a name is the address of a page. A host by itself may be what a business is called.
func isAddress(name string) bool {
	lower := strings.ToLower(name)
	return strings.Contains(lower, "://") || strings.HasPrefix(lower, "www.")
}

// Naming is how far the review of a number's names is. The zero value is that of a number whose name an operator has given.
type Naming struct {
	Status NameStatus `json:"status,omitempty"` // of the name in the profile; empty: NameApproved
	Wanted string     `json:"wanted,omitempty"` // the name that is to take its place; empty: none is
	Next   NameStatus `json:"next,omitempty"`   // of Wanted
	Reason NameReason `json:"reason,omitempty"` // of what was declined last
	Note   string     `json:"note,omitempty"`   // of whoever has decided
	At     time.Time  `json:"at,omitzero"`      // when something of this was last otherwise
	Due    time.Time  `json:"due,omitzero"`     // when the automatic review decides; zero: somebody does
}

// Approved reports whether customers may see the name in the profile, without which nothing is sent.
func (g *Naming) Approved() bool { return g.Status == "" || g.Status == NameApproved }

// Current is the status of the name in the profile.
func (g *Naming) Current() NameStatus {
	if g.Approved() {
		return NameApproved
	}
	return g.Status
}

// New is the status of the name that was asked for in its place.
func (g *Naming) New() NameStatus {
	if g.Wanted == "" {
		return NameNone
	}
	return g.Next
}

// Pending reports whether a name waits for a decision.
func (g *Naming) Pending() bool { return g.Status == NamePending || g.New() == NamePending }

// Asked returns the name that the review is about: the one that is to come, or the one there is.
func (g *Naming) Asked(p *Profile) string {
	if g.Wanted != "" {
		return g.Wanted
	}
	return p.Name
}

// NameChange is what is told of a name.
type NameChange struct {
	Name    string     `json:"name"`
	Outcome Outcome    `json:"outcome"`
	Reason  NameReason `json:"reason,omitempty"` // OutcomeRejected
}

// Submit puts a name before review, in the place of whatever was before it. Until a first name is approved another one takes its
// place; afterwards customers see the old one until the new one is approved. To want the present name is to want no other.
func (g *Naming) Submit(now time.Time, p *Profile, name string, policy TemplatePolicy) []NameChange {
	next := Naming{Status: g.Status, At: now}
	if g.Approved() && name == p.Name {
		if g.Wanted != "" {
			*g = next
		}
		return nil
	}
	if g.Approved() {
		next.Wanted, next.Next = name, NamePending
	} else {
		p.Name, next.Status = name, NamePending
	}
	*g = next
	if policy.Review == ReviewAuto {
		return []NameChange{g.assess(now, p)}
	}
	g.Due = policy.reviewAt(now)
	return []NameChange{{Name: name, Outcome: OutcomePending}}
}

// First puts the name that a number is added with before review.
func (g *Naming) First(now time.Time, p *Profile, policy TemplatePolicy) []NameChange {
	g.Status = NamePending
	return g.Submit(now, p, p.Name, policy)
}

// Set gives the number a name that needs no review.
func (g *Naming) Set(now time.Time, p *Profile, name string) []NameChange {
	if name == p.Name && g.Approved() && g.Wanted == "" {
		return nil
	}
	p.Name, *g = name, Naming{At: now}
	return []NameChange{{Name: name, Outcome: OutcomeApproved}}
}

// Tick executes the automatic review when it is due.
func (g *Naming) Tick(now time.Time, p *Profile) []NameChange {
	if !g.Pending() || g.Due.IsZero() || now.Before(g.Due) {
		return nil
	}
	return []NameChange{g.assess(now, p)}
}

// Decide executes a ruling about the name that is pending, or was declined.
func (g *Naming) Decide(now time.Time, p *Profile, r Ruling) ([]NameChange, error) {
	outcome, err := r.outcome()
	switch {
	case err != nil:
		return nil, err
	case outcome == OutcomeRejected && !slices.Contains(NameReasons(), r.Reason):
		return nil, fault(ReasonInvalid, "reason", "is %.40q, allowed are %s", string(r.Reason), WordsOf(NameReasons()))
	case outcome != OutcomeRejected && r.Reason != "":
		return nil, fault(ReasonNotRequired, "reason", "belongs to reject")
	case !g.Pending() && (outcome != OutcomeApproved || g.Approved() && g.Wanted == ""):
		return nil, fault(ReasonReviewState, "", "the name %q is not pending", g.Asked(p))
	}
	return []NameChange{g.become(now, p, outcome, r.Reason, r.Note)}, nil
}

// assess executes the automatic review.
func (g *Naming) assess(now time.Time, p *Profile) NameChange {
	if why := AssessName(g.Asked(p)); why != "" {
		return g.become(now, p, OutcomeRejected, why, "")
	}
	return g.become(now, p, OutcomeApproved, "", "")
}

// become executes an outcome. What is deferred no longer decides itself.
func (g *Naming) become(now time.Time, p *Profile, o Outcome, why NameReason, note string) NameChange {
	c := NameChange{Name: g.Asked(p), Outcome: o, Reason: why}
	next := Naming{Status: g.Status, Wanted: g.Wanted, Next: g.Next, Reason: why, Note: note, At: now}
	switch {
	case o == OutcomeApproved:
		p.Name = c.Name
		next = Naming{Note: note, At: now}
	case o == OutcomeRejected && g.Wanted != "":
		next.Next = NameDeclined
	case o == OutcomeRejected:
		next.Status = NameDeclined
	}
	*g = next
	return c
}
