package relay_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/patience"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

// kept returns what the store keeps in the place of an envelope that could not be read.
func kept(d *networktest.Desk, from, envelope string) []byte {
	key := "garbled/" + from + "/" + envelope[31:]
	s, _ := d.Store.State(context.Background(), key) // it has no other error than that of a context
	return s[key].Value
}

func TestWhatCannotBeReadIsKeptAndAskedForAgain(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	ana.Say("hello")
	d.Await(ana, "a text", 1, isText)

	noise := bytes.Repeat([]byte("noise"), 100)
	ana.busy.Lock()
	id := ana.postRaw(nil, noise)
	ana.busy.Unlock()
	u := d.Await(ana, "something garbled", 1, isGarbled)[0]
	if u.Ref != hex.EncodeToString(id[:]) || u.At.IsZero() || !bytes.Equal(kept(d, ana.account, u.Ref), append(id[:], noise...)) {
		t.Errorf("the update is %+v, and %d bytes are kept", u, len(kept(d, ana.account, u.Ref)))
	}
	askAgain(d, ana, u)
	patience.Until(t, "she is asked", func() bool { return slices.Contains(ana.wanted(), u.Ref) })
	if wires := ana.arrived(); wires[len(wires)-1][1] != 2 {
		t.Error("the request came in the session in which something could not be read")
	}

	// A message in a session that the business does not have (any more).
	var lost atomic.Bool
	d.Store.Around(func(_ context.Context, u kabar.Update, commit func() error) error {
		if err := commit(); err != nil || !u.Garbled || lost.Swap(true) {
			return err
		}
		return errors.New("the answer got lost") // the same envelope is worked again
	})
	budi := r.handset()
	budi.busy.Lock()
	budi.open()
	budi.peer = must(e2ee.UnmarshalPeer(spoil(must(budi.peer.MarshalBinary()))))
	m := &payload.Message{ID: newID(), Kind: kabar.KindText, Content: must(payload.Strip(&kabar.Text{Body: "read me"}))}
	budi.post(&payload.Payload{Message: m})
	budi.busy.Unlock()
	answerGarbled(t, d, budi, 1)
	if got := d.Heard(budi, isText)[0]; got.Ref != m.ID {
		t.Errorf("the repeated message has the id %s, want %s", got.Ref, m.ID)
	}
	if n := len(d.Heard(budi, isGarbled)); n != 1 {
		t.Errorf("asked %d times for one envelope", n)
	}
}

// A customer may send any amount of noise: all of it is reported, little of it is kept.
func TestNoiseDoesNotFillTheStore(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	const n = 100
	for range n {
		ana.busy.Lock()
		ana.postRaw(nil, bytes.Repeat([]byte("noise"), 100))
		ana.busy.Unlock()
	}
	d.Await(ana, "something garbled", n, isGarbled)
	if n := has(d, "garbled"); n == 0 || n > 16 {
		t.Errorf("%d envelopes are kept, want up to 16", n)
	}
	ana.Say("sorry")
	d.Await(ana, "a text", 1, isText)
}

// spoil changes the root of a stored session. The row is version, identity (128), added (4), count of spent (1), count of
// sessions (1), flags (1), transcript (32), auth (32), root.
func spoil(row []byte) []byte {
	row = bytes.Clone(row)
	row[1+128+4+1+1+1+32] ^= 1
	return row
}

func (h *handset) wanted() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.asked)
}

func (h *handset) typing() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.typed
}

func TestTypingNeverChangesAnyState(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	typist := d.Net.(network.Typist)
	typing := func() {
		t.Helper()
		o := d.Text(ana, "")
		s, err := d.Store.State(t.Context(), d.Net.Keys(o)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := typist.Typing(t.Context(), ana.Customer(), s); err != nil {
			t.Fatal(err)
		}
	}
	typing() // to somebody we have never met: nobody sees it, and nothing is wrong
	d.Send(d.Text(ana, "hello"))
	ana.Say("hello")
	d.Await(ana, "a text", 1, isText)
	patience.Until(t, "the first text is shown", func() bool { return len(ana.Shown()) == 1 })
	commits, arrived := len(d.Store.Log()), len(ana.arrived())
	for i := range 5 {
		typing()
		patience.Until(t, "typing is shown", func() bool { return ana.typing() == i+1 })
	}
	ana.busy.Lock()
	sign, next, err := ana.peer.SealSignal(must(payload.Encode(&payload.Payload{Typing: &payload.Typing{On: true}}, r.now())), r.now())
	if err == nil {
		ana.peer = next
		err = ana.conn.Signal(t.Context(), relayclient.Address{Account: business}, sign)
	}
	ana.busy.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if n := len(d.Store.Log()) - commits; n != 0 {
		t.Errorf("typing has committed %d times", n)
	}
	if n := len(ana.arrived()) - arrived; n != 0 {
		t.Errorf("typing has brought %d envelopes", n)
	}
	d.Send(d.Text(ana, "what I was typing"))
	ana.Say("so was I")
	d.Await(ana, "a text", 2, isText)
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 2 })
}

// What a customer says besides messages and receipts.
func TestOtherNewsOfACustomer(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	ref := ana.Say("oops")
	ana.say(&payload.Payload{Deleted: &payload.Deleted{ID: ref}})
	ana.say(&payload.Payload{Blocked: &payload.Blocked{Blocked: true}})
	ana.say(&payload.Payload{Blocked: &payload.Blocked{Blocked: false}})
	ana.say(&payload.Payload{Reported: &payload.Reported{}})
	us := d.Await(ana, "news", 5, anything)
	if us[1].Deleted != ref || us[2].Blocked == nil || !*us[2].Blocked || us[3].Blocked == nil || *us[3].Blocked || !us[4].Reported {
		t.Errorf("the news are %+v", us)
	}
	for _, u := range us {
		if u.From.Name != "Ana" || u.NewIdentity == "" || u.At.IsZero() {
			t.Errorf("who and when: %+v", u)
		}
	}
}

// A customer who asks for many things, each written before she saw the new session, costs one new session and not one each: a
// peer keeps few, and what is on its way in a forgotten one would have to be asked for again.
func TestManyRequestsBeginOneSession(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	o := d.Text(ana, "hello")
	d.Send(o)
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 1 })
	isRetry := func(u kabar.Update) bool { return u.Retry != nil }
	asked := 0
	wantOpen := func(want bool) {
		t.Helper()
		ana.say(&payload.Payload{Retry: &payload.Retry{IDs: []string{o.Ref}}})
		asked++
		d.Await(ana, "a request to repeat", asked, isRetry)
		again := *o
		again.Fresh, again.Opened, again.Now = true, false, d.Now()
		s, err := d.Store.State(t.Context(), d.Net.Keys(&again)...)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Net.Prepare(&again, s); errors.Is(err, network.ErrNeedsOpen) != want {
			t.Fatalf("request %d: Prepare says %v, want a new session: %t", asked, err, want)
		}
		d.Send(&again)
	}
	wantOpen(false)
	r.shift(6 * time.Second)
	wantOpen(true)
	for range 4 {
		wantOpen(false)
	}
}
