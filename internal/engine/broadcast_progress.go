package engine

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// BroadcastProgress is how far a broadcast is.
type BroadcastProgress struct {
	Pending   int                  `json:"pending"` // have not had their turn
	Accepted  int                  `json:"accepted"`
	Sent      int                  `json:"sent"`
	Delivered int                  `json:"delivered"`
	Read      int                  `json:"read"`
	Failed    map[kabar.Reason]int `json:"failed"`
	Collected int                  `json:"collected,omitzero"` // had a message that has outlived its time here

	Reserved kabar.Money `json:"reserved"`
	Spent    kabar.Money `json:"spent"`
}

// FailedCount is how many have failed, for whatever reason.
func (p *BroadcastProgress) FailedCount() (n int) {
	for _, some := range p.Failed {
		n += some
	}
	return n
}

// Progress says how far a broadcast is: it counts its recipients.
func (b *Broadcasts) Progress(ctx context.Context, id kabar.BroadcastID) (*BroadcastProgress, error) {
	counts, err := b.e.db.BroadcastCounts(ctx, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	p := &BroadcastProgress{Failed: map[kabar.Reason]int{}}
	for _, c := range counts {
		p.add(c)
	}
	return p, nil
}

func (p *BroadcastProgress) add(c store.BroadcastCount) {
	switch {
	case !c.Sent && c.Failure == "":
		p.Pending += c.Count
	case c.Failure != "":
		p.Failed[c.Failure] += c.Count
	case c.Status == kabar.Accepted:
		p.Accepted += c.Count
		p.Reserved = p.Reserved.Add(c.Amount)
	case c.Status == kabar.Sent:
		p.Sent += c.Count
		p.Reserved = p.Reserved.Add(c.Amount)
	case c.Status == kabar.Delivered:
		p.Delivered += c.Count
		p.Spent = p.Spent.Add(c.Amount)
	case c.Status == kabar.Received: // there is no row any more
		p.Collected += c.Count
	default: // read, or further
		p.Read += c.Count
		p.Spent = p.Spent.Add(c.Amount)
	}
}

// seconds is how long a broadcast takes at least, at the rate that it may have now, rounded up.
func (b *Broadcasts) seconds(n kabar.NumberID, perSecond, recipients int) int64 {
	rate := b.e.broadcastRate(n)
	if perSecond > 0 {
		rate = min(rate, perSecond)
	}
	return int64((recipients + rate - 1) / rate)
}
