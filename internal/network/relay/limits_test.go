package relay_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/patience"
	"kabar/internal/relayserver"
)

// final says what an error makes the engine do.
func final(err error) string {
	var refused *network.Refused
	var later *network.Later
	switch {
	case errors.As(err, &refused):
		return "refused: " + string(refused.Reason)
	case errors.As(err, &later) && later.After > 0:
		return "later"
	case err != nil:
		return "error"
	}
	return "taken"
}

func TestTheRelaysLimitsAreWaitedFor(t *testing.T) {
	limits := relayserver.NoLimits()
	limits.Mailbox, limits.BundlesHourly = 3, 2
	r := newLimitedRig(t, limits)
	d, ana := r.desk(), r.handset()
	ana.Online(false)
	for i := range 3 {
		d.Send(d.Text(ana, fmt.Sprint(i)))
	}
	packet, err := d.Pack(d.Text(ana, "one too many"))
	if err != nil {
		t.Fatal(err)
	}
	if got := final(d.Net.Transmit(t.Context(), packet)); got != "later" {
		t.Errorf("a full mailbox: %s", got)
	}
	ana.Online(true)
	if err := d.Transmit(packet); err != nil {
		t.Error(err)
	}
	patience.Until(t, "all are shown", func() bool { return len(ana.Shown()) == 4 })

	o := d.Text(ana, "in a fresh session")
	o.Fresh = true
	s, err := d.Store.State(t.Context(), d.Net.Keys(o)...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Net.Open(t.Context(), o, s); err != nil {
		t.Error(err)
	}
	o.Fetched = nil
	if _, err := d.Net.Open(t.Context(), o, s); final(err) != "later" {
		t.Errorf("a third bundle within the hour: %v", err)
	}
	o.Fresh = false // a session that only ought to be renewed goes on when it cannot be
	r.shift(8 * 24 * time.Hour)
	ana.publish(t.Context())
	o.Now = r.now()
	d.Send(o)
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 5 })
}

// A customer who comes back with a new app asks for all that waited. One new session carries it: a bundle for every message
// would run into the relay's limit, and the customer would wait for hours.
func TestOneFreshSessionCarriesAllThatIsAskedForAgain(t *testing.T) {
	limits := relayserver.NoLimits()
	limits.BundlesHourly = 3
	r := newLimitedRig(t, limits)
	d, ana := r.desk(), r.handset()
	ana.Say("hello")
	d.Await(ana, "a text", 1, isText)
	ana.Online(false)
	var sent []*network.Outgoing
	for i := range 20 {
		sent = append(sent, d.Text(ana, fmt.Sprint("number ", i)))
		d.Send(sent[i])
	}
	ana.thrifty = true
	ana.Reinstall()
	d.Await(ana, "requests", len(sent), func(u kabar.Update) bool { return u.Retry != nil })
	for _, o := range sent {
		o.Fresh, o.Opened = true, false
		d.Send(o)
	}
	patience.Until(t, "all is shown", func() bool { return len(ana.Shown()) == len(sent) })

	// The same the other way: many messages that the business cannot read cost one bundle.
	asked := func() int { return len(ana.wanted()) }
	before := asked()
	for range 10 {
		ana.busy.Lock()
		ana.postRaw(nil, []byte("noise"))
		ana.busy.Unlock()
	}
	askAgain(d, ana, d.Await(ana, "something garbled", 10, isGarbled)...) // the engine asks for what waits together
	patience.Until(t, "she is asked for all", func() bool { return asked() == before+10 })
}

