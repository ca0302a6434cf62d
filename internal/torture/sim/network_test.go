package sim

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"kabar"
	"kabar/internal/msgid"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
)

// line is a server's driver. What it transmits waits at a gate, and what it delivers, too, before it is acknowledged. The
// network behind it outlives the server.
type line struct {
	*networktest.Fake
	server *server

	mu sync.Mutex
	in network.Inbox
}

// Run implements network.Network.
func (l *line) Run(ctx context.Context, in network.Inbox) error {
	l.mu.Lock()
	l.in = in
	l.mu.Unlock()
	return l.Fake.Run(ctx, in)
}

// Prepare implements network.Network.
func (l *line) Prepare(o *network.Outgoing, s network.State) (network.Packet, network.Change, error) {
	p, c, err := l.Fake.Prepare(o, s)
	if l.server.w.mutant == ratchetNotStored {
		c = nil
	}
	return p, c, err
}

// errLost is what a driver gives when a connection breaks.
var errLost = errors.New("the connection is lost")

// laterBy is when a network that is busy wants to be asked again.
const laterBy = 20 * time.Second

// Transmit implements network.Network. What the network takes, the driver of the simulation hands to it.
func (l *line) Transmit(ctx context.Context, p network.Packet) error {
	var packet networktest.Packet
	if err := json.Unmarshal(p, &packet); err != nil {
		return err
	}
	w := l.server.w
	phone := w.byHandle[packet.To]
	g := &gate{kind: "send", name: phone.name, server: l.server, packet: p}
	if packet.Purpose == network.PurposeMessage {
		g.seen = func() {
			g.message = w.messageIn(packet.Content)
			w.model.sending(g.message, publicID(packet.To, packet.Ref), string(p), packet.Fresh)
		}
	}
	switch w.gates.wait(ctx, g) {
	case taken:
		return nil
	case later:
		return &network.Later{After: laterBy, Why: "busy"}
	case refused:
		return &network.Refused{Reason: kabar.ReasonUndeliverable}
	default:
		return errLost
	}
}

// publicID is how an application knows a message that the network knows by ref.
func publicID(to, ref string) string {
	stanza, err := hex.DecodeString(ref)
	if err != nil {
		return ""
	}
	return msgid.Encode(true, to, stanza)
}

// take hands a packet to the network, which hands it to the customer's phone.
func (w *world) take(g *gate) {
	before := len(w.network.Packets())
	w.must(w.network.Transmit(context.Background(), g.packet))
	if all := w.network.Packets(); len(all) > before {
		phone := w.byHandle[all[before].To]
		phone.mailbox = append(phone.mailbox, all[before])
	}
	for _, twice := range w.network.UsedTwice() {
		w.model.fault("I8: the counter %s was used for two packets", twice)
	}
}

// deliver hands a mail to the server, as a driver does: in some seeds it has a ratchet, which knows by its own state what
// has been heard before, in others the engine has to know. It waits at a gate with the acknowledgement.
func (l *line) deliver(m *mail) {
	w := l.server.w
	go func() {
		if l.hand(m) == nil {
			w.gates.wait(context.Background(), &gate{kind: "ack", name: m.from.name, server: l.server, mail: m})
		}
	}()
}

func (l *line) hand(m *mail) error {
	l.mu.Lock()
	in := l.in
	l.mu.Unlock()
	w, u, ctx := l.server.w, m.u, context.Background()
	switch {
	case w.mutant == receiptSwallowed && u.Receipt != nil:
		return nil
	case w.mutant == arrivalIsWriting:
		u.At = time.Now()
	case w.mutant == repeatIsNew && u.Message != nil:
		u.Ref += strconv.Itoa(m.handings)
	}
	if !w.ratchet {
		return in.Deliver(ctx, u, nil)
	}
	key := "heard/" + m.from.handle
	for {
		s, err := in.State(ctx, key)
		if err != nil {
			return err
		}
		heard, _ := strconv.Atoi(string(s[key].Value)) // nothing yet: 0
		if before := int(m.from.heard.Load()); heard < before {
			w.model.fault("I7: the ratchet of %s is at %d, and %d was acknowledged", m.from.name, heard, before)
		}
		if m.number <= heard {
			return nil
		}
		err = in.Deliver(ctx, u, network.Change{{Key: key, Version: s[key].Version, Value: []byte(strconv.Itoa(m.number))}})
		if !errors.Is(err, network.ErrConflict) {
			return err
		}
	}
}
