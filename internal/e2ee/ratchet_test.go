package e2ee

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestSkippedKeysAreCapped(t *testing.T) {
	alice, bob := pair(t, "cap")
	var msgs [][]byte
	for i := range 301 {
		msgs = append(msgs, alice.send(fmt.Sprint(i), epoch))
	}
	bob.expect(alice, msgs[300], "300", epoch)
	if n := len(bob.peer.sessions[0].skipped); n != maxSkipped {
		t.Fatalf("%d skipped keys stored, want %d", n, maxSkipped)
	}
	if size := len(bob.row()); size > 600+maxSkipped*48 {
		t.Errorf("row of %d bytes with %d skipped keys", size, maxSkipped)
	}
	bob.reload()
	bob.refuse(alice, msgs[99], ErrUndecryptable, epoch) // given up: must be asked for again, not dropped as a duplicate
	bob.expect(alice, msgs[100], "100", epoch)
	bob.expect(alice, msgs[299], "299", epoch)
	bob.refuse(alice, msgs[299], ErrDuplicate, epoch)
	bob.refuse(alice, msgs[300], ErrDuplicate, epoch)
}

func TestForwardSkipIsCapped(t *testing.T) {
	for _, c := range []struct {
		lost int
		want error
	}{{maxSkip, nil}, {maxSkip + 1, ErrTooFarAhead}} {
		alice, bob := pair(t, "forward")
		for range c.lost {
			alice.send("lost", epoch)
		}
		if _, err := bob.receive(alice, alice.send("x", epoch), epoch); !errors.Is(err, c.want) {
			t.Errorf("after %d lost: %v, want %v", c.lost, err, c.want)
		}
	}
	// The same across a change of chains: what is missing of the old chain counts.
	alice, bob := pair(t, "across chains")
	bob.expect(alice, alice.send("x", epoch), "x", epoch)
	for range maxSkip + 1 {
		alice.send("lost", epoch)
	}
	alice.expect(bob, bob.send("y", epoch), "y", epoch)
	bob.refuse(alice, alice.send("x", epoch), ErrTooFarAhead, epoch)
	if !errors.Is(ErrTooFarAhead, ErrUndecryptable) {
		t.Error("ErrTooFarAhead is not an ErrUndecryptable")
	}
}

// Messages of several old chains arrive long after, each once.
func TestOldChains(t *testing.T) {
	alice, bob := pair(t, "old chains")
	var late [][]byte
	for i := range 10 {
		late = append(late, alice.send(fmt.Sprint("late ", i), epoch))
		bob.expect(alice, alice.send("x", epoch), "x", epoch)
		alice.expect(bob, bob.send("y", epoch), "y", epoch)
	}
	bob.reload()
	for i, l := range slices.Backward(late) {
		bob.expect(alice, l, fmt.Sprint("late ", i), epoch)
		bob.refuse(alice, l, ErrDuplicate, epoch)
	}
}

// A peer who was set back without knowing it begins a chain again. What it then sends is new, though its place is not: it is
// reported as undecryptable, so that it is asked for again, and not as a duplicate.
func TestForkedChain(t *testing.T) {
	alice, bob := pair(t, "fork")
	alice.rnd = systemEntropy()
	backup := alice.peer
	bob.expect(alice, alice.send("in the first life", epoch), "in the first life", epoch)
	alice.peer = backup
	again := alice.send("in the second life", epoch)
	bob.refuse(alice, again, ErrUndecryptable, epoch)
	alice.refuse(bob, bob.send("to the first life", epoch), ErrUndecryptable, epoch)
}

// A receiver who was set back finds the peer chains ahead: undecryptable, never a duplicate.
func TestSetBackReceiver(t *testing.T) {
	for rounds := 1; rounds < 4; rounds++ {
		alice, bob := pair(t, "set back")
		backup := bob.peer
		for range rounds {
			bob.expect(alice, alice.send("x", epoch), "x", epoch)
			alice.expect(bob, bob.send("y", epoch), "y", epoch)
		}
		bob.peer = backup
		bob.refuse(alice, alice.send("for the present bob", epoch), ErrUndecryptable, epoch)
	}
}

