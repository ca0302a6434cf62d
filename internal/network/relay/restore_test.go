package relay_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/network/relay"
	"kabar/internal/patience"
)

// places returns where in its session each packet of the log was encrypted: ratchet key, chain, number. Two packets in one
// place would share a message key.
func places(t *testing.T, log []networktest.Commit) map[string][]byte {
	t.Helper()
	const handshake, place = 128 + 3*4 + 32 + 1088, 32 + 4 + 4 // docs/encryption.md, message formats
	seen := map[string][]byte{}
	for _, c := range log {
		if c.Packet == nil {
			continue
		}
		text, err := relay.Ciphertext(c.Packet)
		if err != nil {
			t.Fatal(err)
		}
		from := 2
		if text[1] == 2 {
			from += handshake
		}
		at := string(text[from : from+place])
		if before, used := seen[at]; used && !bytes.Equal(before, text) {
			t.Errorf("two messages were encrypted as number %x of one chain", at[place-4:])
		}
		seen[at] = text
	}
	return seen
}

func isGarbled(u kabar.Update) bool { return u.Garbled }

// askAgain has the business ask a customer for what it could not read, as the engine does.
func askAgain(d *networktest.Desk, p networktest.Peer, us ...kabar.Update) {
	o := &network.Outgoing{Purpose: network.PurposeRetry, From: d.Number, To: p.Customer(), Now: d.Now(), Fresh: true}
	for _, u := range us {
		o.Refs = append(o.Refs, u.Ref)
	}
	d.Send(o)
}

func TestARestoredStoreStartsItsSessionsAfresh(t *testing.T) {
	r := newRig(t)
	d, ana, budi := r.desk(), r.handset(), r.handset()
	want := []string{"first", "second"}
	for _, p := range []*handset{ana, budi} {
		d.Send(d.Text(p, "first"))
		patience.Until(t, "shown", func() bool { return len(p.Shown()) == 1 })
		p.Say("hello")
		d.Await(p, "a text", 1, isText)
		d.Send(d.Text(p, "second")) // the chain is one of our own: what comes next has its place already
	}
	backup := d.Store.Snapshot()
	d.Restart() // the relay has a login to remember that the backup does not know
	for life := range 3 {
		for i := range 3 {
			body := fmt.Sprint("life ", life, " message ", i)
			want = append(want, body)
			d.Send(d.Text(ana, body))
			d.Send(d.Text(budi, body))
		}
		patience.Until(t, "all of this life is shown", func() bool { return len(ana.Shown()) == len(want) && len(budi.Shown()) == len(want) })
		ana.Say(fmt.Sprint("answer in life ", life)) // the ratchet turns, and this turn will be lost
		d.Await(ana, "an answer", life+2, isText)
		if _, err := d.Pack(d.Text(ana, "never transmitted")); err != nil {
			t.Fatal(err)
		}
		d.Stop()
		d.Store.Restore(backup)
		d.Start()
	}
	// Whoever speaks first, it gets through. Budi writes in the session that was lost.
	d.Send(d.Text(ana, "we are back"))
	ana.Say("good")
	answerGarbled(t, d, ana, 5)
	budi.Say("are you there?")
	answerGarbled(t, d, budi, 2)
	d.Send(d.Text(budi, "we are"))
	patience.Until(t, "all is shown", func() bool { return len(ana.Shown()) > len(want) && len(budi.Shown()) > len(want) })
	if got := networktest.Bodies(ana); !slices.Equal(got, append(slices.Clone(want), "we are back")) {
		t.Errorf("ana is shown %q", got)
	}
	if got := networktest.Bodies(budi); !slices.Equal(got, append(slices.Clone(want), "we are")) {
		t.Errorf("budi is shown %q", got)
	}
	if got := d.Texts(budi); !slices.Equal(got, []string{"hello", "are you there?"}) {
		t.Errorf("budi has said %q", got)
	}
	if n := len(places(t, d.Store.Log())); n < 2*len(want) {
		t.Errorf("only %d places were compared", n)
	}
}

func isText(u kabar.Update) bool {
	if u.Message == nil {
		return false
	}
	_, ok := u.Message.Content.(*kabar.Text)
	return ok
}

