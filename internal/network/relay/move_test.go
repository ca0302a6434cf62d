package relay_test

import (
	"slices"
	"testing"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/network/relay"
	"kabar/internal/patience"
)

// movement returns what Leave and Arrive need.
func movement(t *testing.T, d *networktest.Desk) network.State {
	t.Helper()
	s, err := d.Store.State(t.Context(), d.Net.(network.Movable).Movement()...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// elsewhere returns the desk of a server with a store and keys of its own; it does not run.
func (r *rig) elsewhere() *networktest.Desk {
	p := r.pair()
	p.Driver = func() network.Network {
		return relay.New(relay.Options{URL: r.url, Account: "628111000999", TempDir: r.dir, Log: r.log, Now: r.now})
	}
	d := networktest.NewDesk(r.t, p)
	d.Stop()
	d.Driver = func() network.Network { return r.driver() }
	return d
}

// A number goes to another server, with a store of its own. The relay and the customer know it again, and no key of the sessions of
// the first server is used by the second.
func TestANumberMovesToAnotherServer(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	ana.Say("hello")
	d.Await(ana, "a text", 1, isText)
	d.Send(d.Text(ana, "from the first"))
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 1 })
	keys, err := d.Net.(network.Movable).Leave(movement(t, d))
	if err != nil || len(keys) == 0 {
		t.Fatalf("%q, %v", keys, err)
	}
	if c, err := d.Net.(network.Movable).Arrive(movement(t, d), keys, r.now()); c != nil || err != nil {
		t.Errorf("where it is already: %v, %v", c, err)
	}
	d.Stop()

	next := r.elsewhere()
	driver := r.driver()
	for _, damaged := range []string{"", "{}", `{"identity":"AAAA"}`} {
		if c, err := driver.Arrive(movement(t, next), []byte(damaged), r.now()); err == nil {
			t.Errorf("the keys %q make %v", damaged, c)
		}
	}
	change, err := driver.Arrive(movement(t, next), keys, r.now())
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Store.Deliver(t.Context(), kabar.Update{}, change); err != nil {
		t.Fatal(err)
	}
	next.Start() // the relay would not let anybody else in
	if s := movement(t, next); len(s) != 1 {
		t.Errorf("the mark of a restore is left: %v", s)
	}
	ana.Say("who is it?") // in the session of the first server
	answerGarbled(t, next, ana, 1)
	o := next.Text(ana, "from the second")
	o.Ref = "01000000000000ffff" // another store has ids of its own
	next.Send(o)
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 2 })
	if n := len(places(t, slices.Concat(d.Store.Log(), next.Store.Log()))); n < 3 {
		t.Errorf("only %d places were compared", n)
	}
}
