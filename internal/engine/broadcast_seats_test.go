package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network/networktest"
	"kabar/internal/store"
)

// toko attaches a number of another account, over a network of its own.
func (v *env) toko(digits string) (*kabar.Number, *networktest.Fake) {
	v.t.Helper()
	n, err := engine.AddNumber(v.t.Context(), v.db, engine.NewNumber{Account: &kabar.Account{Name: "Toko"}, Digits: digits,
		Templates: []*kabar.TemplateDef{hello()}}, v.now())
	if err != nil {
		v.t.Fatal(err)
	}
	net := networktest.NewFake()
	v.attachTo(n, net)
	v.limit(n.ID, kabar.Limits{Throughput: fast})
	return n, net
}

func (v *env) attachTo(n *kabar.Number, net *networktest.Fake) {
	v.t.Helper()
	if err := v.e.Attach(v.t.Context(), n.ID, net); err != nil {
		v.t.Fatal(err)
	}
}

// A number that is cut off holds up its own broadcasts alone, over restarts too, and few of them are on their way when it returns.
func TestANumberThatIsCutOffIsInNobodysWay(t *testing.T) {
	for name, cut := range map[string]func(*networktest.Fake, bool){
		"offline": (*networktest.Fake).SetOffline,
		"silent": func(net *networktest.Fake, cut bool) {
			net.Refuse(nil)
			if cut {
				net.Refuse(func(networktest.Packet) error { return errors.New("the line is cut") })
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newEnvPaced(t, 100)
				n, net := v.toko("628111000222")
				b := v.cast(v.wanted(300))
				time.Sleep(time.Second)
				cut(v.net, true)
				time.Sleep(time.Minute)
				synctest.Wait()
				_, p := v.is(b)
				if p.Accepted > 32 || p.Pending == 0 {
					t.Errorf("cut off: %+v", p)
				}
				all := func(name string) {
					in := v.wanted(100)
					in.Number = n.ID
					other := v.cast(in)
					time.Sleep(time.Minute)
					synctest.Wait()
					if now, p := v.is(other); now.State != kabar.BroadcastDone || p.Sent != 100 {
						t.Errorf("%s: the other number's broadcast is %s, %+v", name, now.State, p)
					}
				}
				all("before a restart")
				v.restart()
				v.attachTo(n, net)
				all("after a restart")
				if _, p := v.is(b); p.Accepted > 32 {
					t.Errorf("cut off, after a restart: %+v", p)
				}
				cut(v.net, false)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				v.wantState(b, kabar.BroadcastDone, 0, 300, 0)
				wantOnce(t, v.net, 300)
			})
		})
	}
}

// Messages to customers who are erased while they are on their way leave their seats to others.
func TestErasedCustomersLeaveTheirSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, fast)
		v.net.Refuse(func(networktest.Packet) error { return errors.New("the line is cut") })
		b := v.cast(v.wanted(100))
		time.Sleep(time.Minute)
		synctest.Wait()
		_, p := v.is(b)
		if p.Accepted == 0 || p.Accepted+p.Pending != 100 {
			t.Fatalf("before: %+v", p)
		}
		for i := range p.Accepted {
			v.erase(fmt.Sprintf("34600000%03d", i))
		}
		v.net.Refuse(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 100-p.Accepted, 0)
	})
}

// The same while the network has the packets: what it says of them is about nobody.
func TestCustomersErasedOnTheWayLeaveTheirSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &stuck{Fake: networktest.NewFake(), open: make(chan struct{}), left: func(networktest.Packet) {}}
		v := newEnvWith(t, net.Fake, net)
		v.limit(v.id, kabar.Limits{Throughput: fast})
		b := v.cast(v.wanted(100))
		time.Sleep(time.Minute)
		synctest.Wait()
		_, p := v.is(b)
		if p.Accepted == 0 || p.Accepted+p.Pending != 100 {
			t.Fatalf("before: %+v", p)
		}
		for i := range p.Accepted {
			v.erase(fmt.Sprintf("34600000%03d", i))
		}
		close(net.open)
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 100-p.Accepted, 0)
	})
}

// Whoever is being erased has no turn, from the first commit on: a message would be to somebody new.
func TestWhoIsBeingErasedHasNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnvPaced(t, 10)
		v.hear("34600000050", "hi")
		v.hear("34600000059", "hi")
		b := v.cast(v.wanted(60))
		time.Sleep(time.Second)
		for _, who := range []string{"34600000050", "34600000059"} {
			p, err := v.db.FindPerson(t.Context(), v.account(), who)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.db.BeginErasure(t.Context(), p, nil, v.net.Entries, v.now()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 58, 0)
		if _, err := v.db.FindConversation(t.Context(), v.id, "34600000050"); !store.IsNotFound(err) {
			t.Errorf("a conversation with whom is being erased: %v", err)
		}
	})
}
