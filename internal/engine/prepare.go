package engine

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"kabar"
	"kabar/internal/msgid"
	"kabar/internal/network"
	"kabar/internal/store"
)

// prepare does T1: it has the driver compute the packet and commits it together with the driver's new state, before a
// single byte leaves. A job that has its packet already is left alone.
func (t *task) prepare(ctx context.Context) error {
	if t.job.Packed {
		return nil
	}
	o, err := t.outgoing(ctx)
	if err != nil {
		return err
	}
	for range maxRecompute {
		err := t.compute(ctx, o)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, network.ErrNeedsOpen):
			err = t.open(ctx, o)
		}
		if err != nil && !errors.Is(err, network.ErrConflict) {
			return err
		}
	}
	return &network.Later{After: maxRecompute * time.Millisecond, Why: "the session kept changing"} // a busy customer
}

// compute runs the driver once against its present state and commits the result.
func (t *task) compute(ctx context.Context, o *network.Outgoing) error {
	state, err := t.e.state(ctx, o.From.ID, t.line.net.Keys(o))
	if err != nil {
		return err
	}
	packet, change, err := t.line.net.Prepare(o, state)
	if err != nil {
		return err
	}
	packed := *t.job
	packed.Packed, packed.Body = true, packet
	if err := t.makeRoom(ctx, o.Now); err != nil {
		return err
	}
	err = t.e.db.Write(ctx, func(tx *store.Tx) {
		t.want(tx)
		wantChange(tx, o.From.ID, change)
		t.wantReach(tx, o.Now)
	}, func(tx *store.Tx) error {
		if err := apply(tx, o.From, change); err != nil {
			return err
		}
		for _, j := range t.also {
			if err := tx.RemoveJob(j.Number, j.ID); err != nil {
				return err
			}
		}
		if err := tx.SaveJob(&packed); err != nil {
			return err
		}
		c, err := tx.Conversation(t.job.Number, t.job.Conversation)
		if err != nil {
			return err
		}
		if t.msg != nil && withheld(t.line, c) { // since the job was judged
			return &network.Refused{Reason: kabar.ReasonIdentity}
		}
		if err := t.consented(tx, c, o.Now); err != nil {
			return err
		}
		if err := t.reach(tx, c, o.Now); err != nil {
			return err
		}
		return errors.Join(t.covered(tx), t.bill(tx, c, o.Now), t.introduce(tx, c, o.From))
	})
	if err == nil {
		t.job, t.also = &packed, nil
	}
	return conflict(err)
}

// introduce has the business's profile follow the first thing that goes to a customer who does not have it, once its name is
// approved.
func (t *task) introduce(tx *store.Tx, c *kabar.Conversation, n *kabar.Number) error {
	if c.ProfileSent >= n.ProfileVersion || !t.line.settings.Naming.Approved() {
		return nil
	}
	c.ProfileSent = n.ProfileVersion
	if err := tx.SaveConversation(c); err != nil {
		return err
	}
	return t.e.addJob(tx, c, jobProfile, 0, nil)
}

// open has the driver fetch what a first contact needs and commits it.
func (t *task) open(ctx context.Context, o *network.Outgoing) error {
	state, err := t.e.state(ctx, o.From.ID, t.line.net.Keys(o))
	if err != nil {
		return err
	}
	change, err := t.line.net.Open(ctx, o, state)
	if err != nil {
		return err
	}
	err = t.e.db.Write(ctx, func(tx *store.Tx) {
		wantChange(tx, o.From.ID, change)
		tx.WantConversation(t.conv.ID)
	}, func(tx *store.Tx) error {
		if err := apply(tx, o.From, change); err != nil {
			return err
		}
		return t.opened(tx, o, state, change)
	})
	if err == nil {
		o.Opened, o.Fetched = true, nil
	}
	return conflict(err)
}

