package networktest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/patience"
)

// wantShown waits until a customer has been shown these texts, and checks that there is nothing else.
func wantShown(t *testing.T, p Peer, want ...string) {
	t.Helper()
	patience.Until(t, fmt.Sprintf("the customer is shown %d messages", len(want)), func() bool { return len(p.Shown()) >= len(want) })
	if got := Bodies(p); !slices.Equal(got, want) {
		t.Errorf("the customer is shown\n%q, want\n%q", got, want)
	}
}

func arrivesOnce(t *testing.T, d *Desk) {
	ana := d.Customer()
	d.Send(d.Text(ana, "hello"))
	heard := ana.Say("who is there?")
	d.Await(ana, "a question", 1, isMessage)
	answer := d.Text(ana, "the shop")
	answer.ReplyTo = heard
	d.Send(answer)
	smile := d.Message(ana.Customer(), &kabar.Reaction{Target: 7, Emoji: "👍"})
	smile.Target = heard
	d.Send(smile)
	wantShown(t, ana, "hello", "the shop", "")
	shown := ana.Shown()
	if shown[0].ReplyTo != "" || shown[1].ReplyTo != heard || shown[1].Ref != answer.Ref || shown[2].Target != heard {
		t.Errorf("references got lost: %+v", shown)
	}
	if r, ok := shown[2].Content.(*kabar.Reaction); !ok || r.Emoji != "👍" {
		t.Errorf("the reaction has become %+v", shown[2].Content)
	}
}

func keepsOrder(t *testing.T, d *Desk) {
	ana := d.Customer()
	var want []string
	for i := range 200 {
		want = append(want, fmt.Sprint("number ", i))
		d.Send(d.Text(ana, want[i]))
		if i%50 == 25 {
			ana.Say("go on") // the turn of the conversation must not disturb it
		}
	}
	wantShown(t, ana, want...)
}

func isPure(t *testing.T, d *Desk) {
	ana := d.Customer()
	d.Send(d.Text(ana, "first")) // so that there is a session, whatever the network calls it
	o := d.Text(ana, "second")
	s, err := d.Store.State(t.Context(), d.Net.Keys(o)...)
	if err != nil {
		t.Fatal(err)
	}
	before, asked, commits := copyState(s), *o, len(d.Store.Log())
	var packet network.Packet
	var change network.Change
	for range 3 { // only the last one is committed
		if packet, change, err = d.Net.Prepare(o, s); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(s, before) {
			t.Fatal("Prepare has changed the state it was handed")
		}
		if !reflect.DeepEqual(*o, asked) {
			t.Fatal("Prepare has changed what it was asked for")
		}
	}
	if n := len(d.Store.Log()); n != commits {
		t.Errorf("Prepare has committed %d times", n-commits)
	}
	if err := errors.Join(d.Store.Pack(packet, change), d.Transmit(packet)); err != nil {
		t.Fatal(err)
	}
	d.Send(d.Text(ana, "third"))
	wantShown(t, ana, "first", "second", "third")
	d.wantNoTrouble(ana)
}

func copyState(s network.State) network.State {
	c := maps.Clone(s)
	for k, e := range c {
		c[k] = network.Entry{Version: e.Version, Value: bytes.Clone(e.Value)}
	}
	return c
}

func transmittedAgain(t *testing.T, d *Desk) {
	ana := d.Customer()
	first, err := d.Pack(d.Text(ana, "once"))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := d.Transmit(bytes.Clone(first)); err != nil {
			t.Fatal(err)
		}
	}
	wantShown(t, ana, "once")
	ana.Say("thanks")
	d.Await(ana, "thanks", 1, isMessage)
	if err := d.Transmit(first); err != nil { // long after it has arrived
		t.Fatal(err)
	}
	d.Send(d.Text(ana, "twice"))
	wantShown(t, ana, "once", "twice")
	d.wantNoTrouble(ana)
}

// wantNoTrouble has a customer say something, and checks that neither side has had to ask for anything again.
func (d *Desk) wantNoTrouble(p Peer) {
	d.t.Helper()
	ref := p.Say("all is well")
	d.Await(p, "a last text", 1, func(u kabar.Update) bool { return u.Ref == ref })
	for _, u := range d.Heard(p, func(u kabar.Update) bool { return u.Retry != nil || u.Garbled }) {
		d.t.Errorf("something could not be read: %+v", u)
	}
}

func outlives(t *testing.T, d *Desk) {
	ana := d.Customer()
	never, err := d.Pack(d.Text(ana, "committed and never transmitted"))
	if err != nil {
		t.Fatal(err)
	}
	d.Restart()
	perhaps, err := d.Pack(d.Text(ana, "transmitted, and the process died before it knew"))
	if err = errors.Join(err, d.Transmit(never), d.Transmit(perhaps)); err != nil {
		t.Fatal(err)
	}
	d.Restart()
	if err := d.Transmit(perhaps); err != nil {
		t.Fatal(err)
	}
	d.Send(d.Text(ana, "and on"))
	wantShown(t, ana, "committed and never transmitted", "transmitted, and the process died before it knew", "and on")
	d.wantNoTrouble(ana)
}

