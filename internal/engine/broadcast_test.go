package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/store"
)

// newList has so many recipients, each with a name.
func newList(n int) (all []map[string]string) {
	for i := range n {
		all = append(all, map[string]string{"to": fmt.Sprintf("+34 600 000 %03d", i), "first_name": fmt.Sprint("Name ", i)})
	}
	return all
}

func (v *env) wanted(n int) engine.NewBroadcast {
	return engine.NewBroadcast{Number: v.id, Template: "hello", Language: "en", Map: map[string]string{"body.1": "first_name"}, List: newList(n), By: "test"}
}

func (v *env) cast(in engine.NewBroadcast) *kabar.Broadcast {
	v.t.Helper()
	made, err := v.e.Broadcasts().Create(v.t.Context(), in)
	if err != nil {
		v.t.Fatal(err)
	}
	return made.Broadcast
}

// is returns the broadcast as it is now, and how far it is.
func (v *env) is(b *kabar.Broadcast) (*kabar.Broadcast, *engine.BroadcastProgress) {
	v.t.Helper()
	now, err := v.e.Broadcasts().Get(v.t.Context(), b.Account, b.ID)
	if err != nil {
		v.t.Fatal(err)
	}
	p, err := v.e.Broadcasts().Progress(v.t.Context(), b.ID)
	if err != nil {
		v.t.Fatal(err)
	}
	return now, p
}

func (v *env) act(b *kabar.Broadcast, a kabar.BroadcastAction) {
	v.t.Helper()
	if _, err := v.e.Broadcasts().Act(v.t.Context(), b.Account, b.ID, a); err != nil {
		v.t.Fatal(err)
	}
}

func (v *env) wantState(b *kabar.Broadcast, state kabar.BroadcastState, pending, sent, failed int) {
	v.t.Helper()
	now, p := v.is(b)
	if now.State != state || p.Pending != pending || p.Accepted+p.Sent+p.Delivered+p.Read != sent || p.FailedCount() != failed {
		v.t.Errorf("it is %s (%s), %+v; want %s, %d pending, %d sent, %d failed", now.State, now.Why, p, state, pending, sent, failed)
	}
}

// wantOnce wants each of so many recipients to have exactly one message, with the name that is theirs.
func wantOnce(t *testing.T, net *networktest.Fake, n int) {
	t.Helper()
	got := map[string]int{}
	for _, p := range net.Messages() {
		if p.Kind != kabar.KindTemplate {
			continue
		}
		got[p.To]++
		var i int
		if _, err := fmt.Sscanf(p.To, "34600000%d", &i); err == nil && !strings.Contains(string(p.Content), fmt.Sprintf("Hello Name %d\"", i)) {
			t.Errorf("%s got %s", p.To, p.Content)
		}
	}
	for i := range n {
		if to := fmt.Sprintf("34600000%03d", i); got[to] != 1 {
			t.Errorf("%s got %d messages, want one", to, got[to])
		}
	}
	if len(got) != n {
		t.Errorf("%d customers got messages, want %d", len(got), n)
	}
}

// A broadcast begins at its time, sends each recipient one message with their own values, and keeps to its pace within two percent.
func TestABroadcastKeepsItsTimeAndPace(t *testing.T) {
	for _, c := range []struct{ number, own, want int }{{0, 0, 80}, {0, 20, 20}, {50, 200, 50}} {
		t.Run(fmt.Sprintf("%d of %d", c.own, c.number), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newEnvPaced(t, c.number)
				in := v.wanted(200)
				in.PerSecond, in.StartAt = c.own, v.now().Add(time.Hour)
				b := v.cast(in)
				time.Sleep(59 * time.Minute)
				v.wantState(b, kabar.BroadcastScheduled, 200, 0, 0)
				time.Sleep(time.Minute)
				half := 100 * time.Second / time.Duration(c.want)
				time.Sleep(half)
				synctest.Wait()
				if _, p := v.is(b); abs(p.Pending-100) > 2 {
					t.Errorf("after half of the time %d are pending, want 100", p.Pending)
				}
				time.Sleep(half + half/50)
				synctest.Wait()
				v.wantState(b, kabar.BroadcastDone, 0, 200, 0)
				now, _ := v.is(b)
				if took := now.Ended.Sub(in.StartAt); took < 2*half-half/25 || took > 2*half+half/25 {
					t.Errorf("it took %s, want %s", took, 2*half)
				}
				wantOnce(t, v.net, 200)
			})
		})
	}
}

func abs(n int) int { return max(n, -n) }

// newEnvPaced is an env whose number may send so many messages of broadcasts a second; 0: it has no limit.
func newEnvPaced(t testing.TB, pace int) *env {
	t.Helper()
	v := newEnv(t)
	v.limit(v.id, kabar.Limits{Throughput: kabar.Throughput(pace + pace/9)}) // of which broadcasts have nine tenths
	return v
}

