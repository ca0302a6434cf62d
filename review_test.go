package kabar_test

import (
	"errors"
	"testing"
	"time"

	"kabar"
)

var reviewBegin = time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC)

func TestVerification(t *testing.T) {
	for _, c := range []struct {
		state    kabar.VerificationState
		do       string // submit, or a decision
		outcome  kabar.Outcome
		becomes  kabar.VerificationState
		refused  kabar.Reason
		reviewed bool
	}{
		{kabar.NotVerified, "submit", kabar.OutcomePending, kabar.VerificationPending, "", false},
		{kabar.VerificationRejected, "submit", kabar.OutcomePending, kabar.VerificationPending, "", false},
		{kabar.VerificationPending, "submit", "", kabar.VerificationPending, kabar.ReasonReviewState, false},
		{kabar.Verified, "submit", "", kabar.Verified, kabar.ReasonReviewState, false},
		{kabar.VerificationPending, "approve", kabar.OutcomeApproved, kabar.Verified, "", true},
		{kabar.NotVerified, "approve", kabar.OutcomeApproved, kabar.Verified, "", true},
		{kabar.VerificationRejected, "approve", kabar.OutcomeApproved, kabar.Verified, "", true},
		{kabar.Verified, "approve", "", kabar.Verified, kabar.ReasonReviewState, false},
		{kabar.VerificationPending, "reject", kabar.OutcomeRejected, kabar.VerificationRejected, "", false},
		{kabar.Verified, "reject", kabar.OutcomeRejected, kabar.VerificationRejected, "", false},
		{kabar.VerificationPending, "defer", kabar.OutcomeDeferred, kabar.VerificationPending, "", false},
		{kabar.NotVerified, "defer", "", kabar.NotVerified, kabar.ReasonReviewState, false},
		{kabar.VerificationPending, "nod", "", kabar.VerificationPending, kabar.ReasonInvalid, false},
	} {
		v := kabar.Verification{State: c.state}
		var outcome kabar.Outcome
		var err error
		if c.do == "submit" {
			outcome, err = v.Submit(reviewBegin)
		} else {
			outcome, err = v.Decide(reviewBegin, kabar.Ruling{Decision: c.do})
		}
		if outcome != c.outcome || v.State != c.becomes || reasonOf(err) != c.refused || v.Reviewed() != c.reviewed || v.At.IsZero() != (err != nil) {
			t.Errorf("%s of what is %s: %+v, %q, %v", c.do, c.state, v, outcome, err)
		}
	}
	v := kabar.Verification{State: kabar.VerificationPending}
	if _, err := v.Decide(reviewBegin, kabar.Ruling{Decision: "reject", Reason: kabar.NameFormat}); reasonOf(err) != kabar.ReasonNotRequired {
		t.Errorf("a reason of names: %v", err)
	}
}

func reasonOf(err error) kabar.Reason {
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		return refused.Reason
	}
	return ""
}

