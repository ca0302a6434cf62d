package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar/internal/e2ee"
	"kabar/internal/network"
	"kabar/internal/prekeys"
	"kabar/internal/relayclient"
)

// How many one-time keys the relay has after it got new ones, and below how many it gets them.
const (
	oneTimeKeys = 100
	kemKeys     = 50
	fewKeys     = 25
)

// lacking returns how many one-time keys of each kind to make. Every bundle takes one of each kind; to fill up both whenever one
// runs low would pile up the other until the relay takes no more. So would a full set for a store that was set back, at a relay
// that does not replace the keys from before: such a relay does not name the highest id either.
func lacking(info relayclient.LoginInfo, setBack bool) (oneTime, kem int) {
	if setBack && info.HighestID > 0 {
		info.OneTime, info.OneTimeKEM = 0, 0
	}
	if info.OneTime < fewKeys {
		oneTime = oneTimeKeys - info.OneTime
	}
	if info.OneTimeKEM < fewKeys {
		kem = kemKeys - info.OneTimeKEM
	}
	return oneTime, kem
}

// batch is a set of new prekeys: the private halves as changes, the public ones to publish.
type batch struct {
	change network.Change
	pub    relayclient.Prekeys
}

// supplied is what the relay says of a directory that needs nothing.
var supplied = relayclient.LoginInfo{Published: true, OneTime: fewKeys, OneTimeKEM: fewKeys}

// replenish publishes what the directory lacks: everything at first, fresh one-time keys when they run low, a new signed
// and a new last-resort key every week. After the store was set back everything is replaced. Private halves are stored before
// their public ones leave. One call at a time.
func (d *Driver) replenish(ctx context.Context, in network.Inbox, conn *relayclient.Conn, info relayclient.LoginInfo) error {
	dev := d.present()
	current, err := dev.held(ctx, in)
	if err != nil {
		return err
	}
	rotate := !info.Published || dev.Unpublished || dev.SetBack || current.stale(dev, d.o.Now())
	oneTime, kem := lacking(info, dev.SetBack)
	if !rotate && oneTime+kem == 0 {
		return nil
	}
	var b *batch
	err = d.changeDevice(ctx, in, func(dev *device) (network.Change, error) {
		b = &batch{pub: relayclient.Prekeys{Replace: dev.SetBack}}
		dev.Unpublished = dev.Unpublished || rotate
		if rotate {
			if err := b.rotate(dev, current, d.o.Now()); err != nil {
				return nil, err
			}
		}
		err := b.make(dev, oneTime, kem, d.o.Now())
		return b.change, err
	})
	if err != nil {
		return fmt.Errorf("make prekeys: %w", err)
	}
	if err := d.publish(ctx, in, conn, b.pub); err != nil || !rotate {
		return err
	}
	return d.changeDevice(ctx, in, func(dev *device) (network.Change, error) {
		dev.Unpublished, dev.SetBack = false, false
		return nil, nil
	})
}

func (d *Driver) publish(ctx context.Context, in network.Inbox, conn *relayclient.Conn, keys relayclient.Prekeys) error {
	err := conn.Publish(ctx, keys)
	if reused, ok := errors.AsType[*relayclient.PrekeyIDReused](err); ok {
		// A store that was set back has forgotten which ids it has used. The connection is tried again with higher ones.
		err = errors.Join(err, d.changeDevice(ctx, in, func(dev *device) (network.Change, error) {
			dev.NextID = max(dev.NextID, reused.Highest+1)
			return nil, nil
		}))
	}
	if err != nil {
		return fmt.Errorf("publish prekeys: %w", err)
	}
	return nil
}

// held are the private keys that rotate.
type held struct {
	signed map[uint32]*e2ee.SignedPreKey
	last   map[uint32]*e2ee.KEMPreKey
	state  network.State
}

// stale reports whether the newest keys are due for replacement.
func (h *held) stale(dev *device, now time.Time) bool {
	newestSigned, newestLast := h.signed[latest(dev.Signed)], h.last[latest(dev.Last)]
	return newestSigned == nil || newestLast == nil || newestSigned.NeedsRotation(now) || newestLast.NeedsRotation(now)
}