func outdated(t *testing.T, d *Desk) {
	ana := d.Customer()
	d.Send(d.Text(ana, "hello"))
	o := d.Text(ana, "answer")
	s, err := d.Store.State(t.Context(), d.Net.Keys(o)...)
	if err != nil {
		t.Fatal(err)
	}
	packet, change, err := d.Net.Prepare(o, s)
	if err != nil {
		t.Fatal(err)
	}
	ana.Say("in between") // changes what the driver knows of her
	d.Await(ana, "a text", 1, isMessage)
	switch err := d.Store.Pack(packet, change); {
	case errors.Is(err, network.ErrConflict):
		packet, err = d.Pack(o)
		if err != nil {
			t.Fatal(err)
		}
	case err != nil:
		t.Fatal(err)
	}
	if err := d.Transmit(packet); err != nil {
		t.Fatal(err)
	}
	ana.Say("and after")
	d.Await(ana, "a text", 2, isMessage)
	wantShown(t, ana, "hello", "answer")
}

func talkAtOnce(t *testing.T, d *Desk) {
	const n = 40
	customers := []Peer{d.Customer(), d.Customer(), d.Customer()}
	var all sync.WaitGroup
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint("number ", i))
	}
	for _, p := range customers {
		all.Go(func() {
			for _, body := range want {
				p.Say(body)
			}
		})
	}
	for i := range n { // in turn: one customer's messages are never prepared side by side
		for _, p := range customers {
			d.Send(d.Text(p, want[i]))
		}
	}
	all.Wait()
	for _, p := range customers {
		wantShown(t, p, want...)
		d.Await(p, "texts", n, isMessage)
		if got := d.Texts(p); !slices.Equal(got, want) {
			t.Errorf("the business has heard\n%q", got)
		}
		d.wantNoTrouble(p)
	}
}

func refusesStrangers(t *testing.T, d *Desk) {
	if d.Stranger.Handle() == "" {
		return // everybody belongs to this network
	}
	packet, err := d.Pack(d.Message(d.Stranger, &kabar.Text{Body: "anybody there?"}))
	if err == nil {
		err = d.Transmit(packet)
	}
	var refused *network.Refused
	if !errors.As(err, &refused) || refused.Reason != kabar.ReasonUnknownUser {
		t.Errorf("a message to nobody: %v, want it refused as %s", err, kabar.ReasonUnknownUser)
	}
	ana := d.Customer()
	d.Send(d.Text(ana, "still here"))
	wantShown(t, ana, "still here")
}

func profileArrives(t *testing.T, d *Desk) {
	ana := d.Customer()
	d.Send(d.Text(ana, "hello"))
	d.Send(&network.Outgoing{Purpose: network.PurposeProfile, From: d.Number, To: ana.Customer(), Now: d.Now()})
	patience.Until(t, "the profile arrives", func() bool { return ana.Profile().Name == d.Number.Profile.Name })
	wantShown(t, ana, "hello")
}

func asksAgain(t *testing.T, d *Desk) {
	ana := d.Customer()
	d.Send(d.Text(ana, "readable"))
	ana.Say("yes")
	d.Await(ana, "a text", 1, isMessage)
	wantShown(t, ana, "readable")
	ana.Forget()
	o := d.Text(ana, "lost at first")
	d.Send(o)
	d.resend(ana, o)
	wantShown(t, ana, "readable", "lost at first")
	d.Send(d.Text(ana, "readable again"))
	ana.Say("good")
	d.Await(ana, "a text", 2, isMessage)
	wantShown(t, ana, "readable", "lost at first", "readable again")
}

// resend waits until a customer asks for o and sends it once more, under the same ref.
func (d *Desk) resend(p Peer, o *network.Outgoing) kabar.Update {
	d.t.Helper()
	u := d.Await(p, "a request to repeat", 1, func(u kabar.Update) bool {
		return u.Retry != nil && slices.ContainsFunc(u.Retry.Refs, func(ref string) bool { return strings.HasPrefix(ref, o.Ref) })
	})[0]
	again := *o
	again.Fresh, again.Opened, again.Now = true, false, d.Now()
	d.Send(&again)
	return u
}

func reinstalled(t *testing.T, d *Desk) {
	ana := d.Customer()
	d.Send(d.Text(ana, "to the old app"))
	ana.Say("from the old app")
	before := d.Await(ana, "a text", 1, isMessage)[0].NewIdentity
	wantShown(t, ana, "to the old app")
	ana.Reinstall()
	o := d.Text(ana, "to the new app")
	d.Send(o)
	after := d.resend(ana, o).NewIdentity
	if before == "" || after == "" || after == before {
		t.Errorf("identities: %q before, %q after: the change is not reported", before, after)
	}
	wantShown(t, ana, "to the new app")
	ana.Say("from the new app")
	d.Await(ana, "a text", 2, isMessage)
}
