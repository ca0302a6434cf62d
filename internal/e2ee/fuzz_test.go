package e2ee

import (
	"bytes"
	"encoding"
	"errors"
	"testing"
)

// known says whether an error is one that callers are told about.
func known(err error) bool {
	return errors.Is(err, ErrMalformed) || errors.Is(err, ErrUndecryptable) || errors.Is(err, ErrDuplicate)
}

// FuzzDecrypt feeds any bytes to a device with a session, and to one without.
func FuzzDecrypt(f *testing.F) {
	alice, bob := pair(f, "fuzz")
	steady := alice.send("steady", epoch)
	alice.initiate(bob, false, epoch)
	fresh := alice.send("fresh", epoch)
	for _, seed := range [][]byte{nil, {protoVersion}, steady, fresh, steady[:40], fresh[:600], alice.signal("x", epoch)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		genuine := bytes.Equal(msg, steady) || bytes.Equal(msg, fresh)
		for _, p := range []*Peer{nil, bob.peer} {
			text, next, used, err := Decrypt(bob.id, bob.addr, alice.addr, p, msg, bob.keys, epoch)
			if err == nil != (next != nil) || err != nil && (!known(err) || text != nil || used != UsedKeys{}) {
				t.Fatalf("Decrypt = %q, %v, %v, %v", text, next, used, err)
			}
			if err == nil && !genuine {
				t.Fatalf("a forged message opened: %q", text)
			}
		}
		if _, _, err := PreKeyIDs(msg); err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("PreKeyIDs: %v", err)
		}
		if _, _, err := Sender(msg); err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("Sender: %v", err)
		}
	})
}

// FuzzHandshake spoils what lies behind the first bytes of a genuine first message, where mutation rarely gets otherwise.
func FuzzHandshake(f *testing.F) {
	alice, bob := newDevice(f, "alice", fixed("a")), newDevice(f, "bob", fixed("b"))
	alice.initiate(bob, true, epoch)
	first := alice.send("first", epoch)
	f.Add(uint16(130), []byte{0, 0, 0, 9})
	f.Add(uint16(142), make([]byte, 32))
	f.Add(uint16(1262), make([]byte, 32))
	f.Add(uint16(1294), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, at uint16, patch []byte) {
		msg := bytes.Clone(first)
		copy(msg[min(int(at), len(msg)):], patch)
		_, _, _, err := Decrypt(bob.id, bob.addr, alice.addr, nil, msg, bob.keys, epoch)
		if genuine := bytes.Equal(msg, first); genuine != (err == nil) || err != nil && !known(err) {
			t.Fatalf("genuine %v: %v", genuine, err)
		}
	})
}

// FuzzInsider is a malicious peer: its headers pass the check, its fields are anything.
func FuzzInsider(f *testing.F) {
	alice, bob := pair(f, "insider")
	f.Add(uint32(1), uint32(0), uint32(0), make([]byte, 32), []byte("x"))
	f.Add(^uint32(0), ^uint32(0), ^uint32(0), []byte{1}, []byte{})
	f.Add(uint32(0), uint32(1000), uint32(1001), []byte{9}, make([]byte, 16))
	f.Fuzz(func(t *testing.T, chain, number, previous uint32, ratchet, body []byte) {
		s := alice.peer.sessions[0]
		m := message{chain: chain, number: number, previous: previous}
		copy(m.ratchet[:], ratchet)
		if len(ratchet) == 0 {
			m.ratchet = s.send.pair.pub
		}
		msg := m.appendPrefix(nil, nil)
		msg = append(msg, checkOf(s.outKey(infoHeader), msg)...)
		sealed := make([]byte, bucket(len(body))+tagSize)
		copy(sealed, body)
		msg = append(msg, sealed...)
		if _, _, _, err := Decrypt(bob.id, bob.addr, alice.addr, bob.peer, msg, PreKeys{}, epoch); err == nil || !known(err) {
			t.Fatalf("Decrypt = %v", err)
		}
	})
}

