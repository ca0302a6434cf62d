package phone

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"kabar/internal/payload"
)

// parcel is what one envelope will hold: a row of the outbox as it is, or receipts of several rows. It takes the place of
// its first row.
type parcel struct {
	queued
	receipts *payload.Payload // of all rows; nil: something else
	joined   []int64          // ids of the rows behind the first
}

// load is what is encrypted in one turn, an envelope a parcel, in the order in which they leave.
type load []*parcel

// add packs the next row. A receipt joins an earlier one where it may. It is false, and nothing has changed, when the row
// needs an envelope more than fit into one turn.
func (l *load) add(q queued) bool {
	p := receiptIn(q)
	if p != nil {
		if earlier := l.room(q, p.Receipt); earlier != nil {
			earlier.receipts.Receipt.IDs = append(earlier.receipts.Receipt.IDs, p.Receipt.IDs...)
			earlier.receipts.At = max(earlier.receipts.At, p.At)
			earlier.joined = append(earlier.joined, q.id)
			return true
		}
	}
	if len(*l) == sendBatch {
		return false
	}
	*l = append(*l, &parcel{queued: q, receipts: p})
	return true
}

// room finds the parcel that a receipt can join: behind everything that is no receipt, since a receipt overtakes no
// message, and behind every receipt of a lower rank, since what is read was delivered before. Rows that were asked for
// again a different number of times stay apart: each has its own limit.
func (l *load) room(q queued, r *payload.Receipt) *parcel {
	for _, earlier := range slices.Backward(*l) {
		if earlier.receipts == nil {
			return nil
		}
		have := earlier.receipts.Receipt
		switch {
		case have.Status == r.Status && earlier.attempts == q.attempts:
			if len(have.IDs)+len(r.IDs) > maxReceipts {
				return nil // a parcel before this one may have room, but its receipts leave first
			}
			return earlier
		case have.Rank() < r.Rank():
			return nil
		}
	}
	return nil
}

// receiptIn reads a row that holds a receipt; nil for others.
func receiptIn(q queued) *payload.Payload {
	if q.message != "" {
		return nil
	}
	p, err := payload.Decode(q.payload)
	if err != nil || p.Receipt == nil {
		return nil
	}
	return p
}

// plain returns what is to be encrypted. Joined receipts bear the time of the last of them.
func (p *parcel) plain() ([]byte, error) {
	switch {
	case len(p.joined) > 0:
		return payload.Encode(p.receipts, time.UnixMilli(p.receipts.At))
	case p.locator != "":
		return p.withMedium()
	}
	return p.payload, nil
}

// withMedium returns the payload with the place of its medium in it.
func (q *queued) withMedium() ([]byte, error) {
	p, err := payload.Decode(q.payload)
	if err != nil {
		return nil, err
	}
	medium := new(payload.Medium)
	if err := json.Unmarshal([]byte(q.locator), medium); err != nil {
		return nil, fmt.Errorf("read locator: %w", err)
	}
	if m := p.Message; m.Referral != nil && m.Referral.Kind != "" {
		m.Picture = medium
	} else {
		m.Medium = medium
	}
	return payload.Encode(p, time.UnixMilli(p.At))
}
