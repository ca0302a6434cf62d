package e2ee

import (
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"errors"
	"testing"
	"time"
)

var epoch = time.Unix(1_800_000_000, 0)

// stream is a deterministic source: SHA-256 of a label and a counter.
type stream struct {
	label   string
	counter uint64
	rest    []byte
}

func (s *stream) Read(b []byte) (int, error) {
	for n := 0; n < len(b); {
		if len(s.rest) == 0 {
			sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(s.label), s.counter))
			s.rest, s.counter = sum[:], s.counter+1
		}
		c := copy(b[n:], s.rest)
		n, s.rest = n+c, s.rest[c:]
	}
	return len(b), nil
}

// fixed is an entropy that gives the same secrets in every run.
func fixed(label string) entropy {
	src := &stream{label: label}
	return entropy{Reader: src, encapsulate: func(ek *mlkem.EncapsulationKey768) ([]byte, []byte) {
		var coins [32]byte
		src.Read(coins[:])
		secret, ciphertext, err := mlkemtest.Encapsulate768(ek, coins[:])
		if err != nil {
			panic(err)
		}
		return secret, ciphertext
	}}
}

// device is a caller in miniature: it commits what an operation returns.
type device struct {
	t      testing.TB
	rnd    entropy
	addr   Address
	id     *Identity
	keys   PreKeys
	nextID uint32
	peer   *Peer
}

func newDevice(t testing.TB, account string, rnd entropy) *device {
	t.Helper()
	d := &device{t: t, rnd: rnd, addr: Address{Account: account, Device: 1}}
	d.reinstall()
	return d
}

// reinstall forgets everything but the address.
func (d *device) reinstall() {
	d.t.Helper()
	id, err := generateIdentity(d.rnd)
	d.must(err)
	*d = device{t: d.t, rnd: d.rnd, addr: d.addr, id: id}
	signed, err := generateSignedPreKey(d.rnd, d.id, d.newID(), epoch)
	d.must(err)
	last, err := generateKEMPreKey(d.rnd, d.id, d.newID(), false, epoch)
	d.must(err)
	d.keys = PreKeys{Signed: []*SignedPreKey{signed}, KEM: []*KEMPreKey{last}}
}

func (d *device) newID() uint32 { d.nextID++; return d.nextID }

func (d *device) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("%s: %v", d.addr.Account, err)
	}
}

// bundle is what a directory would hand out, with fresh one-time keys or with none.
func (d *device) bundle(oneTime bool) *Bundle {
	d.t.Helper()
	b := &Bundle{Identity: d.id.Public(), Signed: d.keys.Signed[0].Public(), KEM: d.keys.KEM[0].Public()}
	if oneTime {
		kem, err := generateKEMPreKey(d.rnd, d.id, d.newID(), true, epoch)
		d.must(err)
		single, err := generateOneTimePreKeys(d.rnd, d.newID())
		d.must(err)
		d.keys.KEM = append(d.keys.KEM, kem)
		d.keys.OneTime = append(d.keys.OneTime, single...)
		pub := single[0].Public()
		b.KEM, b.OneTime = kem.Public(), &pub
	}
	return b
}

// initiate begins a session from other's bundle and commits it.
func (d *device) initiate(other *device, oneTime bool, now time.Time) {
	d.t.Helper()
	next, err := initiatePeer(d.rnd, d.id, d.addr, other.addr, other.bundle(oneTime), d.peer, now)
	d.must(err)
	d.peer = next
}

// send encrypts and commits.
func (d *device) send(text string, now time.Time) []byte {
	d.t.Helper()
	msg, next, err := d.peer.encrypt(d.rnd, []byte(text), now)
	d.must(err)
	d.peer = next
	return msg
}

// receive decrypts and commits, deleting what was used.
func (d *device) receive(from *device, msg []byte, now time.Time) (string, error) {
	d.t.Helper()
	text, next, used, err := Decrypt(d.id, d.addr, from.addr, d.peer, msg, d.keys, now)
	if err != nil {
		return "", err
	}
	d.peer = next
	d.forget(used)
	return string(text), nil
}

func (d *device) forget(used UsedKeys) {
	kem, single := d.keys.KEM[:0:0], d.keys.OneTime[:0:0]
	for _, k := range d.keys.KEM {
		if k.ID != used.KEM {
			kem = append(kem, k)
		}
	}
	for _, k := range d.keys.OneTime {
		if k.ID != used.OneTime {
			single = append(single, k)
		}
	}
	d.keys.KEM, d.keys.OneTime = kem, single
}

// expect receives a message and insists on its text.
func (d *device) expect(from *device, msg []byte, want string, now time.Time) {
	d.t.Helper()
	got, err := d.receive(from, msg, now)
	if err != nil || got != want {
		d.t.Fatalf("%s received %q, %v; want %q", d.addr.Account, got, err, want)
	}
}

// refuse receives a message and insists on an error, with the state left alone.
func (d *device) refuse(from *device, msg []byte, want error, now time.Time) {
	d.t.Helper()
	before := d.row()
	if _, err := d.receive(from, msg, now); !errors.Is(err, want) {
		d.t.Fatalf("%s received with %v; want %v", d.addr.Account, err, want)
	}
	if d.row() != before {
		d.t.Fatalf("%s: a refused message changed the state", d.addr.Account)
	}
}

// row is the peer's row, "" for none.
func (d *device) row() string {
	d.t.Helper()
	if d.peer == nil {
		return ""
	}
	b, err := d.peer.MarshalBinary()
	d.must(err)
	return string(b)
}

// reload passes the peer's state through its row, as a restart does.
func (d *device) reload() {
	d.t.Helper()
	if d.peer == nil {
		return
	}
	p, err := UnmarshalPeer([]byte(d.row()))
	d.must(err)
	d.peer = p
}

// reloadKeys passes the prekeys through their rows.
func (d *device) reloadKeys() {
	d.t.Helper()
	for i, k := range d.keys.Signed {
		d.keys.Signed[i] = reloaded(d, k, UnmarshalSignedPreKey)
	}
	for i, k := range d.keys.KEM {
		d.keys.KEM[i] = reloaded(d, k, UnmarshalKEMPreKey)
	}
	for i, k := range d.keys.OneTime {
		d.keys.OneTime[i] = reloaded(d, k, UnmarshalOneTimePreKey)
	}
}

func reloaded[K encoding.BinaryMarshaler](d *device, key K, unmarshal func([]byte) (K, error)) K {
	d.t.Helper()
	row, err := key.MarshalBinary()
	d.must(err)
	again, err := unmarshal(row)
	d.must(err)
	return again
}

// pair returns two devices in a steady session that alice began and bob has answered.
func pair(t testing.TB, label string) (alice, bob *device) {
	t.Helper()
	alice, bob = newDevice(t, "alice", fixed(label+" alice")), newDevice(t, "bob", fixed(label+" bob"))
	alice.initiate(bob, true, epoch)
	bob.expect(alice, alice.send("hello", epoch), "hello", epoch)
	alice.expect(bob, bob.send("hello yourself", epoch), "hello yourself", epoch)
	return alice, bob
}