// fast is a pace that does not matter.
const fast = 9000

func TestTwoBroadcastsOfANumberShareItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, 10)
		one, two := v.cast(v.wanted(50)), v.cast(v.wanted(50))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		_, p := v.is(one)
		_, q := v.is(two)
		if left := p.Pending + q.Pending; left < 45 || left > 55 || p.Pending > 40 || q.Pending > 40 {
			t.Errorf("%d and %d are left", p.Pending, q.Pending)
		}
	})
}

// It can be paused, resumed, cancelled and survives restarts; nobody gets two messages.
func TestABroadcastIsPausedResumedAndSurvivesRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, 10)
		b := v.cast(v.wanted(100))
		time.Sleep(2 * time.Second)
		v.act(b, kabar.BroadcastPause)
		synctest.Wait()
		_, before := v.is(b)
		time.Sleep(time.Hour)
		v.restart()
		time.Sleep(time.Hour)
		if now, p := v.is(b); now.State != kabar.BroadcastPaused || p.Pending != before.Pending || p.Pending < 70 || p.Pending > 90 {
			t.Errorf("it is %s, %d are pending, %d were when it was paused", now.State, p.Pending, before.Pending)
		}
		v.act(b, kabar.BroadcastResume)
		for range 5 {
			time.Sleep(time.Second)
			v.restart()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 100, 0)
		wantOnce(t, v.net, 100)

		c := v.cast(v.wanted(100))
		time.Sleep(2 * time.Second)
		v.act(c, kabar.BroadcastCancel)
		time.Sleep(time.Hour)
		if now, p := v.is(c); now.State != kabar.BroadcastCancelled || p.Pending < 70 || now.Ended.IsZero() {
			t.Errorf("cancelled: %+v, %+v", now, p)
		}
		if _, err := v.e.Broadcasts().Act(t.Context(), c.Account, c.ID, kabar.BroadcastResume); !refusedWith(err, kabar.ReasonBroadcastState) {
			t.Errorf("resume of one that is cancelled: %v", err)
		}
	})
}

func refusedWith(err error, r kabar.Reason) bool {
	refused, ok := errors.AsType[*kabar.Error](err)
	return ok && refused.Reason == r
}

// Without credit it pauses, tells so, and goes on once there is some: nobody's message fails for it.
func TestABroadcastPausesWithoutCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := priced(t, 310_000) // ten messages, and not eleven
		b := v.cast(v.wanted(25))
		time.Sleep(time.Minute)
		synctest.Wait()
		now, p := v.is(b)
		if now.State != kabar.BroadcastPaused || !strings.Contains(now.Why, "credit") || p.Sent != 10 || p.Pending != 15 || p.Reserved != 300_000 {
			t.Errorf("without credit: %s (%s), %+v", now.State, now.Why, p)
		}
		if told := strings.Join(v.told(), ","); strings.Count(told, "credit") != 3 || strings.Contains(told, "failed") {
			t.Errorf("told %s", told)
		}
		v.draw(25 * 30_000)
		v.act(b, kabar.BroadcastResume)
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 25, 0)
		wantOnce(t, v.net, 25)
		v.hear("34600000000", "thanks")
		for _, m := range v.net.Messages()[:1] {
			v.deliver(kabar.Update{From: kabar.Customer{WaID: m.To}, At: v.now(), Receipt: &kabar.Receipt{Status: kabar.Read, Refs: []string{m.Ref}}})
		}
		if _, p := v.is(b); p.Read != 1 || p.Spent != 30_000 || p.Reserved != 24*30_000 {
			t.Errorf("after one has read it: %+v", p)
		}
	})
}

// The opt-out of somebody who has been erased outlives that, and the estimate knows.
func TestAnEstimateKnowsTheOptOutsOfTheErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, fast)
		v.require(true)
		for i := range 10 {
			v.consent(fmt.Sprintf("34600000%03d", i), kabar.ConsentIn)
		}
		for _, who := range []string{"34600000003", "34600000004"} {
			v.consent(who, kabar.ConsentOut)
			v.erase(who)
		}
		v.consent("34600000004", kabar.ConsentIn) // has come back
		if est, err := v.e.Broadcasts().Estimate(t.Context(), v.wanted(10)); err != nil || est.OptedOut != 1 || est.NotOptedIn != 0 {
			t.Errorf("estimate %+v, %v", est, err)
		}
	})
}

