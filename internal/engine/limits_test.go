package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

func (v *env) limit(id kabar.NumberID, l kabar.Limits) {
	v.t.Helper()
	if _, err := v.e.ChangeLimits(v.t.Context(), id, func(now *kabar.Limits) error { *now = l; return nil }); err != nil {
		v.t.Fatal(err)
	}
}

// tries sends a text, and returns why it was refused and for how long; empty when it was accepted.
func (v *env) tries(to string) (kabar.Reason, time.Duration) {
	v.t.Helper()
	_, _, err := v.send(engine.Request{To: to, Content: &kabar.Text{Body: "hi"}})
	refused, ok := errors.AsType[*kabar.Error](err)
	switch {
	case ok:
		return refused.Reason, refused.After
	case err != nil:
		v.t.Fatal(err)
	}
	return "", 0
}

func TestThroughputHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		v.limit(v.id, kabar.Limits{Throughput: 80})
		time.Sleep(time.Second)
		once := &engine.Once{Path: "/v1/messages", Key: "1", Hash: "a"}
		for i := range 70 {
			r := engine.Request{To: ana, Content: &kabar.Text{Body: "hi"}}
			if i == 0 {
				r.Once = once
			}
			if _, _, err := v.send(r); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		}
		if why, _ := v.tries(number); why != kabar.ReasonSelf { // is refused anyway, and does not count
			t.Errorf("to oneself: %q", why)
		}
		time.Sleep(200 * time.Millisecond)
		for range 10 { // of a customer, which are not refused and leave less
			v.hear(ana, "hi")
		}
		synctest.Wait()
		before := len(v.told())
		if why, wait := v.tries(ana); why != kabar.ReasonThroughput || wait != 800*time.Millisecond {
			t.Errorf("message 81: %q, after %s", why, wait)
		}
		if _, s, err := v.send(engine.Request{To: ana, Content: &kabar.Text{Body: "hi"}, Once: once}); err != nil || !s.Replayed {
			t.Errorf("what was answered before is %v", err)
		}
		v.hear(ana, "hi")
		synctest.Wait()
		if after := len(v.told()); after != before+1 {
			t.Errorf("%d events are new, one is of the customer", after-before)
		}
		time.Sleep(800 * time.Millisecond)
		for i := range 69 { // eleven are of the customer
			if why, _ := v.tries(ana); why != "" {
				t.Fatalf("a second later message %d is refused: %s", i, why)
			}
		}
		if why, _ := v.tries(ana); why != kabar.ReasonThroughput {
			t.Errorf("message 81 of the next second: %q", why)
		}
		v.limit(v.id, kabar.Limits{})
		if why, _ := v.tries(ana); why != "" {
			t.Errorf("without limit: %s", why)
		}
	})
}

func TestThePairRateHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		v.hear(budi, "hi")
		v.limit(v.id, kabar.Limits{PairRate: true})
		for i := range kabar.PairBurst {
			if why, _ := v.tries(ana); why != "" {
				t.Fatalf("message %d of the burst: %s", i, why)
			}
		}
		synctest.Wait()
		before := len(v.told())
		v.restart() // it is not forgotten
		if why, wait := v.tries(ana); why != kabar.ReasonPair || wait != 270*time.Second {
			t.Errorf("behind the burst: %q, after %s", why, wait)
		}
		if why, _ := v.tries(budi); why != "" {
			t.Errorf("to somebody else: %s", why)
		}
		synctest.Wait()
		if after := len(v.told()); after != before+1 { // Budi's
			t.Errorf("%d events are new", after-before)
		}
		time.Sleep(270*time.Second - time.Millisecond)
		if why, _ := v.tries(ana); why != kabar.ReasonPair {
			t.Errorf("too early: %q", why)
		}
		time.Sleep(time.Millisecond)
		if why, _ := v.tries(ana); why != "" {
			t.Errorf("when the time has come: %s", why)
		}
	})
}

// fates are what became of messages, in the order in which it is told.
func (v *env) fates() string {
	var all []string
	for _, s := range v.told() {
		if s, ok := strings.CutPrefix(s, "status "); ok {
			all = append(all, strings.TrimSuffix(s, " "+string(kabar.ReasonTier)))
		}
	}
	return strings.Join(all, " ")
}

func TestTheTierHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		other := v.another(&kabar.Account{ID: v.account(), Name: "Warung"}, "628111000333")
		v.limit(v.id, kabar.Limits{Tier: 3})
		v.limit(other, kabar.Limits{Tier: 4})
		v.hear(budi, "hi")
		send := func(who ...string) {
			t.Helper()
			for _, to := range who {
				if _, err := v.template(to); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
		}
		send(budi, "34600000001", "34600000002", "34600000001") // Budi's window is open
		time.Sleep(time.Hour)
		send("34600000003", "34600000004", "34600000001")
		if got := v.fates(); got != "sent sent sent sent sent failed sent" {
			t.Fatalf("three customers of four: %s", got)
		}
		v.restart()
		send("34600000004")
		if got := v.fates(); !strings.HasSuffix(got, "sent failed") {
			t.Errorf("after a restart: %s", got)
		}
		if r, err := v.e.Reach(t.Context(), v.account()); err != nil || r.Day != 3 {
			t.Errorf("%+v were reached, %v", r, err)
		}
		// The one who was reached again an hour later counts longer than the other.
		time.Sleep(23*time.Hour - time.Millisecond)
		send("34600000004")
		time.Sleep(time.Millisecond)
		send("34600000004", "34600000005")
		if got := v.fates(); !strings.HasSuffix(got, "failed failed sent failed") {
			t.Errorf("24 hours after the first: %s", got)
		}
	})
}

// Of many that leave at once no more reach their customer than may.
func TestTheTierIsDecidedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.limit(v.id, kabar.Limits{Tier: 7})
		v.net.SetOffline(true)
		for i := range 40 {
			if _, err := v.template(fmt.Sprintf("346001%05d", i)); err != nil {
				t.Fatal(err)
			}
		}
		settle()
		v.net.SetOffline(false)
		settle()
		got := v.fates()
		if sent, failed := strings.Count(got, "sent"), strings.Count(got, "failed"); sent != 7 || failed != 33 {
			t.Errorf("%d were sent and %d have failed", sent, failed)
		}
	})
}

// Who is used well is given more, and is told of it; who changes the limits meanwhile decides.
func TestLimitsRiseByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.limit(v.id, kabar.StartingLimits())
		n, err := v.e.Number(v.id)
		if err != nil {
			t.Fatal(err)
		}
		reach := func(from, to int) {
			t.Helper()
			if err := v.db.Write(t.Context(), nil, func(tx *store.Tx) error {
				for i := from; i < to; i++ {
					if err := tx.AddReach(n, fmt.Sprintf("346%08d", i), v.now()); err != nil {
						return err
					}
					if i == 0 { // whom nothing is delivered to does not count
						continue
					}
					if err := tx.ReachDelivered(n.Account, fmt.Sprintf("346%08d", i), v.now(), v.now()); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for day := range 8 { // 250 a day, but one short of 2,000
			reach(day*250, min(day*250+250, 2000))
			time.Sleep(24 * time.Hour)
		}
		tier := func(want kabar.Tier) {
			t.Helper()
			if s, err := v.e.Settings(v.id); err != nil || s.Limits.Tier != want {
				t.Errorf("the tier is %s, not %s: %v", s.Limits.Tier, want, err)
			}
		}
		tier(kabar.Tier250)
		reach(2000, 2001)
		time.Sleep(6 * time.Hour)
		tier(kabar.Tier10K) // half of 2,000 was reached in the last week, too
		v.restart()
		tier(kabar.Tier10K)
		v.wantTold("limits", "limits", "limits") // the operator's, and two steps
		audits, err := v.db.AuditLog(t.Context(), 0, 0, 10)
		if err != nil || len(audits) != 2 || audits[0].Action != "number.raised" {
			t.Errorf("%+v, %v", audits, err)
		}
	})
}

// BenchmarkLimitedSend compares accepting a text of a number without limits with one of a number that has all of them, in one run. The
// clock goes on with each, so that none is refused.
func BenchmarkLimitedSend(b *testing.B) {
	v := newEnv(b)
	to := func(i int64) string { return fmt.Sprintf("34600%06d", i%64) }
	for i := range int64(64) {
		v.hear(to(i), "Hello") // so that texts may go
	}
	var next atomic.Int64
	for _, kind := range []string{"free", "limited", "free-again", "limited-again"} {
		b.Run(kind, func(b *testing.B) {
			var l kabar.Limits
			if strings.HasPrefix(kind, "limited") {
				l = kabar.Limits{Throughput: 100_000, PairRate: true, Tier: kabar.Tier250}
			}
			v.limit(v.id, l)
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					v.skew.Add(int64(kabar.PairEvery) / 20)
					if _, _, err := v.send(engine.Request{To: to(next.Add(1)), Content: &kabar.Text{Body: "Your order 1042 has been sent and arrives soon."}}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
