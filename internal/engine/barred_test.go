package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
)

// reasons shows what became of each customer: "", or why it was refused.
func reasons(all []engine.Barring) (got []string) {
	for _, b := range all {
		if b.Refused == nil {
			got = append(got, b.Customer.Handle())
			continue
		}
		got = append(got, string(b.Refused.Reason))
	}
	return got
}

func (v *env) bar(want []string, most int, users ...string) {
	v.t.Helper()
	all, err := v.e.Bar(v.t.Context(), v.id, users, most)
	if got := reasons(all); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		v.t.Errorf("block %v: %q, %v, want %q", users, got, err, want)
	}
}

func TestABlockedCustomerIsNotHeardAndNotWrittenTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		v.net.SetOffline(true)
		v.text(ana, "waits for the network")
		settle()
		v.bar([]string{ana}, engine.MaxBarred, "+"+ana)
		v.net.SetOffline(false)
		settle()
		v.hear(ana, "dropped")
		v.text(ana, "refused")
		if _, err := v.template(ana); err != nil {
			t.Fatal(err)
		}
		v.restart()
		v.hear(ana, "dropped after a restart")
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: "dead", Garbled: true})
		settle()
		failed := "status failed " + string(kabar.ReasonBarred)
		v.wantTold("message hi", failed, failed, failed)
		for _, p := range v.net.Packets() {
			if p.Purpose == network.PurposeMessage || p.Purpose == network.PurposeRetry {
				t.Errorf("%v has gone to a blocked customer", p.Purpose)
			}
		}
		if _, err := v.e.Unbar(t.Context(), v.id, []string{ana, "34600999999"}); err != nil {
			t.Fatal(err)
		}
		v.hear(ana, "again")
		v.text(ana, "welcome")
		settle()
		v.wantTold("message hi", failed, failed, failed, "message again", "status sent")
	})
}

func TestOnlyWhoHasWrittenLatelyCanBeBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		const bo, cy = "34600333444", "34600555666"
		v.hear(ana, "hi")
		time.Sleep(kabar.Window)
		v.hear(bo, "hi")
		v.hear(cy, "hi")
		closed, full := string(kabar.ReasonWindowClosed), string(kabar.ReasonBlockLimit)
		v.bar([]string{closed, closed, string(kabar.ReasonInvalid), bo, bo, full}, 1, ana, "34600777888", "nobody", bo, bo, cy)
		time.Sleep(kabar.Window)
		v.bar([]string{bo}, 1, bo) // who is blocked stays so, whatever the window says
		all, more, err := v.e.Barred(t.Context(), v.id, 0, 0, 10)
		if err != nil || more || len(all) != 1 || all[0].Customer.WaID != bo {
			t.Errorf("blocked are %v, %v, %v", all, more, err)
		}
	})
}

func TestABlockListIsChangedByOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		users := make([]string, 2500)
		for i := range users {
			users[i] = fmt.Sprint(34600000000 + i)
			v.hear(users[i], "hi")
		}
		done := make(chan error, 8)
		for range cap(done) {
			go func() {
				_, err := v.e.Bar(t.Context(), v.id, users, engine.MaxBarred)
				done <- err
			}()
		}
		var won, busy int
		for range cap(done) {
			err := <-done
			refused, ok := errors.AsType[*kabar.Error](err)
			switch {
			case err == nil:
				won++
			case ok && refused.Reason == kabar.ReasonBlockBusy:
				busy++
			default:
				t.Error(err)
			}
		}
		if won == 0 || won+busy != cap(done) {
			t.Errorf("%d have changed the list, %d found it busy", won, busy)
		}
		if n, err := v.db.CountBarred(t.Context(), v.id); n != len(users) || err != nil {
			t.Errorf("%d are blocked, %v, want %d", n, err, len(users))
		}
	})
}
