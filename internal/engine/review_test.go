package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network/networktest"
	"kabar/internal/store"
)

// outcomes are what was told of names and of the account, in order.
func (v *env) outcomes() string {
	v.t.Helper()
	events, err := v.db.Events(v.t.Context(), v.id, 0, 1000)
	if err != nil {
		v.t.Fatal(err)
	}
	var all []string
	for _, ev := range events {
		if ev.Kind == kabar.EventName || ev.Kind == kabar.EventReview {
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", ev.Kind, ev.Name, ev.Outcome, ev.Declined)))
		}
	}
	return strings.Join(all, ", ")
}

// named returns what customers see the number called, and what it asks for.
func (v *env) named() string {
	v.t.Helper()
	n, g, err := v.e.Reviews().Naming(v.t.Context(), v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	live, err := v.e.Number(v.id)
	if err != nil || live.Profile.Name != n.Profile.Name || live.ProfileVersion != n.ProfileVersion {
		v.t.Errorf("the engine has %+v, the store %+v, %v", live, n, err)
	}
	return fmt.Sprintf("%s %d, %s %s", n.Profile.Name, n.ProfileVersion, g.Wanted, g.New())
}

// A name that the automatic review decides on later is decided on, whatever happens meanwhile; customers see the old one until then.
func TestNamesAreReviewedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		want := func(name string) {
			t.Helper()
			synctest.Wait()
			if got := v.named(); got != name {
				t.Fatalf("%s, not %s", got, name)
			}
		}
		ask := func(name string) {
			t.Helper()
			if err := v.e.Reviews().Rename(t.Context(), v.id, name, "test"); err != nil {
				t.Fatal(err)
			}
		}
		v.policy(kabar.TemplatePolicy{Review: kabar.ReviewDelayed, Delay: 2 * time.Hour})
		ask("Toko Satu")
		want("Warung Kabar 1, Toko Satu PENDING_REVIEW")
		time.Sleep(time.Hour)
		v.restart()
		time.Sleep(time.Hour - time.Second)
		want("Warung Kabar 1, Toko Satu PENDING_REVIEW")
		time.Sleep(time.Second)
		want("Toko Satu 2,  NONE")
		ask("Meta")
		v.skew.Add(int64(2 * time.Hour))
		v.e.Shifted()
		want("Toko Satu 2, Meta DECLINED")
		v.policy(kabar.TemplatePolicy{Review: kabar.ReviewAuto})
		ask("Toko Dua")
		want("Toko Dua 3,  NONE")
		if err := v.e.Reviews().JudgeName(t.Context(), v.id, kabar.Ruling{Decision: "approve"}, "test"); err == nil {
			t.Error("a name was approved that nobody has asked for")
		}
		if err := v.e.ChangeProfile(t.Context(), v.id, func(p *kabar.Profile) error { p.Name = "Anything"; return nil }); err != nil {
			t.Error(err)
		}
		want("Toko Dua 3,  NONE")
		if got := v.outcomes(); got != "name Toko Satu PENDING, name Toko Satu APPROVED, name Meta PENDING, name Meta REJECTED NAME_ENDCLIENT_NOTRELATED, name Toko Dua APPROVED" {
			t.Errorf("told: %s", got)
		}
		audits, err := v.db.AuditLog(t.Context(), 0, 0, 10)
		if err != nil || len(audits) != 5 || audits[0].Action != "name.approved" || audits[0].Subject != "number/"+number {
			t.Errorf("%+v, %v", audits, err)
		}
	})
}

// A number that is submitted sends nothing, not even what nobody asks for, before its first name is approved, and nothing of what it has
// tried stays.
func TestAnUnapprovedNameSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		n, err := engine.AddNumber(t.Context(), v.db, engine.NewNumber{Account: &kabar.Account{ID: v.account()}, Digits: "628111000222",
			Profile: kabar.Profile{Name: "Toko"}, Limits: kabar.StartingLimits(), Submitted: true}, v.now())
		if err != nil {
			t.Fatal(err)
		}
		if n.Profile.Name != "Toko" {
			t.Errorf("it is called %q", n.Profile.Name)
		}
		net := networktest.NewFake()
		if err := v.e.Attach(t.Context(), n.ID, net); err != nil {
			t.Fatal(err)
		}
		if err := v.e.SetHours(t.Context(), n.ID, office(), "We are back on Monday."); err != nil {
			t.Fatal(err)
		}
		if err := net.Deliver(t.Context(), kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: strings.Repeat("a", 32),
			Message: &kabar.Incoming{Content: &kabar.Text{Body: "Hi"}}}); err != nil {
			t.Fatal(err)
		}
		send := func() error {
			_, err := v.e.Send(t.Context(), n.ID, engine.Request{To: ana, Content: &kabar.Text{Body: "Hello"},
				Answer: func(*kabar.Message, kabar.Customer) (int, []byte, error) { return 200, nil, nil }})
			return err
		}
		rule := func(decision string, reason kabar.NameReason) {
			t.Helper()
			if err := v.e.Reviews().JudgeName(t.Context(), n.ID, kabar.Ruling{Decision: decision, Reason: reason}, "test"); err != nil {
				t.Fatal(err)
			}
		}
		v.wantReason(send(), kabar.ReasonName)
		rule("reject", kabar.NamePerson)
		v.wantReason(send(), kabar.ReasonName)
		settle()
		for _, p := range net.Packets() {
			if p.Purpose != "receipt" {
				t.Errorf("%s was sent", p.Purpose)
			}
		}
		rule("approve", "")
		if err := send(); err != nil {
			t.Error(err)
		}
		settle()
		events, err := v.db.Events(t.Context(), n.ID, 0, 100)
		if err != nil || len(events) != 4 || events[3].Status != kabar.Sent || events[0].Kind != kabar.EventMessage || events[1].Outcome != kabar.OutcomeRejected || events[2].Outcome != kabar.OutcomeApproved {
			t.Errorf("%d events, %v", len(events), err)
		}
	})
}