// FuzzOpenSignal feeds any bytes as a signal.
func FuzzOpenSignal(f *testing.F) {
	alice, bob := pair(f, "fuzz signal")
	genuine := alice.signal("typing", epoch)
	for _, seed := range [][]byte{nil, genuine, genuine[:30], {protoVersion, kindSignal}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		_, next, err := bob.peer.OpenSignal(msg)
		if (err == nil) != bytes.Equal(msg, genuine) || (err == nil) != (next != nil) || err != nil && !known(err) {
			t.Fatalf("OpenSignal = %v", err)
		}
	})
}

// canonical insists that what a parser accepts is what the writer writes.
func canonical(t *testing.T, data []byte, v encoding.BinaryMarshaler, err error) bool {
	t.Helper()
	if err != nil {
		if !errors.Is(err, ErrMalformed) {
			t.Fatalf("unexpected error: %v", err)
		}
		return false
	}
	again, err := v.MarshalBinary()
	if err != nil || !bytes.Equal(again, data) {
		t.Fatalf("accepted %x, writes %x, %v", data, again, err)
	}
	return true
}

func FuzzParseBundle(f *testing.F) {
	alice, bob := newDevice(f, "alice", fixed("a")), newDevice(f, "bob", fixed("b"))
	for _, oneTime := range []bool{true, false} {
		seed, err := bob.bundle(oneTime).MarshalBinary()
		bob.must(err)
		f.Add(seed)
		f.Add(seed[:len(seed)-1])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBundle(data)
		if !canonical(t, data, b, err) {
			return
		}
		if _, err := Initiate(alice.id, alice.addr, bob.addr, b, nil, epoch); err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("Initiate: %v", err)
		}
	})
}

// FuzzUnmarshalPeer also works with whatever row was accepted: nothing may panic.
func FuzzUnmarshalPeer(f *testing.F) {
	alice, bob := pair(f, "fuzz peer")
	alice.send("skipped", epoch)
	msg := alice.send("x", epoch)
	sig := bob.signal("typing", epoch)
	bob.expect(alice, msg, "x", epoch)
	f.Add([]byte(bob.row()))
	alice.initiate(bob, false, epoch)
	f.Add([]byte(alice.row()))
	next, err := alice.peer.Pin(bob.id.Public())
	alice.must(err)
	pinned, _ := next.MarshalBinary()
	f.Add(pinned)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := UnmarshalPeer(data)
		if !canonical(t, data, p, err) {
			return
		}
		p.NeedsRehandshake(epoch)
		p.Expire(epoch.Add(idleLife))
		p.Clone().Encrypt([]byte("x"), epoch)
		p.SealSignal([]byte("x"), epoch)
		p.OpenSignal(sig)
		Decrypt(bob.id, bob.addr, alice.addr, p, msg, bob.keys, epoch)
	})
}

func FuzzUnmarshalIdentity(f *testing.F) {
	seed, _ := newDevice(f, "alice", fixed("a")).id.MarshalBinary()
	f.Add(seed)
	f.Add(seed[1:])
	f.Fuzz(func(t *testing.T, data []byte) {
		id, err := UnmarshalIdentity(data)
		canonical(t, data, id, err)
	})
}

func FuzzUnmarshalPreKeys(f *testing.F) {
	d := newDevice(f, "alice", fixed("a"))
	d.bundle(true)
	for _, k := range []encoding.BinaryMarshaler{d.keys.Signed[0], d.keys.KEM[0], d.keys.KEM[1], d.keys.OneTime[0]} {
		seed, err := k.MarshalBinary()
		d.must(err)
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		signed, err := UnmarshalSignedPreKey(data)
		canonical(t, data, signed, err)
		kem, err := UnmarshalKEMPreKey(data)
		canonical(t, data, kem, err)
		once, err := UnmarshalOneTimePreKey(data)
		canonical(t, data, once, err)
	})
}