func TestBodyLengths(t *testing.T) {
	alice, bob := pair(t, "lengths")
	msg := alice.send("x", epoch)
	for n := 1; n < 48; n++ {
		bob.refuse(alice, append(slices.Clip(msg), make([]byte, n)...), ErrMalformed, epoch)
	}
}

// The send ratchet is lazy: receiving makes no key, and the key that has done its work is gone.
func TestLazySendRatchet(t *testing.T) {
	alice, bob := pair(t, "lazy")
	bob.expect(alice, alice.send("x", epoch), "x", epoch)
	s := bob.peer.sessions[0]
	if s.send.active || s.send.pair.set() || s.send.key != [32]byte{} {
		t.Fatal("receiving left a ratchet key behind")
	}
	begun := s.send.begun
	bob.send("y", epoch)
	bob.send("z", epoch)
	if s := bob.peer.sessions[0]; s.send.begun != begun+1 {
		t.Fatalf("%d chains for two messages", s.send.begun-begun)
	}
}

// Every message is sealed with a key of its own, whatever chain it is in.
func TestMessageKeysAreUnique(t *testing.T) {
	alice, bob := pair(t, "unique")
	seen := map[[32]byte]bool{}
	for i := range 2000 {
		from, to := alice, bob
		if i/7%2 == 1 {
			from, to = bob, alice
		}
		msg := from.send("x", epoch)
		m, err := parseMessage(msg)
		from.must(err)
		key, err := to.peer.sessions[0].clone().messageKey(m, epoch.Unix())
		to.must(err)
		if seen[key] {
			t.Fatalf("message key of message %d was used before", i)
		}
		seen[key] = true
		to.expect(from, msg, "x", epoch)
	}
}

// A flip of any single bit of any kind of message is refused, leaves the state alone and is never taken for a duplicate.
func TestEveryBitIsAuthenticated(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	alice.initiate(bob, true, epoch)
	first := alice.send("first", epoch)
	flips(t, bob, alice, first, 7)
	bob.expect(alice, first, "first", epoch)
	flips(t, bob, alice, alice.send("known session", epoch), 7)
	alice.expect(bob, bob.send("answer", epoch), "answer", epoch)
	flips(t, bob, alice, alice.send("steady", epoch), 1)
}

// flips tries one bit in every step bytes.
func flips(t *testing.T, to, from *device, msg []byte, step int) {
	t.Helper()
	before := to.row()
	for at := 0; at < len(msg); at += step {
		bad := append([]byte(nil), msg...)
		bad[at] ^= 1 << (at % 8)
		if _, err := to.receive(from, bad, epoch); err == nil || errors.Is(err, ErrDuplicate) {
			t.Fatalf("flip in byte %d of %d: %v", at, len(msg), err)
		}
	}
	for n := range len(msg) {
		if _, err := to.receive(from, msg[:n], epoch); err == nil {
			t.Fatalf("message cut to %d bytes was accepted", n)
		}
	}
	if to.row() != before {
		t.Fatal("a damaged message changed the state")
	}
}

func TestRowSizes(t *testing.T) {
	alice, bob := pair(t, "rows")
	bob.expect(alice, alice.send("x", epoch), "x", epoch)
	t.Logf("steady row: sending side %d, listening side %d bytes", len(alice.row()), len(bob.row()))
	if len(alice.row()) > 600 || len(bob.row()) > 600 {
		t.Error("a steady row exceeds 600 bytes")
	}
	alice.initiate(bob, true, epoch)
	msg := alice.send("x", epoch)
	t.Logf("with an unanswered session: %d; first message of %d bytes on the wire", len(alice.row()), len(msg))
	for range 2 * maxSessions {
		alice.initiate(bob, true, epoch)
	}
	if n := len(alice.peer.sessions); n != maxSessions {
		t.Errorf("%d sessions kept, want %d", n, maxSessions)
	}
}