func latest(ids []uint32) uint32 {
	if len(ids) == 0 {
		return 0
	}
	return ids[len(ids)-1]
}

// held reads the keys that rotate.
func (dev *device) held(ctx context.Context, in network.Inbox) (*held, error) {
	var keys []string
	for _, id := range dev.Signed {
		keys = append(keys, signedKey(id))
	}
	for _, id := range dev.Last {
		keys = append(keys, kemKey(id))
	}
	s, err := in.State(ctx, keys...)
	if err != nil {
		return nil, err
	}
	h := &held{signed: map[uint32]*e2ee.SignedPreKey{}, last: map[uint32]*e2ee.KEMPreKey{}, state: s}
	for _, id := range dev.Signed {
		if k, err := e2ee.UnmarshalSignedPreKey(s[signedKey(id)].Value); err == nil {
			h.signed[id] = k
		}
	}
	for _, id := range dev.Last {
		if k, err := e2ee.UnmarshalKEMPreKey(s[kemKey(id)].Value); err == nil {
			h.last[id] = k
		}
	}
	return h, nil
}

// make makes one-time keys of both kinds.
func (b *batch) make(dev *device, oneTime, kem int, now time.Time) error {
	b.pub.Identity = prekeys.Identity(dev.identity.Public())
	keys, err := e2ee.GenerateOneTimePreKeys(dev.take(oneTime)...)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := b.add(oneTimeKey(k.ID), k); err != nil {
			return err
		}
		b.pub.OneTime = append(b.pub.OneTime, prekeys.OneTime(k))
	}
	for _, id := range dev.take(kem) {
		k, err := e2ee.GenerateKEMPreKey(dev.identity, id, true, now)
		if err != nil {
			return err
		}
		if err := b.add(kemKey(id), k); err != nil {
			return err
		}
		b.pub.OneTimeKEM = append(b.pub.OneTimeKEM, prekeys.KEM(k))
	}
	return nil
}

// rotate makes a new signed and a new last-resort key, and removes those that no message may use any more.
func (b *batch) rotate(dev *device, current *held, now time.Time) error {
	dev.Signed = keep(dev.Signed, func(id uint32) bool {
		k := current.signed[id]
		return k != nil && !k.Expired(now) || !b.drop(signedKey(id), current)
	})
	dev.Last = keep(dev.Last, func(id uint32) bool {
		k := current.last[id]
		return k != nil && !k.Expired(now) || !b.drop(kemKey(id), current)
	})
	ids := dev.take(2)
	signed, err := e2ee.GenerateSignedPreKey(dev.identity, ids[0], now)
	if err != nil {
		return err
	}
	last, err := e2ee.GenerateKEMPreKey(dev.identity, ids[1], false, now)
	if err != nil {
		return err
	}
	dev.Signed, dev.Last = append(dev.Signed, ids[0]), append(dev.Last, ids[1])
	sp, lp := prekeys.Signed(signed), prekeys.KEM(last)
	b.pub.Signed, b.pub.LastResort = &sp, &lp
	return errors.Join(b.add(signedKey(ids[0]), signed), b.add(kemKey(ids[1]), last))
}

// add stores a fresh private key.
func (b *batch) add(key string, k interface{ MarshalBinary() ([]byte, error) }) error {
	row, err := k.MarshalBinary()
	if err != nil {
		return err
	}
	b.change = append(b.change, network.Set{Key: key, Value: row})
	return nil
}

// drop removes a private key's entry, if there is one; it always reports true.
func (b *batch) drop(key string, current *held) bool {
	if entry, ok := current.state[key]; ok {
		b.change = append(b.change, network.Set{Key: key, Version: entry.Version})
	}
	return true
}

func keep(ids []uint32, wanted func(uint32) bool) []uint32 {
	var out []uint32
	for _, id := range ids {
		if wanted(id) {
			out = append(out, id)
		}
	}
	return out
}

// take hands out ids that have never been used.
func (dev *device) take(n int) []uint32 {
	ids := make([]uint32, n)
	for i := range ids {
		ids[i] = dev.NextID
		dev.NextID++
	}
	return ids
}