// A verified business leaves the lowest tier, and one of whom somebody has an approved name may have 6,000 templates.
func TestAVerifiedBusiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.limit(v.id, kabar.StartingLimits())
		r := v.e.Reviews()
		want := func(tier kabar.Tier, most int) {
			t.Helper()
			s, err := v.e.Settings(v.id)
			if err != nil || s.Limits.Tier != tier {
				t.Errorf("the tier is %s, not %s: %v", s.Limits.Tier, tier, err)
			}
			if got, err := v.e.Templates().Most(t.Context(), v.account(), kabar.TemplatePolicy{}); got != most || err != nil {
				t.Errorf("there may be %d templates, not %d: %v", got, most, err)
			}
		}
		if w, err := r.Verify(t.Context(), v.account(), "test"); err != nil || w.Verification.State != kabar.VerificationPending {
			t.Fatalf("%+v, %v", w, err)
		}
		_, err := r.Verify(t.Context(), v.account(), "test")
		v.wantReason(err, kabar.ReasonReviewState)
		for _, c := range []struct {
			decision string
			tier     kabar.Tier
			most     int
		}{{"defer", kabar.Tier250, 250}, {"reject", kabar.Tier250, 250}, {"approve", kabar.Tier2K, 6000}, {"reject", kabar.Tier2K, 250}, {"approve", kabar.Tier2K, 6000}} {
			w, err := r.Judge(t.Context(), v.account(), kabar.Ruling{Decision: c.decision, Note: "seen"}, "test")
			if err != nil || w.Verification.Note != "seen" {
				t.Fatalf("%+v, %v", w, err)
			}
			want(c.tier, c.most)
		}
		if got := v.outcomes(); got != "review  PENDING, review  DEFERRED, review  REJECTED, review  APPROVED, review  REJECTED, review  APPROVED" {
			t.Errorf("told: %s", got)
		}
		n, err := engine.AddNumber(t.Context(), v.db, engine.NewNumber{Account: &kabar.Account{ID: v.account()}, Digits: "628111000222",
			Limits: kabar.StartingLimits()}, v.now())
		if err != nil {
			t.Fatal(err)
		}
		if _, s, err := v.db.Number(t.Context(), n.ID); err != nil || s.Limits.Tier != kabar.Tier2K {
			t.Errorf("a later number has %+v, %v", s.Limits, err)
		}
	})
}

// Whom a template has reached counts for the first step up when it is delivered.
func TestDeliveredCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.limit(v.id, kabar.StartingLimits())
		want := func(day, delivered int) {
			t.Helper()
			if r, err := v.e.Reach(t.Context(), v.account()); err != nil || r.Day != day || r.Delivered != delivered {
				t.Errorf("%+v, not %d and %d: %v", r, day, delivered, err)
			}
		}
		first, err := v.template(ana)
		if err != nil {
			t.Fatal(err)
		}
		second, err := v.template("34600000001")
		if err != nil {
			t.Fatal(err)
		}
		settle()
		want(2, 0)
		v.hear("34600000001", "hi") // from here on templates are answers
		answer, err := v.template("34600000001")
		if err != nil {
			t.Fatal(err)
		}
		settle()
		v.receipt("34600000001", kabar.Delivered, answer)
		want(2, 0)
		v.receipt(ana, kabar.Read, first)
		want(2, 1)
		v.receipt("34600000001", kabar.Delivered, second)
		want(2, 2)
	})
}

// A number of which many are written to sends nothing for a minute, and then faster; an operator's change holds at once.
func TestAnUpgradeTakesAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		limits := kabar.Limits{Throughput: kabar.ThroughputStandard, Tier: kabar.TierUnlimited}
		v.limit(v.id, limits)
		v.write(func(tx *store.Tx, n *kabar.Number) error {
			for i := range 100_000 {
				if err := tx.AddReach(n, fmt.Sprintf("346%08d", i), v.now()); err != nil {
					return err
				}
			}
			return nil
		})
		time.Sleep(time.Hour + time.Second)
		why, wait := v.tries(ana)
		if why != kabar.ReasonUpgrade || wait <= 0 || wait > time.Minute {
			t.Fatalf("%q, for %s", why, wait)
		}
		v.restart()
		time.Sleep(wait)
		synctest.Wait()
		if why, _ := v.tries(ana); why != "" {
			t.Errorf("after a minute: %s", why)
		}
		if s, err := v.e.Settings(v.id); err != nil || s.Limits.Throughput != kabar.ThroughputHigh || !s.Upgrade.IsZero() {
			t.Errorf("%+v, %v", s.Limits, err)
		}
		v.limit(v.id, limits)
		time.Sleep(time.Hour + time.Second)
		if why, _ := v.tries(ana); why != kabar.ReasonUpgrade {
			t.Errorf("it is not due again: %q", why)
		}
		v.limit(v.id, kabar.Limits{Throughput: kabar.ThroughputHigh, Tier: kabar.TierUnlimited})
		if why, _ := v.tries(ana); why != "" {
			t.Errorf("an operator's change: %s", why)
		}
	})
}

// write changes the store behind the engine's back.
func (v *env) write(do func(*store.Tx, *kabar.Number) error) {
	v.t.Helper()
	n, err := v.e.Number(v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.db.Write(v.t.Context(), nil, func(tx *store.Tx) error { return do(tx, n) }); err != nil {
		v.t.Fatal(err)
	}
}
