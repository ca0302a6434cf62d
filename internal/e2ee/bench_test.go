package e2ee

import (
	"strings"
	"testing"
)

// Run with -cpu 1: what is of interest is the processor time of one operation. 200-byte messages, as rows and in memory.

var text200 = strings.Repeat("m", 200)

func BenchmarkPreKeySet(b *testing.B) {
	d := newDevice(b, "alice", systemEntropy())
	b.ReportAllocs()
	for b.Loop() {
		_, _ = GenerateSignedPreKey(d.id, 1, epoch)
		_, _ = GenerateOneTimePreKeys(1)
		_, _ = GenerateKEMPreKey(d.id, 1, true, epoch)
	}
}

func BenchmarkInitiate(b *testing.B) {
	alice, bob := newDevice(b, "alice", systemEntropy()), newDevice(b, "bob", systemEntropy())
	bundle := bob.bundle(true)
	b.ReportAllocs()
	for b.Loop() {
		_, err := Initiate(alice.id, alice.addr, bob.addr, bundle, nil, epoch)
		alice.must(err)
	}
}

func BenchmarkAccept(b *testing.B) {
	alice, bob := newDevice(b, "alice", systemEntropy()), newDevice(b, "bob", systemEntropy())
	alice.initiate(bob, true, epoch)
	msg := alice.send(text200, epoch)
	b.ReportAllocs()
	b.ReportMetric(float64(len(msg)), "wire-bytes")
	for b.Loop() {
		_, _, _, err := Decrypt(bob.id, bob.addr, alice.addr, nil, msg, bob.keys, epoch)
		bob.must(err)
	}
}

// throughRow loads a row, works on it and makes the next row, as a server without a cache does.
func throughRow(b *testing.B, d *device, work func()) {
	row := d.row()
	p, err := UnmarshalPeer([]byte(row))
	d.must(err)
	d.peer = p
	work()
	d.row()
}

func BenchmarkEncrypt(b *testing.B) {
	alice, _ := pair(b, "bench")
	alice.rnd = systemEntropy()
	alice.send("x", epoch)
	b.Run("memory", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			alice.send(text200, epoch)
		}
		b.ReportMetric(float64(len(alice.send(text200, epoch))), "wire-bytes")
	})
	b.Run("row", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			throughRow(b, alice, func() { alice.send(text200, epoch) })
		}
		b.ReportMetric(float64(len(alice.row())), "row-bytes")
	})
}

func BenchmarkDecrypt(b *testing.B) {
	alice, bob := pair(b, "bench")
	bob.expect(alice, alice.send("x", epoch), "x", epoch)
	msg := alice.send(text200, epoch)
	b.Run("memory", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, _, err := Decrypt(bob.id, bob.addr, alice.addr, bob.peer, msg, bob.keys, epoch)
			bob.must(err)
		}
	})
	b.Run("row", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			throughRow(b, bob, func() {
				_, next, _, err := Decrypt(bob.id, bob.addr, alice.addr, bob.peer, msg, bob.keys, epoch)
				bob.must(err)
				next.MarshalBinary()
			})
		}
		b.ReportMetric(float64(len(bob.row())), "row-bytes")
	})
}

// BenchmarkPingPong is a message and its answer's half: both ends, a ratchet step each time.
func BenchmarkPingPong(b *testing.B) {
	for _, rows := range []bool{false, true} {
		name := map[bool]string{false: "memory", true: "row"}[rows]
		b.Run(name, func(b *testing.B) {
			from, to := pair(b, "bench")
			from.rnd, to.rnd = systemEntropy(), systemEntropy()
			b.ReportAllocs()
			for b.Loop() {
				if rows {
					from.reload()
					to.reload()
				}
				to.expect(from, from.send(text200, epoch), text200, epoch)
				from, to = to, from
			}
		})
	}
}

func BenchmarkSignal(b *testing.B) {
	alice, bob := pair(b, "bench")
	alice.rnd = systemEntropy()
	b.ReportAllocs()
	for b.Loop() {
		bob.expectSignal(alice.signal("typing", epoch), "typing")
	}
}

// BenchmarkGarbage is what a hostile relay costs: a steady message that no session opens.
func BenchmarkGarbage(b *testing.B) {
	alice, bob := pair(b, "bench")
	msg := alice.send(text200, epoch)
	msg[20] ^= 1
	b.ReportAllocs()
	for b.Loop() {
		_, _ = bob.receive(alice, msg, epoch)
	}
}