// answerGarbled waits until n texts of a customer have been heard, and asks again for what cannot be read.
func answerGarbled(t *testing.T, d *networktest.Desk, p networktest.Peer, n int) {
	t.Helper()
	asked := 0
	patience.Until(t, fmt.Sprint(n, " texts are heard"), func() bool {
		for _, u := range d.Heard(p, isGarbled)[asked:] {
			asked++
			askAgain(d, p, u)
		}
		return len(d.Heard(p, isText)) >= n
	})
}

// A packet that was committed before the backup goes out again with the same bytes.
func TestAPacketInABackupIsTheSameAfterTheRestore(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	packet, err := d.Pack(d.Text(ana, "in the backup"))
	if err != nil {
		t.Fatal(err)
	}
	backup := d.Store.Snapshot()
	if err := d.Transmit(packet); err != nil {
		t.Fatal(err)
	}
	d.Send(d.Text(ana, "not in the backup"))
	patience.Until(t, "both are shown", func() bool { return len(ana.Shown()) == 2 })
	d.Restart()
	d.Stop()
	d.Store.Restore(backup)
	d.Start()
	if err := d.Transmit(packet); err != nil {
		t.Fatal(err)
	}
	d.Send(d.Text(ana, "later"))
	patience.Until(t, "the third is shown", func() bool { return len(ana.Shown()) == 3 })
	if got := networktest.Bodies(ana); !slices.Equal(got, []string{"in the backup", "not in the backup", "later"}) {
		t.Errorf("ana is shown %q", got)
	}
	places(t, d.Store.Log())
}

// A store that is set back to a backup of the very same connection looks like a process that died and came back: the relay
// cannot tell. The customer notices that keys were used and asks again, and the salts differ.
func TestARestoreThatTheRelayCannotNotice(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	ana.Say("hello")
	d.Await(ana, "a text", 1, isText)
	d.Send(d.Text(ana, "one"))
	backup := d.Store.Snapshot()
	d.Send(d.Text(ana, "two"))
	patience.Until(t, "two are shown", func() bool { return len(ana.Shown()) == 2 })
	d.Stop()
	d.Store.Restore(backup)
	d.Start()
	o := d.Text(ana, "three")
	d.Send(o) // with the key of "two"
	d.Await(ana, "a request to repeat", 1, func(u kabar.Update) bool { return u.Retry != nil })
	o.Fresh, o.Opened = true, false
	d.Send(o)
	patience.Until(t, "the third is shown", func() bool { return len(ana.Shown()) == 3 })
	salts := map[string]bool{}
	for _, text := range ana.arrived() {
		if text[1] == 1 {
			salts[string(text[2+32+12:2+32+12+16])] = true
		}
	}
	if len(salts) != 3 {
		t.Errorf("%d salts for 3 ordinary messages", len(salts))
	}
}

// A process that died and has lost nothing goes on in its sessions: nobody pays for new ones.
func TestAnOrdinaryRestartKeepsItsSessions(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	d.Send(d.Text(ana, "one"))
	ana.Say("hello")
	d.Await(ana, "a text", 1, isText)
	for i := range 3 {
		d.Restart()
		d.Send(d.Text(ana, "again"))
		patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == i+2 })
	}
	for i, wire := range ana.arrived()[1:] {
		if wire[1] != 1 {
			t.Errorf("message %d came with a new handshake", i+2)
		}
	}
}

func TestNothingIsEncryptedBeforeTheRelayHasBeenAsked(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	d.Send(d.Text(ana, "hello"))
	o := d.Text(ana, "too early")
	s, err := d.Store.State(t.Context(), d.Net.Keys(o)...)
	if err != nil {
		t.Fatal(err)
	}
	d.Stop()
	r.wire.set(false)
	n, ctx, done := r.driver(), t.Context(), make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(done)
		_ = n.Run(ctx, d.Store) // it ends with ctx
	}()
	for range 50 { // it has read its state by now, and cannot connect
		if _, _, err := n.Prepare(o, s); err == nil {
			t.Fatal("a driver that has never been connected has encrypted")
		}
		time.Sleep(2 * time.Millisecond)
	}
	r.wire.set(true)
	patience.Until(t, "it encrypts once it is connected", func() bool {
		_, _, err := n.Prepare(o, s)
		return err == nil
	})
	cancel()
	<-done
}
