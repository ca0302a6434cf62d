package e2ee

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

// seeds is how many histories a test of n plays: fewer with -short.
func seeds(n uint64) uint64 {
	if testing.Short() {
		return n / 5
	}
	return n
}

// flight is a message on its way.
type flight struct {
	text string
	msg  []byte
}

// lossy is a network of two directions that loses, reorders, repeats and damages.
type lossy struct {
	t       *testing.T
	rand    *rand.Rand
	device  [2]*device
	air     [2][]flight // towards device i
	arrived map[string]bool
	sent    int
	keys    map[usedKey]bool
}

// usedKey is the place a message key has in the whole run.
type usedKey struct {
	transcript [32]byte
	sender     int
	place      place
}

func newLossy(t *testing.T, seed uint64) *lossy {
	n := &lossy{t: t, rand: rand.New(rand.NewPCG(seed, 1)), arrived: map[string]bool{}, keys: map[usedKey]bool{}}
	n.device[0] = newDevice(t, "alice", fixed(fmt.Sprint("alice", seed)))
	n.device[1] = newDevice(t, "bob", fixed(fmt.Sprint("bob", seed)))
	return n
}

// send lets device i send one numbered message and checks that its key is new.
func (n *lossy) send(i int) {
	d := n.device[i]
	f := flight{text: fmt.Sprintf("%d from %d", n.sent, i)}
	f.msg = d.send(f.text, epoch)
	n.sent++
	m, err := parseMessage(f.msg)
	d.must(err)
	k := usedKey{transcript: d.peer.sessions[0].transcript, sender: i, place: place{m.chain, m.number}}
	if n.keys[k] {
		n.t.Fatalf("message key %+v used twice", k.place)
	}
	n.keys[k] = true
	n.air[1-i] = append(n.air[1-i], f)
}

// pick takes a message for device i out of the air, one of the oldest ten.
func (n *lossy) pick(i int) (flight, bool) {
	air := n.air[i]
	if len(air) == 0 {
		return flight{}, false
	}
	at := n.rand.IntN(min(len(air), 10))
	f := air[at]
	n.air[i] = append(air[:at:at], air[at+1:]...)
	return f, true
}

// deliver hands device i a message, sometimes a damaged copy before it, sometimes the same again after it.
func (n *lossy) deliver(i int) {
	f, ok := n.pick(i)
	if !ok || n.rand.IntN(20) == 0 {
		return // lost
	}
	d, from := n.device[i], n.device[1-i]
	if n.rand.IntN(8) == 0 {
		n.damage(d, from, f)
	}
	d.expect(from, f.msg, f.text, epoch)
	if n.arrived[f.text] {
		n.t.Fatalf("%q arrived twice", f.text)
	}
	n.arrived[f.text] = true
	if n.rand.IntN(8) == 0 {
		if _, err := d.receive(from, f.msg, epoch); !errors.Is(err, ErrDuplicate) {
			n.t.Fatalf("%q a second time: %v, want ErrDuplicate", f.text, err)
		}
	}
	if n.rand.IntN(8) == 0 {
		d.reload()
	}
}

// damage flips one bit. The copy must be refused, and never as a duplicate, for that would lose the message.
func (n *lossy) damage(d, from *device, f flight) {
	bad := append([]byte(nil), f.msg...)
	at := n.rand.IntN(len(bad))
	bad[at] ^= 1 << n.rand.IntN(8)
	text, err := d.receive(from, bad, epoch)
	if err == nil || errors.Is(err, ErrDuplicate) {
		n.t.Fatalf("bit flip in byte %d of %q: %q, %v", at, f.text, text, err)
	}
}

// Twenty thousand messages with loss, reordering, repetition and bit flips: every message that is not lost arrives, once;
// no message key is used twice; no damaged message is taken for anything but damaged.
func TestLossyNetwork(t *testing.T) {
	n := newLossy(t, 7)
	n.device[0].initiate(n.device[1], true, epoch)
	n.send(0)
	n.take(1)
	side := 0
	for n.sent < 20_000 {
		if n.rand.IntN(6) == 0 {
			side = 1 - side
		}
		n.send(side)
		for i := range 2 {
			for len(n.air[i]) > n.rand.IntN(20) {
				n.deliver(i)
			}
		}
	}
	if len(n.arrived) < 18_000 {
		t.Fatalf("only %d arrived", len(n.arrived))
	}
	for _, d := range n.device {
		if size := len(d.row()); size > 600+maxSkipped*48 {
			t.Errorf("row of %d bytes", size)
		}
		if len(d.peer.sessions[0].skipped) > maxSkipped {
			t.Error("too many skipped keys")
		}
	}
}

