package kabar

import "time"

// Reviews of what a business says of itself: who it is (Verification), and how its numbers want to be called (Naming). Templates
// have a review of their own (Decision).

// ReasonReviewState refuses a ruling about what is not before review. No call of /v1 can meet it.
const ReasonReviewState Reason = "is not before review"

// Outcome is what has become of something that was put before review, in the words of webhooks (contract Cloud API, section 2.3).
type Outcome string

// The outcomes.
const (
	OutcomePending  Outcome = "PENDING" // it was put before review
	OutcomeApproved Outcome = "APPROVED"
	OutcomeRejected Outcome = "REJECTED"
	OutcomeDeferred Outcome = "DEFERRED" // looked at, and still pending
)

// Ruling is what a reviewer says of a business, or of a name.
type Ruling struct {
	Decision string     `json:"decision"`         // RuleApprove, RuleReject or RuleDefer
	Reason   NameReason `json:"reason,omitempty"` // of a name that is rejected
	Note     string     `json:"note,omitempty"`   // to whom it is about; up to 1024 characters
}

// What a reviewer can say.
const (
	RuleApprove = "approve"
	RuleReject  = "reject"
	RuleDefer   = "defer"
)

// outcome is what a ruling comes to.
func (r Ruling) outcome() (Outcome, error) {
	if err := checkMax("note", r.Note, MaxTemplateText); err != nil {
		return "", err
	}
	switch r.Decision {
	case RuleApprove:
		return OutcomeApproved, nil
	case RuleReject:
		return OutcomeRejected, nil
	case RuleDefer:
		return OutcomeDeferred, nil
	}
	return "", fault(ReasonInvalid, "decision", "is %.20q, allowed are approve, reject and defer", r.Decision)
}

// VerificationState says whether it is known who a business is.
type VerificationState string

// The states.
const (
	NotVerified          VerificationState = "not_verified"
	VerificationPending  VerificationState = "pending"
	Verified             VerificationState = "verified"
	VerificationRejected VerificationState = "rejected"
)

// Verification is how far the verification of an account's business is.
type Verification struct {
	State VerificationState
	At    time.Time // when it came to be so; zero: it has been from the beginning
	Note  string    // of whoever has decided
}

// Reviewed reports whether somebody has looked at the business and found it to be who it says.
func (v Verification) Reviewed() bool { return v.State == Verified && !v.At.IsZero() }

// Review is what the account's review has come to: it is one with the verification.
func (v Verification) Review() Outcome {
	switch v.State {
	case Verified:
		return OutcomeApproved
	case VerificationRejected:
		return OutcomeRejected
	default: // nobody has decided yet
		return OutcomePending
	}
}

// Submit puts the business before review.
func (v *Verification) Submit(now time.Time) (Outcome, error) {
	if v.State == VerificationPending || v.State == Verified {
		return "", fault(ReasonReviewState, "", "the account is %s", v.State)
	}
	*v = Verification{State: VerificationPending, At: now}
	return OutcomePending, nil
}

// Decide executes a ruling, which need not have been asked for; only what is pending can be deferred.
func (v *Verification) Decide(now time.Time, r Ruling) (Outcome, error) {
	outcome, err := r.outcome()
	if err != nil {
		return "", err
	}
	if r.Reason != "" {
		return "", fault(ReasonNotRequired, "reason", "belongs to a name that is rejected: say why in the note")
	}
	next := Verification{State: v.State, At: now, Note: r.Note}
	switch outcome {
	case OutcomeApproved:
		next.State = Verified
	case OutcomeRejected:
		next.State = VerificationRejected
	default: // deferred
		if v.State != VerificationPending {
			return "", fault(ReasonReviewState, "decision", "is defer, and the account is %s", v.State)
		}
	}
	if next.State == v.State && outcome != OutcomeDeferred {
		return "", fault(ReasonReviewState, "decision", "is %s, and the account is %s already", r.Decision, v.State)
	}
	*v = next
	return outcome, nil
}
