package kabar

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2031, 5, 3, 12, 0, 0, 0, time.UTC)

// news says in short what changes tell.
func news(all []TemplateChange) string {
	var parts []string
	for _, c := range all {
		s := string(c.Kind) + " " + c.Event + string(c.Score) + string(c.Correct) + string(c.Previous)
		if c.Reason != "" {
			s += " " + string(c.Reason)
		}
		if c.Title != "" {
			s += " " + c.Title
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}

// pending is a template before review.
func pending(t *testing.T, p TemplatePolicy) *TemplateDef {
	t.Helper()
	d := draft(t, "text")
	d.Status = TemplatePending
	if got := news(d.Submit(noon, p, d.Assess(nil))); got != "status PENDING" {
		t.Fatalf("submitted: %s", got)
	}
	return d
}

func TestReviewModes(t *testing.T) {
	for _, tt := range []struct {
		policy TemplatePolicy
		after  time.Duration // when the automatic checks decide; 0: never
	}{
		{TemplatePolicy{Review: ReviewManual}, 0},
		{TemplatePolicy{}, 0},
		{TemplatePolicy{Review: ReviewAuto}, ReviewMoment},
		{TemplatePolicy{Review: ReviewDelayed}, ReviewDelay},
		{TemplatePolicy{Review: ReviewDelayed, Delay: time.Hour}, time.Hour},
	} {
		d := pending(t, tt.policy)
		if tt.after == 0 {
			if !d.Due().IsZero() {
				t.Errorf("%+v: decided at %v", tt.policy, d.Due())
			}
			continue
		}
		if got, _ := d.Tick(noon.Add(tt.after - 1)); got != nil || d.Status != TemplatePending {
			t.Errorf("%+v: too early, %s", tt.policy, news(got))
		}
		if got, _ := d.Tick(noon.Add(tt.after)); news(got) != "status APPROVED" || !d.Due().IsZero() {
			t.Errorf("%+v: %s", tt.policy, news(got))
		}
	}
	d := draft(t, "media")
	d.Components[1].Text = "Tell us your password."
	d.Submit(noon, TemplatePolicy{Review: ReviewAuto}, d.Assess(nil))
	if got, _ := d.Tick(noon.Add(ReviewMoment)); news(got) != "status REJECTED SCAM" || d.Life.Advice == "" {
		t.Errorf("a bad one: %s", news(got))
	}
}

// Every verb in every status: what it makes of it, or nothing.
func TestDecide(t *testing.T) {
	reject := Decision{Decision: VerbReject, Reason: RejectedAbusive}
	for _, tt := range []struct {
		v    Decision
		want map[TemplateStatus]string
	}{
		{Decision{Decision: VerbApprove}, map[TemplateStatus]string{TemplatePending: "status APPROVED", TemplateInAppeal: "status APPROVED",
			TemplateRejected: "status APPROVED", TemplatePaused: "status APPROVED UNPAUSE", TemplateDisabled: "status REINSTATED", TemplateArchived: "status APPROVED"}},
		{reject, map[TemplateStatus]string{TemplatePending: "status REJECTED ABUSIVE_CONTENT", TemplateInAppeal: "status REJECTED ABUSIVE_CONTENT",
			TemplateApproved: "status REJECTED ABUSIVE_CONTENT", TemplatePaused: "status REJECTED ABUSIVE_CONTENT"}},
		{Decision{Decision: VerbPause}, map[TemplateStatus]string{TemplateApproved: "status PAUSED"}},
		{Decision{Decision: VerbDisable}, map[TemplateStatus]string{TemplatePending: "status DISABLED DISABLED", TemplateInAppeal: "status DISABLED DISABLED",
			TemplateApproved: "status DISABLED DISABLED", TemplatePaused: "status DISABLED DISABLED", TemplateRejected: "status DISABLED DISABLED"}},
		{Decision{Decision: VerbRecategorise, Category: "MARKETING"}, map[TemplateStatus]string{TemplatePending: "category utility", TemplateInAppeal: "category utility",
			TemplateRejected: "category utility", TemplateApproved: "category marketing", TemplatePaused: "category marketing"}},
	} {
		for _, s := range TemplateStatuses() {
			d := draft(t, "text")
			d.Status = s
			got, err := d.Decide(noon, tt.v)
			if want := tt.want[s]; news(got) != want {
				t.Errorf("%s of %s: %q, %v; want %q", tt.v.Decision, s, news(got), err, want)
			} else if want == "" {
				wantError(t, err, ReasonTemplateState, "decision")
			}
		}
	}
	for field, v := range map[string]Decision{
		"decision": {Decision: "praise"}, "reason": {Decision: VerbReject}, "category": {Decision: VerbRecategorise, Category: "AUTHENTICATION"},
		"note": {Decision: VerbPause, Note: strings.Repeat("x", 1025)},
	} {
		_, err := draft(t, "text").Decide(noon, v)
		wantError(t, err, ReasonInvalid, field)
	}
}

func TestRecategoriseInUse(t *testing.T) {
	d := draft(t, "text")
	if _, err := d.Decide(noon, Decision{Decision: VerbRecategorise, Category: CategoryMarketing}); err != nil || d.Category != CategoryUtility {
		t.Fatalf("%s, %v", d.Category, err)
	}
	got, _ := d.Tick(noon.Add(CategoryNotice))
	if news(got) != "category utility" || d.Category != CategoryMarketing || d.Life.Previous != CategoryUtility || d.Life.Correct != "" {
		t.Errorf("%s: %+v", news(got), d.Life)
	}
}

func TestEdit(t *testing.T) {
	body := []TemplateComponent{{Type: TemplateBody, Text: "Another text."}}
	for _, s := range TemplateStatuses() {
		d := draft(t, "text")
		d.Status = s
		got, review, err := d.Edit(noon, TemplateEdit{Components: body})
		if s == TemplateApproved || s == TemplateRejected || s == TemplatePaused {
			if news(got) != "components " || !review || err != nil {
				t.Errorf("%s: %s, %v, %v", s, news(got), review, err)
			}
		} else {
			wantError(t, err, ReasonTemplateState, "")
		}
	}
	d := draft(t, "text")
	_, _, err := d.Edit(noon, TemplateEdit{Category: CategoryMarketing})
	wantError(t, err, ReasonTemplateState, "category")
	edit := func(after time.Duration) error {
		_, _, err := d.Edit(noon.Add(after), TemplateEdit{Components: body})
		d.Status = TemplateApproved
		return err
	}
	for i := range MaxEdits {
		if err := edit(time.Duration(i) * EditEvery); err != nil {
			t.Fatal(err)
		}
		wantError(t, edit(time.Duration(i+1)*EditEvery-1), ReasonTemplateEdits, "")
	}
	wantError(t, edit(EditPeriod-1), ReasonTemplateEdits, "")
	if err := edit(EditPeriod); err != nil {
		t.Error(err)
	}
	ttl := 60
	d.Status = TemplateRejected
	if got, review, err := d.Edit(noon, TemplateEdit{TTL: &ttl}); news(got) != "" || review || err != nil || d.TTL != 60 {
		t.Errorf("of the ttl alone: %s, %v, %v", news(got), review, err)
	}
}

func TestDelete(t *testing.T) {
	d := pending(t, TemplatePolicy{})
	if got, gone, err := d.Delete(noon, false); news(got) != "status DELETED" || !gone || err != nil {
		t.Errorf("never approved: %s, %v, %v", news(got), gone, err)
	}
	for _, busy := range []bool{false, true} {
		d = pending(t, TemplatePolicy{Review: ReviewAuto})
		d.Tick(noon.Add(time.Hour))
		got, gone, err := d.Delete(noon, busy)
		want, then := "status DELETED", ""
		if busy {
			want, then = "status PENDING_DELETION", "status DELETED"
		}
		if news(got) != want || gone || err != nil {
			t.Errorf("approved: %s, %v, %v", news(got), gone, err)
		}
		_, _, err = d.Delete(noon, false)
		wantError(t, err, ReasonNotFound, "")
		if got, gone := d.Tick(noon.Add(NameKept - 1)); news(got) != "" || gone {
			t.Errorf("within 30 days: %s, %v", news(got), gone)
		}
		if got, gone := d.Tick(noon.Add(NameKept)); news(got) != then || !gone {
			t.Errorf("after 30 days: %s, %v", news(got), gone)
		}
	}
	d = draft(t, "text")
	d.Status = TemplateDisabled
	_, _, err := d.Delete(noon, false)
	wantError(t, err, ReasonTemplateState, "")
}

func TestScore(t *testing.T) {
	for _, tt := range []struct {
		u    TemplateUse
		want TemplateScore
	}{
		{TemplateUse{Delivered: 99, Blocked: 99}, ScoreUnknown},
		{TemplateUse{Delivered: 100, Read: 50}, ScoreGreen},
		{TemplateUse{Delivered: 100, Read: 4}, ScoreYellow},
		{TemplateUse{Delivered: 100, Read: 50, Blocked: 2}, ScoreYellow},
		{TemplateUse{Delivered: 100, Read: 50, Blocked: 5}, ScoreRed},
	} {
		if got := ScoreOf(tt.u); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.u, got, tt.want)
		}
	}
}

