package e2ee

import (
	"errors"
	"testing"
	"time"
)

// expectSignal opens a signal and commits the sequence.
func (d *device) expectSignal(msg []byte, want string) {
	d.t.Helper()
	data, next, err := d.peer.OpenSignal(msg)
	if err != nil || string(data) != want {
		d.t.Fatalf("signal %q, %v; want %q", data, err, want)
	}
	d.peer = next
}

func (d *device) signal(data string, now time.Time) []byte {
	d.t.Helper()
	msg, next, err := d.peer.sealSignal(d.rnd, []byte(data), now)
	d.must(err)
	d.peer = next
	return msg
}

func TestTenThousandLostSignals(t *testing.T) {
	alice, bob := pair(t, "signals")
	bob.reload()
	before := bob.peer
	for range 10_000 {
		alice.signal("typing", epoch)
	}
	bob.expect(alice, alice.send("done typing", epoch), "done typing", epoch)
	if n := len(bob.peer.sessions[0].skipped); n != 0 {
		t.Fatalf("lost signals left %d skipped keys", n)
	}
	if got, was := bob.peer.sessions[0].recv.next, before.sessions[0].recv.next; got > was+1 {
		t.Fatal("signals advanced the ratchet")
	}
	bob.expectSignal(alice.signal("typing", epoch), "typing")
}

func TestSignalSequence(t *testing.T) {
	alice, bob := pair(t, "sequence")
	first, second := alice.signal("1", epoch), alice.signal("2", epoch)
	bob.expectSignal(second, "2")
	for name, msg := range map[string][]byte{"older": first, "same": second} {
		if _, _, err := bob.peer.OpenSignal(msg); !errors.Is(err, ErrDuplicate) {
			t.Errorf("%s signal: %v, want ErrDuplicate", name, err)
		}
	}
	if _, _, err := alice.peer.OpenSignal(second); !errors.Is(err, ErrUndecryptable) {
		t.Errorf("reflected signal: %v, want ErrUndecryptable", err)
	}

	// Without any commit on the sender's side, the clock alone keeps the sequence rising.
	state := alice.peer
	for i := range 5 {
		alice.peer = state
		bob.expectSignal(alice.signal("x", epoch.Add(time.Duration(i+1)*time.Millisecond)), "x")
	}
	// A clock set back does not lower the sequence of one who remembers it.
	bob.expectSignal(alice.signal("y", epoch.Add(-time.Hour)), "y")
}

func TestSignalsOutliveTheRatchet(t *testing.T) {
	alice, bob := pair(t, "across")
	early := alice.signal("early", epoch)
	for range 5 {
		bob.expect(alice, alice.send("x", epoch), "x", epoch)
		alice.expect(bob, bob.send("y", epoch), "y", epoch)
	}
	bob.expectSignal(early, "early")
	alice.initiate(bob, true, epoch)
	bob.expectSignal(alice.signal("in the session bob knows", epoch.Add(1)), "in the session bob knows")
	bob.expect(alice, alice.send("x", epoch), "x", epoch)
	alice.expect(bob, bob.send("y", epoch), "y", epoch)
	bob.expectSignal(alice.signal("in the new session", epoch), "in the new session")
}

func TestSignalNeedsAProvedSession(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	alice.initiate(bob, true, epoch)
	if _, _, err := alice.peer.SealSignal([]byte("typing"), epoch); !errors.Is(err, ErrNoSession) {
		t.Fatalf("signal before the answer: %v, want ErrNoSession", err)
	}
	bob.expect(alice, alice.send("x", epoch), "x", epoch)
	msg := bob.signal("typing", epoch)
	alice.expectSignal(msg, "typing")
	if _, _, err := (*Peer)(nil).OpenSignal(msg); !errors.Is(err, ErrUndecryptable) {
		t.Errorf("signal from nobody: %v, want ErrUndecryptable", err)
	}
}

// The length of what is on the wire tells the bucket and nothing else: not signal from message, not where in the session.
func TestTrafficShape(t *testing.T) {
	alice, bob := pair(t, "shape")
	for _, n := range []int{0, 3, 15, 16, 40, 63, 64, 159, 160, 1599, 1600, 5000} {
		data := string(make([]byte, n))
		msg, sig := alice.send(data, epoch), alice.signal(data, epoch)
		if len(msg) != len(sig) {
			t.Errorf("%d bytes: message of %d, signal of %d", n, len(msg), len(sig))
		}
		if want := 2 + headerSize + bucket(n+1) + tagSize; len(msg) != want {
			t.Errorf("%d bytes: message of %d, want %d", n, len(msg), want)
		}
		if !IsSignal(sig) || IsSignal(msg) {
			t.Error("IsSignal is wrong")
		}
		bob.expect(alice, msg, data, epoch)
	}
}

func TestSignalBitFlips(t *testing.T) {
	alice, bob := pair(t, "flip")
	msg := alice.signal("typing", epoch)
	for at := range msg {
		bad := append([]byte(nil), msg...)
		bad[at] ^= 1
		if _, _, err := bob.peer.OpenSignal(bad); err == nil || errors.Is(err, ErrDuplicate) {
			t.Fatalf("flip in byte %d: %v", at, err)
		}
	}
}
