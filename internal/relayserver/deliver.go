package relayserver

import (
	"context"

	"kabar/internal/relayproto"
)

// lane is what one connection knows of one lane of its mailbox. Only the worker touches it.
type lane struct {
	sent  uint64         // the highest seq sent over this connection
	out   map[uint64]int // sent and not acknowledged, with their sizes
	bytes int            // of out
}

// spent says whether nothing more may be sent before something is acknowledged.
func (l *lane) spent() bool {
	return len(l.out) >= relayproto.CreditFrames || l.bytes >= relayproto.CreditBytes
}

func (l *lane) note(e *entry) {
	if l.out == nil {
		l.out = make(map[uint64]int)
	}
	l.out[e.seq] = len(e.text)
	l.bytes += len(e.text)
	l.sent = e.seq
}

func (l *lane) forget(seq uint64) {
	l.bytes -= l.out[seq]
	delete(l.out, seq)
	if len(l.out) == 0 {
		l.out = nil // an idle connection keeps nothing
	}
}

// acked is an acknowledgement that is to be stored.
type acked struct {
	lane int
	seq  uint64
}

// noteAcks takes the seqs that are out on this connection. Others are none of the device's business, or come again.
func (x *session) noteAcks(seqs []uint64) {
	for _, seq := range seqs {
		for i := range x.lanes {
			if _, ok := x.lanes[i].out[seq]; ok {
				x.acks = append(x.acks, acked{lane: i, seq: seq})
			}
		}
	}
}

// release gives the credit of stored acknowledgements back, and has more sent where it was spent: what came into another lane
// has been looked for already.
func (x *session) release() {
	for _, a := range x.acks {
		l := &x.lanes[a.lane]
		if l.spent() {
			x.stir(a.lane)
		}
		l.forget(a.seq)
	}
	x.acks = nil
}

// posted is an envelope that has been stored, and the device it is for.
type posted struct {
	to    int64
	entry *entry
}

// deliverFresh sends envelopes that have just been stored, as long as each comes right behind what was sent last. It is false when
// there may be something between, or no credit is left: then the lane is to be read. What was read meanwhile is left out.
func (x *session) deliverFresh(fresh []*entry) bool {
	l := &x.lanes[laneEnvelopes]
	for _, e := range fresh {
		switch {
		case e.seq <= l.sent:
			continue
		case e.seq != l.sent+1, l.spent():
			return false
		}
		l.note(e)
		if x.wire.Push(e.frame(laneEnvelopes)) != nil {
			return true // gone
		}
	}
	return true
}

// deliver sends what waits in some lanes, in order, as far as there is credit.
func (x *session) deliver(stirred [lanes]bool) {
	for i := range x.lanes {
		if !stirred[i] {
			continue
		}
		if err := x.deliverLane(i); err != nil {
			x.server.log.Error("relay deliver", "device", x.device.id, "err", err)
			x.wire.Kill() // the device comes back and gets everything that it has not acknowledged
			return
		}
	}
}

func (x *session) deliverLane(i int) error {
	l, s := &x.lanes[i], x.server
	if l.spent() {
		return nil
	}
	for e, err := range s.store.waiting(context.Background(), x.device.id, i, l.sent, s.now()) {
		if err != nil {
			return err
		}
		l.note(e)
		if x.wire.Push(e.frame(i)) != nil || l.spent() {
			return nil // gone, or enough for now
		}
	}
	return nil
}
