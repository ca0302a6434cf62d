package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
)

// Recipients who have had too much of late wait by themselves: the others get their message, and they when their time has come.
func TestWhoIsOverThePairRateHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.limit(v.id, kabar.Limits{Throughput: fast, PairRate: true})
		for _, who := range []string{"34600000000", "34600000060"} {
			v.hear(who, "hi")
			for range kabar.PairBurst {
				v.text(who, "hello")
			}
		}
		b := v.cast(v.wanted(120))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastRunning, 2, 118, 0)
		time.Sleep(time.Minute)
		v.restart()
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastRunning, 2, 118, 0)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 120, 0)
		wantOnce(t, v.net, 120)
	})
}

// A broadcast pauses at the account's tier, to the customer, and says what to do. Nobody fails for it.
func TestABroadcastPausesAtTheTier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.limit(v.id, kabar.Limits{Throughput: fast, Tier: 60})
		for _, who := range []string{"34600000007", "34600000099"} { // in their windows they do not count
			v.hear(who, "hi")
		}
		if _, err := v.template("34600000005"); err != nil { // counts already
			t.Fatal(err)
		}
		synctest.Wait()
		est, err := v.e.Broadcasts().Estimate(t.Context(), v.wanted(100))
		if err != nil || est.OverTier != 100-60 {
			t.Errorf("estimate %+v, %v", est, err)
		}
		b := v.cast(v.wanted(100))
		time.Sleep(time.Minute)
		synctest.Wait()
		now, p := v.is(b)
		if now.State != kabar.BroadcastPaused || p.FailedCount() != 0 || p.Accepted != 0 || p.Sent != 61 && p.Sent != 62 || !strings.Contains(now.Why, "60 customers in 24 hours") {
			t.Errorf("it is %s (%s), %+v", now.State, now.Why, p)
		}
		if r, err := v.e.Reach(t.Context(), b.Account); err != nil || r.Day != 60 {
			t.Errorf("%+v were reached, %v", r, err)
		}
		time.Sleep(time.Hour)
		v.act(b, kabar.BroadcastResume)
		time.Sleep(time.Minute)
		if now, p := v.is(b); now.State != kabar.BroadcastPaused || p.FailedCount() != 0 {
			t.Errorf("too early it is %s, %+v", now.State, p)
		}
		time.Sleep(23 * time.Hour)
		v.act(b, kabar.BroadcastResume)
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 100, 0)
		in := v.wanted(100)
		in.List = in.List[40:]
		if est, err := v.e.Broadcasts().Estimate(t.Context(), in); err != nil || est.OverTier != 0 {
			t.Errorf("some of whom count already: %+v, %v", est, err)
		}
	})
}