// outgoing says what the job wants from the driver.
func (t *task) outgoing(ctx context.Context) (*network.Outgoing, error) {
	o := &network.Outgoing{From: t.line.number, To: t.conv.Customer, Now: t.e.now()}
	switch t.job.Kind {
	case jobSend, jobResend:
		return o, t.message(ctx, o)
	case jobReceipt:
		o.Purpose = network.PurposeReceipt
		return o, t.receipt(ctx, o)
	case jobRetry:
		o.Purpose, o.Fresh = network.PurposeRetry, true
		return o, t.retries(ctx, o)
	case jobProfile:
		o.Purpose = network.PurposeProfile
		return o, nil
	case jobStep:
		o.Purpose, o.Step = network.PurposeFlow, new(kabar.FlowStep)
		return o, t.decode(t.job, o.Step)
	}
	t.e.log.Error("a job of an unknown kind is given up", "job", t.job.ID, "kind", t.job.Kind)
	return nil, &network.Refused{Reason: kabar.ReasonUndeliverable}
}

// decode reads the body of a job. One that cannot be read will never be: it must not hold up the customer's others.
func (t *task) decode(j *store.Job, into any) error {
	if err := json.Unmarshal(j.Body, into); err != nil {
		t.e.log.Error("a job that cannot be read is given up", "job", j.ID, "err", err)
		return &network.Refused{Reason: kabar.ReasonUndeliverable}
	}
	return nil
}

func (t *task) message(ctx context.Context, o *network.Outgoing) error {
	o.Purpose, o.Message, o.Ref = network.PurposeMessage, t.msg, wireRef(t.msg)
	o.Fresh = t.job.Kind == jobResend
	var err error
	if o.ReplyTo, err = t.e.wireOf(ctx, t.msg.Number, t.msg.Context.ReplyTo); err != nil {
		return err
	}
	if o.Target, err = t.e.wireOf(ctx, t.msg.Number, targetOf(t.msg.Content)); err != nil {
		return err
	}
	if t.unseen() {
		t.e.fetches.Wake(t.job.ID)
		return errUploading
	}
	return t.media(ctx, o)
}

// receipt joins this job's receipt and those right behind it that say the same. The last of them becomes the task's job: it
// carries the packet, since a lane loses its first jobs only.
func (t *task) receipt(ctx context.Context, o *network.Outgoing) error {
	o.Receipt = &kabar.Receipt{}
	if err := t.decode(t.job, o.Receipt); err != nil {
		return err
	}
	all, err := t.alike(ctx)
	if err != nil {
		return err
	}
	n := 1
	for ; n < len(all); n++ {
		var r kabar.Receipt
		if t.decode(all[n], &r) != nil || r.Status != o.Receipt.Status || len(o.Receipt.Refs)+len(r.Refs) > joined {
			break // one that cannot be read is given up when it is its turn
		}
		o.Receipt.Refs = append(o.Receipt.Refs, r.Refs...)
	}
	t.job, t.also = all[n-1], all[:n-1]
	return nil
}

// retries joins this job's request and those right behind it. The last of them carries the packet, as of receipts.
func (t *task) retries(ctx context.Context, o *network.Outgoing) error {
	all, err := t.alike(ctx)
	if err != nil {
		return err
	}
	n := 0
	for ; n < len(all); n++ {
		var r kabar.Retry
		if err := t.decode(all[n], &r); err != nil {
			if n > 0 {
				break // it is given up when it is its turn
			}
			return err
		}
		if n > 0 && len(o.Refs)+len(r.Refs) > joined {
			break
		}
		o.Refs = append(o.Refs, r.Refs...)
	}
	t.job, t.also = all[n-1], all[:n-1]
	return nil
}

// wireRef is the network's id of an outbound message: the stanza of its public id.
func wireRef(m *kabar.Message) string { return hex.EncodeToString(msgid.Stanza(m.Ref, true)) }

// wireOf returns the network's id of a message; "" for none.
func (e *Engine) wireOf(ctx context.Context, n kabar.NumberID, id kabar.MessageID) (string, error) {
	if id == 0 {
		return "", nil
	}
	m, err := e.db.Message(ctx, n, id)
	if err != nil {
		return "", ignoreMissing(err) // it has been collected
	}
	if m.Direction == kabar.Inbound {
		return m.Wire, nil
	}
	return wireRef(m), nil
}
