package e2ee

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestConversation(t *testing.T) {
	for _, oneTime := range []bool{true, false} {
		t.Run(fmt.Sprintf("one-time keys %v", oneTime), func(t *testing.T) {
			alice, bob := newDevice(t, "alice", systemEntropy()), newDevice(t, "bob", systemEntropy())
			alice.initiate(bob, oneTime, epoch)
			bob.reloadKeys()
			bob.expect(alice, alice.send("one", epoch), "one", epoch)
			bob.expect(alice, alice.send("two", epoch), "two", epoch)
			for i := range 20 {
				alice.reload()
				bob.reload()
				text := strings.Repeat("x", i*37)
				alice.expect(bob, bob.send(text, epoch), text, epoch)
				bob.expect(alice, alice.send(text, epoch), text, epoch)
				bob.expect(alice, alice.send("", epoch), "", epoch)
			}
		})
	}
}

func TestNothingToEncryptWith(t *testing.T) {
	alice, bob := pair(t, "nothing")
	pinned, err := (*Peer)(nil).Pin(bob.id.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Peer{nil, {}, pinned, (*Peer)(nil).Clone(), (*Peer)(nil).Retire()} {
		if _, _, err := p.Encrypt([]byte("x"), epoch); !errors.Is(err, ErrNoSession) {
			t.Errorf("Encrypt = %v, want ErrNoSession", err)
		}
		if _, _, err := p.SealSignal([]byte("x"), epoch); !errors.Is(err, ErrNoSession) {
			t.Errorf("SealSignal = %v, want ErrNoSession", err)
		}
		if !p.NeedsRehandshake(epoch) {
			t.Error("NeedsRehandshake is false without a session")
		}
	}
	if _, _, err := alice.peer.Encrypt(make([]byte, MaxPlaintext+1), epoch); !errors.Is(err, ErrTooLong) {
		t.Errorf("Encrypt of too much = %v, want ErrTooLong", err)
	}
	long := string(bytes.Repeat([]byte("m"), MaxPlaintext))
	msg := alice.send(long, epoch)
	if len(msg) > MaxMessage {
		t.Errorf("longest message has %d bytes, more than MaxMessage", len(msg))
	}
	bob.expect(alice, msg, long, epoch)
}

func TestOperationsLeaveTheirStateAlone(t *testing.T) {
	alice, bob := pair(t, "pure")
	before := alice.row()
	msg, next, err := alice.peer.Encrypt([]byte("x"), epoch)
	alice.must(err)
	if alice.row() != before {
		t.Fatal("Encrypt changed its receiver")
	}
	bobBefore := bob.row()
	if _, _, _, err := Decrypt(bob.id, bob.addr, alice.addr, bob.peer, msg, bob.keys, epoch); err != nil {
		t.Fatal(err)
	}
	if bob.row() != bobBefore {
		t.Fatal("Decrypt changed its state")
	}
	clone := next.Clone()
	alice.peer = next
	alice.send("y", epoch)
	a, _ := next.MarshalBinary()
	b, _ := clone.MarshalBinary()
	if !bytes.Equal(a, b) {
		t.Fatal("an operation on the original reached the clone")
	}
}

func TestFirstMessagesCarryTheHandshakeUntilAnswered(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	alice.initiate(bob, true, epoch)
	first, second := alice.send("first", epoch), alice.send("second", epoch)
	for _, msg := range [][]byte{first, second} {
		ids, handshake, err := PreKeyIDs(msg)
		if err != nil || !handshake || ids.OneTime == 0 {
			t.Fatalf("PreKeyIDs = %+v, %v, %v", ids, handshake, err)
		}
		if who, ok, err := Sender(msg); err != nil || !ok || !who.Equal(alice.id.Public()) {
			t.Fatalf("Sender = %v, %v", ok, err)
		}
	}
	bob.expect(alice, second, "second", epoch) // out of order, and the one-time keys are gone after it
	if len(bob.keys.OneTime) != 0 || len(bob.keys.KEM) != 1 {
		t.Fatal("the used one-time keys are still there")
	}
	bob.expect(alice, first, "first", epoch)
	bob.refuse(alice, first, ErrDuplicate, epoch)
	alice.expect(bob, bob.send("answer", epoch), "answer", epoch)
	if _, handshake, _ := PreKeyIDs(alice.send("third", epoch)); handshake {
		t.Fatal("the handshake is repeated after the answer")
	}
}

func TestReinstall(t *testing.T) {
	alice, bob := pair(t, "reinstall")
	old := alice.peer
	bob.reinstall()
	bob.refuse(alice, alice.send("lost", epoch), ErrUndecryptable, epoch)

	// Bob asks again in a fresh session, which shows his new identity.
	bob.initiate(alice, true, epoch)
	request := bob.send("again please", epoch)
	before := alice.peer
	alice.expect(bob, request, "again please", epoch)
	if !IdentityChanged(before, alice.peer) || !alice.peer.Identity().Equal(bob.id.Public()) {
		t.Fatal("the new identity is not reported")
	}
	if len(alice.peer.sessions) != 1 {
		t.Fatal("sessions with the old identity are kept")
	}
	bob.expect(alice, alice.send("lost", epoch), "lost", epoch)

	// The other way round: Alice notices at the directory, and decides.
	_, err := Initiate(alice.id, alice.addr, bob.addr, bob.bundle(true), old, epoch)
	if !errors.Is(err, ErrIdentityChanged) {
		t.Fatalf("Initiate with another identity = %v, want ErrIdentityChanged", err)
	}
	accepted, err := old.Pin(bob.id.Public())
	alice.must(err)
	alice.peer = accepted
	alice.initiate(bob, true, epoch)
	bob.expect(alice, alice.send("hello, new bob", epoch), "hello, new bob", epoch)
}

// A restored backup sends with message keys that were used before. The salt makes every other key different.
func TestRollbackNeverReusesKeystream(t *testing.T) {
	alice, bob := pair(t, "rollback")
	alice.rnd = systemEntropy()
	alice.send("begins the chain", epoch)
	backup := alice.row()
	plain := [2]string{strings.Repeat("a", 60), strings.Repeat("b", 60)}
	var body [2][]byte
	var msg [2][]byte
	for i := range plain {
		alice.peer, _ = UnmarshalPeer([]byte(backup))
		msg[i] = alice.send(plain[i], epoch)
		m, err := parseMessage(msg[i])
		alice.must(err)
		body[i] = m.body[:60]
	}
	stream := make([][]byte, 2)
	for i := range stream {
		stream[i] = make([]byte, 60)
		subtle.XORBytes(stream[i], body[i], []byte(plain[i]))
	}
	if bytes.Equal(stream[0], stream[1]) {
		t.Fatal("the keystream repeats after a rollback")
	}
	bob.expect(alice, msg[0], plain[0], epoch)
	bob.refuse(alice, msg[1], ErrDuplicate, epoch)
}

// A store that knows it was set back retires its sessions: they still receive, and sending waits for a new one.
func TestRetire(t *testing.T) {
	alice, bob := pair(t, "retire")
	alice.peer = alice.peer.Retire()
	alice.reload()
	if _, _, err := alice.peer.Encrypt([]byte("x"), epoch); !errors.Is(err, ErrNoSession) {
		t.Fatalf("Encrypt in a retired session: %v, want ErrNoSession", err)
	}
	if _, _, err := alice.peer.SealSignal([]byte("x"), epoch); !errors.Is(err, ErrNoSession) {
		t.Fatalf("SealSignal in a retired session: %v, want ErrNoSession", err)
	}
	if alice.peer.HasSession() || !alice.peer.NeedsRehandshake(epoch) {
		t.Fatal("a retired session counts as one")
	}
	alice.expect(bob, bob.send("on its way", epoch), "on its way", epoch)
	late := bob.send("later still", epoch)
	bob.initiate(alice, true, epoch)
	alice.expect(bob, bob.send("afresh", epoch), "afresh", epoch)
	alice.expect(bob, late, "later still", epoch)
	bob.expect(alice, alice.send("answer", epoch), "answer", epoch)
	if alice.peer.sessions[0].retired {
		t.Fatal("a retired session came back to the front")
	}
}

func TestNeedsRehandshake(t *testing.T) {
	alice, bob := pair(t, "renew")
	if alice.peer.NeedsRehandshake(epoch.Add(SessionLifetime-time.Second)) || bob.peer.NeedsRehandshake(epoch) {
		t.Fatal("advised too early")
	}
	if !alice.peer.NeedsRehandshake(epoch.Add(SessionLifetime)) {
		t.Fatal("not advised after seven days")
	}
	for !alice.peer.NeedsRehandshake(epoch) {
		bob.expect(alice, alice.send("x", epoch), "x", epoch)
	}
	if n := alice.peer.sessions[0].count; n != SessionMessages {
		t.Fatalf("advised after %d messages", n)
	}
	late := bob.send("on its way in the old session", epoch)
	alice.initiate(bob, true, epoch)
	alice.expect(bob, late, "on its way in the old session", epoch)
	if alice.peer.NeedsRehandshake(epoch) || !alice.peer.sessions[0].initiator || alice.peer.sessions[0].confirmed() {
		t.Fatal("a late message of the old session took the new one's place")
	}
	bob.expect(alice, alice.send("renewed", epoch), "renewed", epoch)
	alice.expect(bob, bob.send("indeed", epoch), "indeed", epoch)
	if bob.peer.NeedsRehandshake(epoch) || bob.peer.sessions[0].transcript != alice.peer.sessions[0].transcript {
		t.Fatal("the two sides do not use the same session")
	}
}

func TestExpire(t *testing.T) {
	alice, bob := pair(t, "expire")
	lost := alice.send("lost for long", epoch)
	bob.expect(alice, alice.send("x", epoch), "x", epoch)
	if _, changed := bob.peer.Expire(epoch.Add(skippedLife - time.Second)); changed {
		t.Fatal("expired too early")
	}
	later := epoch.Add(skippedLife)
	next, changed := bob.peer.Expire(later)
	if !changed || len(next.sessions[0].skipped) != 0 {
		t.Fatal("a skipped key outlived 30 days")
	}
	bob.refuse(alice, lost, ErrUndecryptable, later) // given up, not used: it is asked for again, not dropped
	bob.peer = next
	bob.refuse(alice, lost, ErrUndecryptable, later)

	alice.initiate(bob, true, epoch)
	if len(alice.peer.sessions) != 2 {
		t.Fatal("expected two sessions")
	}
	next, changed = alice.peer.Expire(epoch.Add(idleLife))
	if !changed || len(next.sessions) != 1 || !next.sessions[0].initiator {
		t.Fatal("an idle session behind the front outlived 30 days")
	}
	if _, changed = next.Expire(epoch.Add(2 * idleLife)); changed {
		t.Fatal("the front session expired")
	}
}

func TestPreKeyLifetimes(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	signed, last := bob.keys.Signed[0], bob.keys.KEM[0]
	week, gone := epoch.Add(PreKeyRotation), epoch.Add(PreKeyRotation+PreKeyGrace)
	if signed.NeedsRotation(week.Add(-1)) || !signed.NeedsRotation(week) ||
		last.NeedsRotation(week.Add(-1)) || !last.NeedsRotation(week) {
		t.Error("rotation is not at seven days")
	}
	if signed.Expired(gone.Add(-1)) || !signed.Expired(gone) || last.Expired(gone.Add(-1)) || !last.Expired(gone) {
		t.Error("expiry is not 30 days after rotation")
	}
	once, err := GenerateKEMPreKey(bob.id, 99, true, epoch)
	bob.must(err)
	if once.NeedsRotation(gone) || once.Expired(gone) {
		t.Error("a one-time key has a lifetime")
	}
	alice.initiate(bob, false, epoch)
	msg := alice.send("slow post", epoch)
	bob.refuse(alice, msg, ErrUnknownPreKey, gone)
	bob.expect(alice, msg, "slow post", gone.Add(-time.Second))
}

// A handshake without one-time keys could be played again once its session is gone; it is remembered.
func TestReplayedHandshakeIsRefused(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	alice.initiate(bob, false, epoch)
	first := alice.send("pay 100", epoch)
	bob.expect(alice, first, "pay 100", epoch)
	for range maxSessions {
		alice.initiate(bob, true, epoch)
		bob.expect(alice, alice.send("x", epoch), "x", epoch)
	}
	bob.reload()
	bob.refuse(alice, first, ErrDuplicate, epoch)
	renewed, err := bob.peer.Pin(newDevice(t, "alice", fixed("new")).id.Public())
	bob.must(err)
	bob.peer = renewed
	bob.refuse(alice, first, ErrDuplicate, epoch)
	next, changed := bob.peer.Expire(epoch.Add(spentLife))
	if !changed || len(next.spent) != 0 {
		t.Fatal("the memory of a handshake outlives its prekeys")
	}
}
