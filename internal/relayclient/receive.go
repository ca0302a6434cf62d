package relayclient

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kabar/internal/relayproto"
)

// Delivery is an envelope out of our mailbox. It comes again with every connection until its Seq is acknowledged.
type Delivery struct {
	Seq        uint64 // for Ack; grows within the mailbox
	ID         MsgID  // as the sender gave it
	From       Address
	Kind       uint32
	Ciphertext []byte
	SentAt     time.Time // when the relay stored it
}

// Expiry says that an envelope of ours was not fetched before it expired. Like a Delivery it comes until acknowledged.
type Expiry struct {
	Seq uint64 // for Ack
	ID  MsgID
	To  Address
}

// Handler takes what the relay sends. Its functions are called one after another, by the goroutine in Receive; a nil one
// ignores. The relay sends about 64 envelopes ahead of acknowledgements, so a handler that hands its work to others and
// acknowledges later works in parallel, and one that never acknowledges stops hearing.
type Handler struct {
	Envelope   func(Delivery) // in the mailbox's order
	Expired    func(Expiry)
	Signal     func(from Address, ciphertext []byte)
	PrekeysLow func(oneTime, oneTimeKEM int) // publish more; the numbers are what is left
}

// Receive hands everything that arrives to h until ctx ends (its error) or the connection does (Conn.Err). It may be
// called again after ctx has ended it: nothing is lost in between.
func (c *Conn) Receive(ctx context.Context, h Handler) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f := c.inbox.take(); f != nil {
			h.handle(f)
			continue
		}
		select {
		case <-c.inbox.ready:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
			return c.Err()
		}
	}
}

func (h *Handler) handle(f *relayproto.Frame) {
	switch b := f.Body.(type) {
	case *relayproto.Frame_Deliver:
		if h.Envelope != nil {
			d := b.Deliver
			h.Envelope(Delivery{
				Seq: d.Seq, ID: MsgID(d.MsgId), From: d.From.Addr(), Kind: d.Kind,
				Ciphertext: d.Ciphertext, SentAt: time.UnixMilli(d.SentAtMs),
			})
		}
	case *relayproto.Frame_Expired:
		if h.Expired != nil {
			h.Expired(Expiry{Seq: b.Expired.Seq, ID: MsgID(b.Expired.MsgId), To: b.Expired.To.Addr()})
		}
	case *relayproto.Frame_Signal:
		if h.Signal != nil {
			h.Signal(b.Signal.From.Addr(), b.Signal.Ciphertext)
		}
	case *relayproto.Frame_PrekeysLow:
		if h.PrekeysLow != nil {
			h.PrekeysLow(int(b.PrekeysLow.OneTime), int(b.PrekeysLow.OneTimeKem))
		}
	}
}

// maxInbox bounds what waits for Receive. An honest relay stops at its two credit windows, which are half of it. The other
// half is for signals and notices about prekeys, which are dropped beyond.
const maxInbox = 4 * relayproto.CreditFrames

// inbox is the queue between the reader and Receive.
type inbox struct {
	mu     sync.Mutex
	frames []*relayproto.Frame
	ready  chan struct{} // holds a token when there may be frames
}

func (i *inbox) add(f *relayproto.Frame) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	kept := f.GetDeliver() != nil || f.GetExpired() != nil
	switch {
	case !kept && len(i.frames) >= maxInbox/2:
		return nil
	case len(i.frames) >= maxInbox:
		return fmt.Errorf("%w: the relay ignores the credit window", ErrMalformed)
	}
	i.frames = append(i.frames, f)
	select {
	case i.ready <- struct{}{}:
	default:
	}
	return nil
}

// take returns the oldest frame, or nil.
func (i *inbox) take() *relayproto.Frame {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.frames) == 0 {
		i.frames = nil
		return nil
	}
	f := i.frames[0]
	i.frames[0] = nil
	i.frames = i.frames[1:]
	return f
}