// Bad quality pauses for three hours, then for six, then for ever; what lies before a pause does not count again.
func TestPauses(t *testing.T) {
	d, now := draft(t, "text"), noon
	bad := TemplateUse{Delivered: 200, Read: 150, Blocked: 20}
	days := map[int64]TemplateUse{}
	for i, want := range []string{"quality RED, status PAUSED FIRST_PAUSE", "quality RED, status PAUSED SECOND_PAUSE", "quality RED, status DISABLED DISABLED"} {
		u := days[DayOf(now)]
		u.Add(bad)
		days[DayOf(now)] = u
		if got := news(d.Rate(now, days)); got != want {
			t.Fatalf("%d: %s, want %s", i, got, want)
		}
		if i == 2 {
			break
		}
		pause := []time.Duration{FirstPause, SecondPause}[i]
		if got, _ := d.Tick(now.Add(pause - 1)); got != nil {
			t.Errorf("too early: %s", news(got))
		}
		now = now.Add(pause)
		if got, _ := d.Tick(now); news(got) != "status APPROVED UNPAUSE" || d.Life.Pace == nil {
			t.Errorf("after the pause: %s", news(got))
		}
		if got := news(d.Rate(now, days)); got != "quality UNKNOWN" {
			t.Errorf("right after the pause: %s", got)
		}
	}
	if !d.Due().IsZero() {
		t.Error("a disabled template comes back by itself")
	}
}