func TestAssessName(t *testing.T) {
	for name, want := range map[string]kabar.NameReason{
		"Toko Sinar":          "",
		"Kopi & Roti 24":      "",
		"Café Zoë":            "",
		"कबर चाय":             "",
		"Booking.example":     "",
		"Meta Kopi":           "",
		"Whatsappen":          "",
		"24/7":                kabar.NameFormat,
		"!!":                  kabar.NameFormat,
		"Toko  Sinar":         kabar.NameFormat,
		" Toko":               kabar.NameFormat,
		"Toko \U0001F600":     kabar.NameFormat,
		"Toko\u200b":          kabar.NameFormat,
		"https://toko.test":   kabar.NameFormat,
		"www.toko.test":       kabar.NameFormat,
		"Meta":                kabar.NameUnrelated,
		"WhatsApp Support":    kabar.NameUnrelated,
		"Toko at (Instagram)": kabar.NameUnrelated,
	} {
		if got := kabar.AssessName(name); got != want {
			t.Errorf("%q: %q, not %q", name, got, want)
		}
	}
	for name, ok := range map[string]bool{"AB": true, "A": false, "  ": false, "A\nB": false, "": false} {
		if err := kabar.CheckName("name", name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A history of names: what is done, and then what customers see, what is asked for, and what is told.
func TestNaming(t *testing.T) {
	manual, auto, delayed := kabar.TemplatePolicy{Review: kabar.ReviewManual}, kabar.TemplatePolicy{Review: kabar.ReviewAuto},
		kabar.TemplatePolicy{Review: kabar.ReviewDelayed, Delay: time.Hour}
	type step struct {
		do      string // a decision, tick, or a name that is submitted; =NAME is set, first is that of a new number
		policy  kabar.TemplatePolicy
		reason  kabar.NameReason
		name    string
		current kabar.NameStatus
		next    kabar.NameStatus
		told    kabar.Outcome // empty: nothing
	}
	for what, steps := range map[string][]step{
		"approved by somebody": {
			{"Satu", manual, "", "Warung", kabar.NameApproved, kabar.NamePending, kabar.OutcomePending},
			{"defer", manual, "", "Warung", kabar.NameApproved, kabar.NamePending, kabar.OutcomeDeferred},
			{"approve", manual, "", "Satu", kabar.NameApproved, kabar.NameNone, kabar.OutcomeApproved}},
		"rejected, and then approved": {
			{"Satu", manual, "", "Warung", kabar.NameApproved, kabar.NamePending, kabar.OutcomePending},
			{"reject", manual, kabar.NamePerson, "Warung", kabar.NameApproved, kabar.NameDeclined, kabar.OutcomeRejected},
			{"approve", manual, "", "Satu", kabar.NameApproved, kabar.NameNone, kabar.OutcomeApproved}},
		"another in its place, and none": {
			{"Satu", manual, "", "Warung", kabar.NameApproved, kabar.NamePending, kabar.OutcomePending},
			{"Dua", manual, "", "Warung", kabar.NameApproved, kabar.NamePending, kabar.OutcomePending},
			{"Warung", manual, "", "Warung", kabar.NameApproved, kabar.NameNone, ""},
			{"Warung", manual, "", "Warung", kabar.NameApproved, kabar.NameNone, ""}},
		"at once": {
			{"Satu", auto, "", "Satu", kabar.NameApproved, kabar.NameNone, kabar.OutcomeApproved},
			{"Meta", auto, "", "Satu", kabar.NameApproved, kabar.NameDeclined, kabar.OutcomeRejected},
			{"=Meta", auto, "", "Meta", kabar.NameApproved, kabar.NameNone, kabar.OutcomeApproved},
			{"=Meta", auto, "", "Meta", kabar.NameApproved, kabar.NameNone, ""}},
		"later": {
			{"Satu", delayed, "", "Warung", kabar.NameApproved, kabar.NamePending, kabar.OutcomePending},
			{"tick", delayed, "", "Satu", kabar.NameApproved, kabar.NameNone, kabar.OutcomeApproved},
			{"Dua", delayed, "", "Satu", kabar.NameApproved, kabar.NamePending, kabar.OutcomePending},
			{"defer", delayed, "", "Satu", kabar.NameApproved, kabar.NamePending, kabar.OutcomeDeferred},
			{"tick", delayed, "", "Satu", kabar.NameApproved, kabar.NamePending, ""}},
		"a new number": {
			{"first", manual, "", "Warung", kabar.NamePending, kabar.NameNone, kabar.OutcomePending},
			{"reject", manual, kabar.NameFormat, "Warung", kabar.NameDeclined, kabar.NameNone, kabar.OutcomeRejected},
			{"Satu", manual, "", "Satu", kabar.NamePending, kabar.NameNone, kabar.OutcomePending},
			{"approve", manual, "", "Satu", kabar.NameApproved, kabar.NameNone, kabar.OutcomeApproved}},
		"a new number that is reviewed at once": {
			{"first", auto, "", "Warung", kabar.NameApproved, kabar.NameNone, kabar.OutcomeApproved}},
	} {
		g, p, now := kabar.Naming{}, kabar.Profile{Name: "Warung"}, reviewBegin
		for i, s := range steps {
			now = now.Add(time.Hour)
			var told []kabar.NameChange
			var err error
			switch {
			case s.do == "tick":
				if early := g.Tick(now.Add(-time.Minute), &p); early != nil {
					t.Errorf("%s, %d: too early: %+v", what, i, early)
				}
				told = g.Tick(now, &p)
			case s.do == "first":
				told = g.First(now, &p, s.policy)
			case s.do[0] == '=':
				told = g.Set(now, &p, s.do[1:])
			case s.do[0] >= 'a':
				told, err = g.Decide(now, &p, kabar.Ruling{Decision: s.do, Reason: s.reason})
			default:
				told = g.Submit(now, &p, s.do, s.policy)
			}
			var outcome kabar.Outcome
			if len(told) == 1 {
				outcome = told[0].Outcome
			}
			if err != nil || len(told) > 1 || p.Name != s.name || g.Current() != s.current || g.New() != s.next || outcome != s.told {
				t.Errorf("%s, %d: %s: %q, %+v, %+v, %v", what, i, s.do, p.Name, g, told, err)
			}
		}
	}
}

func TestRulingsAboutNamesAreRefused(t *testing.T) {
	pending := kabar.Naming{Wanted: "Satu", Next: kabar.NamePending}
	for _, c := range []struct {
		of   kabar.Naming
		r    kabar.Ruling
		want kabar.Reason
	}{
		{kabar.Naming{}, kabar.Ruling{Decision: "approve"}, kabar.ReasonReviewState},
		{kabar.Naming{}, kabar.Ruling{Decision: "reject", Reason: kabar.NameFormat}, kabar.ReasonReviewState},
		{kabar.Naming{Status: kabar.NameDeclined}, kabar.Ruling{Decision: "defer"}, kabar.ReasonReviewState},
		{pending, kabar.Ruling{Decision: "reject"}, kabar.ReasonInvalid},
		{pending, kabar.Ruling{Decision: "reject", Reason: "UGLY"}, kabar.ReasonInvalid},
		{pending, kabar.Ruling{Decision: "approve", Reason: kabar.NameFormat}, kabar.ReasonNotRequired},
		{pending, kabar.Ruling{}, kabar.ReasonInvalid},
	} {
		if _, err := c.of.Decide(reviewBegin, &kabar.Profile{Name: "Warung"}, c.r); reasonOf(err) != c.want {
			t.Errorf("%+v of %+v: %v", c.r, c.of, err)
		}
	}
}

func TestMaxTemplates(t *testing.T) {
	for _, c := range []struct {
		limit   int
		trusted bool
		want    int
	}{{0, false, 250}, {0, true, 6000}, {300, false, 300}, {100, true, 100}} {
		if got := (kabar.TemplatePolicy{Limit: c.limit}).MaxTemplates(c.trusted); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	if l := (kabar.Limits{Tier: kabar.Tier250}).Trusted(); l.Tier != kabar.Tier2K {
		t.Errorf("250 becomes %s", l.Tier)
	}
	for _, tier := range []kabar.Tier{0, kabar.Tier2K, kabar.TierUnlimited} {
		if l := (kabar.Limits{Tier: tier}).Trusted(); l.Tier != tier {
			t.Errorf("%s becomes %s", tier, l.Tier)
		}
	}
}
