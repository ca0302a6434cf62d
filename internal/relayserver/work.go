package relayserver

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"kabar/internal/relayproto"
)

// outcome is what a batch of requests has led to. It counts only after the commit.
type outcome struct {
	answers []*relayproto.Frame
	posted  []posted // what mailboxes have got
	served  []served // whose prekeys have shrunk
}

func (o *outcome) add(id uint64, f *relayproto.Frame) {
	f.Id = id
	o.answers = append(o.answers, f)
}

// execute runs requests in order: what only reads at once, what writes in one operation of the store, acknowledgements
// with it.
func (x *session) execute(batch []*relayproto.Frame) {
	var writes []*relayproto.Frame
	for _, f := range batch {
		switch b := f.Body.(type) {
		case *relayproto.Frame_Lookup:
			x.lookup(f.Id, b.Lookup)
		case *relayproto.Frame_AskTicket:
			x.ticket(f.Id, b.AskTicket)
		case *relayproto.Frame_Ack:
			x.noteAcks(b.Ack.Seqs)
		default:
			writes = append(writes, f)
		}
	}
	if len(writes) == 0 && len(x.acks) == 0 {
		return
	}
	var out outcome
	err := x.server.store.do(func(tx *sql.Tx) error {
		out = outcome{}
		return x.applyAll(tx, writes, &out)
	})
	if err != nil {
		x.postpone(writes, err)
		return
	}
	x.announce(&out)
}

func (x *session) applyAll(tx *sql.Tx, writes []*relayproto.Frame, out *outcome) error {
	now := x.server.now()
	for _, f := range writes {
		if err := x.apply(tx, now, f, out); err != nil {
			return err
		}
	}
	return x.server.store.ack(tx, x.device.id, x.acks)
}

// apply runs one request. A refusal is an answer; any other error undoes the whole batch.
func (x *session) apply(tx *sql.Tx, now time.Time, f *relayproto.Frame, out *outcome) error {
	answer, err := x.decide(tx, now, f, out)
	if r, ok := errors.AsType[*refusal](err); ok {
		answer, err = &relayproto.Frame{Body: &relayproto.Frame_Refused{Refused: r.Refused}}, nil
	}
	if err == nil {
		out.add(f.Id, answer)
	}
	return err
}

func (x *session) decide(tx *sql.Tx, now time.Time, f *relayproto.Frame, out *outcome) (*relayproto.Frame, error) {
	st, l := x.server.store, &x.server.limits
	switch b := f.Body.(type) {
	case *relayproto.Frame_Send:
		if len(b.Send.Ciphertext) > relayproto.MaxCiphertext {
			return nil, refuse(relayproto.Refused_TOO_LARGE, "an envelope holds at most 256 KiB")
		}
		to, seq, err := st.put(tx, envelope{from: x.device.id, send: b.Send, now: now, keep: l.Lifetime, maximum: l.mailbox()})
		if err == nil && to != 0 {
			out.posted = append(out.posted, posted{to, &entry{seq, b.Send.MsgId, x.device.addr, b.Send.Kind, b.Send.Ciphertext, now.UnixMilli()}})
		}
		return done(), err
	case *relayproto.Frame_Publish:
		return done(), st.publish(tx, x.device, b.Publish)
	case *relayproto.Frame_Fetch:
		got, err := st.bundle(tx, fetch{by: x.device.id, target: b.Fetch.Target.Addr(), now: now, hourly: l.BundlesHourly})
		if err == nil {
			out.served = append(out.served, got)
		}
		return &relayproto.Frame{Body: &relayproto.Frame_Bundle{Bundle: got.bundle}}, err
	}
	return nil, refuse(relayproto.Refused_MALFORMED, "not a request")
}

// announce tells everybody, after the commit.
func (x *session) announce(out *outcome) {
	for _, f := range out.answers {
		x.answer(f.Id, f, nil)
	}
	x.release()
	x.server.hub.hand(out.posted)
	for _, got := range out.served {
		x.server.tellLow(got)
	}
}

// postpone refuses requests that could not be stored, and comes back to the acknowledgements, which have no answer.
func (x *session) postpone(batch []*relayproto.Frame, err error) {
	for _, f := range batch {
		x.answer(f.Id, nil, err)
	}
	if len(x.acks) > 0 {
		time.AfterFunc(storeRetry, func() { x.stir(laneEnvelopes) })
	}
}

// tellLow asks a connected owner for more prekeys. One that is not connected learns it at its next login.
func (s *Server) tellLow(got served) {
	if got.left.oneTime >= lowWater && got.left.oneTimeKEM >= lowWater {
		return
	}
	if owner := s.hub.of(got.owner); owner != nil && !owner.wire.Busy() {
		// An error means that the owner has just gone.
		_ = owner.wire.Push(&relayproto.Frame{Body: &relayproto.Frame_PrekeysLow{PrekeysLow: &relayproto.PrekeysLow{
			OneTime: uint32(got.left.oneTime), OneTimeKem: uint32(got.left.oneTimeKEM),
		}}})
	}
}

func (x *session) lookup(id uint64, l *relayproto.Lookup) {
	known, err := x.server.store.known(context.Background(), l.Accounts)
	x.answer(id, &relayproto.Frame{Body: &relayproto.Frame_Known{Known: &relayproto.Known{Known: known}}}, err)
}