// Both sides begin at once, any number of times, in any order of sending and delivery. As long as no more than four sessions
// are alive, every message opens; and the two sides agree on one session once the air is clear.
func TestSimultaneousInitiation(t *testing.T) {
	for seed := range seeds(300) {
		n := newLossy(t, seed)
		started := [2]int{}
		for range 30 {
			i := n.rand.IntN(2)
			switch {
			case n.device[i].peer == nil, started[i] < 2 && n.rand.IntN(6) == 0:
				n.device[i].initiate(n.device[1-i], n.rand.IntN(2) == 0, epoch)
				started[i]++
			case n.rand.IntN(2) == 0:
				n.send(i)
			default:
				n.take(i)
			}
		}
		n.settle()
		n.converge(seed)
	}
}

// take delivers one message, whole.
func (n *lossy) take(i int) {
	if f, ok := n.pick(i); ok {
		n.device[i].expect(n.device[1-i], f.msg, f.text, epoch)
		n.arrived[f.text] = true
	}
}

// settle delivers all that is in the air.
func (n *lossy) settle() {
	for i := range 2 {
		for len(n.air[i]) > 0 {
			n.take(i)
		}
	}
	if len(n.arrived) != n.sent {
		n.t.Fatalf("%d of %d arrived", len(n.arrived), n.sent)
	}
}

// converge lets both sides talk in turn and insists that they end up in the same session.
func (n *lossy) converge(seed uint64) {
	if n.device[0].peer == nil && n.device[1].peer == nil {
		return
	}
	if n.device[0].peer == nil {
		n.send(1)
		n.settle()
	}
	for range 2 {
		for i := range 2 {
			n.send(i)
			n.settle()
		}
	}
	a, b := n.device[0].peer.sessions[0], n.device[1].peer.sessions[0]
	if a.transcript != b.transcript || !a.confirmed() || !b.confirmed() {
		n.t.Fatalf("seed %d: the sides use different sessions", seed)
	}
}

// The same with far more handshakes than sessions are kept, with devices set back to an old backup and with prekeys that
// run out: what does not open is reported as such, asked for again in a fresh session, and arrives in the end.
func TestChaosHeals(t *testing.T) {
	for seed := range seeds(100) {
		n := newLossy(t, 1000+seed)
		n.device[0].initiate(n.device[1], true, epoch)
		var backup [2]string
		lost := map[int][]flight{}
		for range 60 {
			i := n.rand.IntN(2)
			d := n.device[i]
			switch action := n.rand.IntN(20); {
			case d.peer == nil, action < 4:
				d.initiate(n.device[1-i], n.rand.IntN(2) == 0, epoch)
			case action == 4:
				backup[i] = d.row()
			case action == 5 && backup[i] != "":
				n.restore(i, backup[i])
			case action < 13:
				n.sendUnchecked(i)
			default:
				n.tryTake(i, lost)
			}
		}
		n.heal(lost)
		if len(n.arrived) != n.sent {
			t.Fatalf("seed %d: %d of %d arrived after healing", seed, len(n.arrived), n.sent)
		}
	}
}

// restore sets a device back to a backup; as after a real one, its sessions are started afresh.
func (n *lossy) restore(i int, row string) {
	p, err := UnmarshalPeer([]byte(row))
	n.device[i].must(err)
	n.device[i].peer = p.Retire()
	n.device[i].initiate(n.device[1-i], true, epoch)
}

func (n *lossy) sendUnchecked(i int) {
	f := flight{text: fmt.Sprintf("%d from %d", n.sent, i)}
	f.msg = n.device[i].send(f.text, epoch)
	n.sent++
	n.air[1-i] = append(n.air[1-i], f)
}

// tryTake delivers one message; one that does not open goes to lost. A duplicate counts as lost when its id is new, as
// ErrDuplicate advises.
func (n *lossy) tryTake(i int, lost map[int][]flight) {
	f, ok := n.pick(i)
	if !ok {
		return
	}
	text, err := n.device[i].receive(n.device[1-i], f.msg, epoch)
	switch {
	case err == nil && text != f.text:
		n.t.Fatalf("received %q, want %q", text, f.text)
	case err == nil:
		n.arrived[text] = true
	case errors.Is(err, ErrUndecryptable), errors.Is(err, ErrDuplicate):
		lost[i] = append(lost[i], f)
	default:
		n.t.Fatalf("undamaged message: %v", err)
	}
}

// heal delivers the rest and sends what was lost again, each time after a request in a fresh session.
func (n *lossy) heal(lost map[int][]flight) {
	for range 20 {
		for i := range 2 {
			for len(n.air[i]) > 0 {
				n.tryTake(i, lost)
			}
		}
		for i := range 2 {
			again := lost[i]
			lost[i] = nil
			if len(again) == 0 {
				continue
			}
			d, sender := n.device[i], n.device[1-i]
			d.initiate(sender, true, epoch)
			sender.expect(d, d.send("again please", epoch), "again please", epoch)
			for _, f := range again {
				n.air[i] = append(n.air[i], flight{text: f.text, msg: sender.send(f.text, epoch)})
			}
		}
	}
}