// Who may not be written to is counted with the reason, and the others get their message; those who failed can have another turn.
func TestRecipientsFailByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, fast)
		v.require(true)
		for i := range 9 {
			v.consent(fmt.Sprintf("34600000%03d", i), kabar.ConsentIn)
		}
		v.consent("34600000003", kabar.ConsentOut)
		est, err := v.e.Broadcasts().Estimate(t.Context(), v.wanted(10))
		if err != nil || est.OptedOut != 1 || est.NotOptedIn != 1 || est.Recipients != 10 {
			t.Errorf("estimate %+v, %v", est, err)
		}
		v.net.Refuse(func(p networktest.Packet) error {
			if p.To == "34600000005" {
				return &network.Refused{Reason: kabar.ReasonUnknownUser}
			}
			return nil
		})
		b := v.cast(v.wanted(10))
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 7, 3)
		_, p := v.is(b)
		if p.Failed[kabar.ReasonNoConsent] != 1 || p.Failed[kabar.ReasonOptedOut] != 1 || p.Failed[kabar.ReasonUnknownUser] != 1 {
			t.Errorf("failed %v", p.Failed)
		}
		rows, err := v.e.Broadcasts().Recipients(t.Context(), b.Account, b.ID, 2, 3)
		if err != nil || len(rows) != 3 || rows[0].Handle != "34600000002" || rows[1].Failure != kabar.ReasonOptedOut || rows[0].Status != kabar.Sent {
			t.Errorf("recipients %+v, %v", rows, err)
		}
		v.net.Refuse(nil)
		v.require(false)
		v.act(b, kabar.BroadcastRetry)
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 10, 0)
		wantOnce(t, v.net, 10)
	})
}

// require has templates go to those only who have opted in, or to all.
func (v *env) require(required bool) {
	v.t.Helper()
	err := v.e.ChangeSettings(v.t.Context(), v.id, func(s *kabar.Settings, _ *string) error { s.Consent.Required = required; return nil })
	if err != nil {
		v.t.Fatal(err)
	}
}

func (v *env) consent(who string, s kabar.ConsentState) {
	v.t.Helper()
	_, err := v.e.Consents().Record(v.t.Context(), v.account(), []engine.CustomerConsent{{Customer: who, ConsentEntry: kabar.ConsentEntry{State: s, At: v.now()}}})
	if err != nil {
		v.t.Fatal(err)
	}
}

// A template that cannot be sent any more pauses the broadcast, in the place of failing everybody.
func TestABroadcastPausesWithItsTemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, 10)
		b := v.cast(v.wanted(100))
		time.Sleep(time.Second)
		set := func(s kabar.TemplateStatus) {
			d := hello()
			d.Account, d.Status = b.Account, s
			if err := v.db.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.SaveTemplate(d) }); err != nil {
				t.Fatal(err)
			}
		}
		set(kabar.TemplatePaused)
		time.Sleep(time.Minute)
		if now, p := v.is(b); now.State != kabar.BroadcastPaused || !strings.Contains(now.Why, "paused") || p.FailedCount() != 0 || p.Pending < 80 {
			t.Errorf("it is %s (%s), %+v", now.State, now.Why, p)
		}
		set(kabar.TemplateApproved)
		v.act(b, kabar.BroadcastResume)
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 100, 0)
		wantOnce(t, v.net, 100)
	})
}

// While the number is offline nothing is accepted beyond what is on its way, also over restarts; its return has the rest go on.
func TestABroadcastWaitsForTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, fast)
		v.net.Refuse(func(networktest.Packet) error { return errors.New("the line is cut") })
		b := v.cast(v.wanted(200))
		for range 3 {
			time.Sleep(time.Minute)
			synctest.Wait()
			if now, p := v.is(b); now.State != kabar.BroadcastRunning || p.Accepted < 1 || p.Accepted > 32 || p.Accepted+p.Pending != 200 {
				t.Errorf("nothing leaves: %s, %+v", now.State, p)
			}
			v.restart()
		}
		v.net.SetOffline(true)
		v.net.Refuse(nil)
		time.Sleep(time.Hour)
		if _, p := v.is(b); p.Accepted > 32 {
			t.Errorf("offline: %+v", p)
		}
		v.net.SetOffline(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 200, 0)
		wantOnce(t, v.net, 200)
	})
}

// A full mailbox is in nobody's way: the broadcast goes on, and the message follows when there is room.
func TestFullMailboxesDoNotHoldUpABroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, fast)
		v.net.Refuse(func(p networktest.Packet) error {
			if strings.HasPrefix(p.To, "346000000") {
				return &network.Later{After: 5 * time.Second, Why: "mailbox full"}
			}
			return nil
		})
		b := v.cast(v.wanted(200)) // a hundred of them
		time.Sleep(time.Hour)
		if now, p := v.is(b); now.State != kabar.BroadcastDone || p.Accepted != 100 || p.Sent != 100 {
			t.Errorf("it is %s, %+v", now.State, p)
		}
		v.net.Refuse(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 200, 0)
		wantOnce(t, v.net, 200)
	})
}