func TestAnExpiredMessageIsReported(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	ana.Online(false)
	o := d.Text(ana, "for an hour")
	o.Message.Expires = o.Now.Add(time.Hour)
	d.Send(o)
	late := d.Text(ana, "prepared, and then the process was down")
	late.Message.Expires = late.Now.Add(time.Hour)
	packet, err := d.Pack(late)
	if err != nil {
		t.Fatal(err)
	}
	r.shift(2 * time.Hour)
	if err := r.relay.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	u := d.Await(ana, "an expiry", 1, func(u kabar.Update) bool { return u.Expired != nil })[0]
	if len(u.Expired.Refs) != 1 || !strings.HasPrefix(u.Expired.Refs[0], o.Ref) {
		t.Errorf("expired: %v, want what begins with %s", u.Expired.Refs, o.Ref)
	}
	if got := final(d.Net.Transmit(t.Context(), packet)); got != "refused: "+string(kabar.ReasonExpired) {
		t.Errorf("a packet whose time was over: %s", got)
	}
	ana.Online(true)
	d.Send(d.Text(ana, "in time"))
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 1 })
	if got := networktest.Bodies(ana); !slices.Equal(got, []string{"in time"}) {
		t.Errorf("ana is shown %q", got)
	}
}

func TestAMessageNoEnvelopeHolds(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	d.Send(d.Text(ana, "fits"))
	_, err := d.Pack(d.Text(ana, strings.Repeat("x", 300_000)))
	if got := final(err); !strings.HasPrefix(got, "refused") {
		t.Errorf("300,000 bytes: %s", got)
	}
	// The longest that the rules allow: a template's body of which every character is escaped.
	d.Send(d.Message(ana.Customer(), &kabar.Template{Name: "long", Language: kabar.Language{Code: "en"},
		Rendered: &kabar.Rendered{Body: strings.Repeat("<", kabar.MaxTemplateBody)}}))
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 2 })
}

// The relay hangs up on whoever breaks its protocol: a strange recipient must not cost the number its connection.
func TestAStrangeHandleDoesNotCostTheConnection(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	_, since := d.Net.(network.Linked).Link()
	for _, handle := range []string{"with space", "with\x00nul", "naïve", strings.Repeat("9", 200)} {
		_, err := d.Pack(d.Message(kabar.Customer{BSUID: handle}, &kabar.Text{Body: "x"}))
		if got := final(err); got != "refused: "+string(kabar.ReasonUnknownUser) {
			t.Errorf("to %q: %s", handle, got)
		}
	}
	known, err := d.Net.(network.Directory).Lookup(t.Context(), []string{"with space", ana.account, "", "999999"})
	if err != nil || !slices.Equal(known, []bool{false, true, false, false}) {
		t.Errorf("looked up %v, %v", known, err)
	}
	if up, still := d.Net.(network.Linked).Link(); !up || !still.Equal(since) {
		t.Error("the connection was lost")
	}
}

func TestWithoutAConnectionEverythingCanBeTriedAgain(t *testing.T) {
	r := newRig(t)
	n := r.driver() // and nobody runs it
	o := &network.Outgoing{Purpose: network.PurposeMessage, Ref: "010000000000000001", To: kabar.Customer{WaID: "62900"},
		Message: &kabar.Message{Content: &kabar.Text{Body: "x"}}}
	_, _, prepared := n.Prepare(o, nil)
	_, opened := n.Open(t.Context(), o, nil)
	_, _, uploaded := n.Upload(t.Context(), strings.NewReader("x"), 1)
	_, downloaded := n.Download(t.Context(), &kabar.RemoteMedium{})
	_, found := n.Lookup(t.Context(), []string{"62900"})
	for what, err := range map[string]error{"Prepare": prepared, "Open": opened, "Transmit": n.Transmit(t.Context(), make([]byte, 100)),
		"Upload": uploaded, "Download": downloaded, "Lookup": found, "Typing": n.Typing(t.Context(), o.To, nil)} {
		if final(err) != "error" || errors.Is(err, network.ErrNeedsOpen) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if up, _ := n.Link(); up {
		t.Error("connected")
	}
}

func TestAStoredPacketThatIsDamaged(t *testing.T) {
	d := newRig(t).desk()
	for _, n := range []int{0, 10, 24, 25} {
		packet := make([]byte, n)
		if n == 25 {
			packet[24] = 200
		}
		if err := d.Net.Transmit(t.Context(), packet); err == nil {
			t.Errorf("%d bytes were transmitted", n)
		}
	}
}