func TestPacing(t *testing.T) {
	policy := TemplatePolicy{Review: ReviewAuto, Pace: 3}
	paced := func() *TemplateDef {
		d := draft(t, "media")
		d.Submit(noon, policy, d.Assess(nil))
		d.Tick(noon.Add(ReviewMoment))
		return d
	}
	d := paced()
	var held []bool
	for range 5 {
		held = append(held, d.Paced(noon, policy))
	}
	if fmt.Sprint(held) != "[false false false true true]" || d.Life.Pace.Held != 2 {
		t.Fatalf("held %v, %+v", held, d.Life.Pace)
	}
	if _, over, _ := d.PaceOver(noon.Add(PaceFor-1), nil); over {
		t.Error("decided too early")
	}
	good := *d
	if got, over, ok := good.PaceOver(noon.Add(PaceFor), map[int64]TemplateUse{DayOf(noon): {Delivered: 3, Read: 1}}); !over || !ok || got != nil || good.Life.Pace != nil {
		t.Errorf("good: %s, %v, %v", news(got), over, ok)
	}
	if got, over, ok := d.PaceOver(noon.Add(PaceFor), map[int64]TemplateUse{DayOf(noon): {Delivered: 3, Blocked: 1}}); !over || ok || news(got) != "status PAUSED RATE_LIMITING_PAUSE" {
		t.Errorf("bad: %s, %v, %v", news(got), over, ok)
	}
	if draft(t, "text").Paced(noon, policy) || paced().Paced(noon, TemplatePolicy{Pace: -1}) {
		t.Error("held without a reason")
	}
}

func TestAssess(t *testing.T) {
	other := draft(t, "text")
	other.Name = "another"
	for _, tt := range []struct {
		name, draft, text string
		twins             []*TemplateDef
		reject            RejectedReason
		category          Category
	}{
		{"good", "text", "", nil, "", ""},
		{"its own translation", "text", "", []*TemplateDef{draft(t, "text")}, "", ""},
		{"a duplicate", "text", "", []*TemplateDef{other}, RejectedFormat, ""},
		{"an insult", "media", "You idiot, come here.", nil, RejectedAbusive, ""},
		{"a word that only looks like one", "media", "Buy an idiotproof mug.", nil, "", ""},
		{"a question for secrets", "media", "Send us your PIN.", nil, RejectedScam, ""},
		{"a promise", "media", "Selamat, Anda menang mobil!", nil, RejectedScam, ""},
		{"promotion", "named", "Halo {{nama}}, ada diskon untuk Anda hari ini.", nil, "", CategoryMarketing},
	} {
		d := draft(t, tt.draft)
		if tt.text != "" {
			d.part(TemplateBody).Text = tt.text
		}
		v := d.Assess(tt.twins)
		if v.Reject != tt.reject || v.Category != tt.category || (v.Advice != "") != (v.Reject != "") {
			t.Errorf("%s: %+v", tt.name, v)
		}
	}
	d := draft(t, "text")
	for link, want := range map[string]RejectedReason{"https://bit.ly/a": RejectedFormat, "https://wa.me/34600": RejectedFormat, "https://shop.example": ""} {
		d.Components[3].Buttons[2].URL = link
		if v := d.Assess(nil); v.Reject != want {
			t.Errorf("%s: %+v", link, v)
		}
	}
	if d.Twin() == "" || draft(t, "code").Twin() != "" {
		t.Error("twins of one-time passwords")
	}
}

func TestTemplateFaultsAsError(t *testing.T) {
	d := draft(t, "text")
	d.Name, d.Language = "", "xx"
	var err error = TemplateFaults(d.Lint())
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Reason != ReasonTemplateFaults || e.Field != "name" || !strings.Contains(err.Error(), "language") {
		t.Errorf("%v, %v", err, e)
	}
}
