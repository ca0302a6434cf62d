package relay

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kabar/internal/e2ee"
	"kabar/internal/network"
)

var _ network.Movable = (*Driver)(nil)

// moved is what another server needs to be this device. Sessions and prekeys are not in it: it starts with new ones.
type moved struct {
	Identity []byte `json:"identity"`
	Recovery []byte `json:"recovery"`
	Counter  uint64 `json:"counter"`
	Epoch    uint64 `json:"epoch"`
	NextID   uint32 `json:"next_id"`
}

// Movement implements network.Movable.
func (d *Driver) Movement() []string { return []string{deviceKey, network.RestoredKey} }

// Leave implements network.Movable.
func (d *Driver) Leave(s network.State) ([]byte, error) {
	entry, ok := s[deviceKey]
	if !ok {
		return nil, nil
	}
	dev, err := parseDevice(entry)
	if err != nil {
		return nil, err
	}
	return json.Marshal(moved{dev.Identity, dev.Recovery, dev.Counter, dev.Epoch, dev.NextID})
}

// Arrive implements network.Movable. What sessions the device here has are of another identity, or of an earlier life of this one:
// the mark of a restore has all of them begin afresh, and the directory filled anew, at the next login.
func (d *Driver) Arrive(s network.State, keys []byte, now time.Time) (network.Change, error) {
	var m moved
	if err := json.Unmarshal(keys, &m); err != nil {
		return nil, fmt.Errorf("read the keys of a number: %w", err)
	}
	id, err := e2ee.UnmarshalIdentity(m.Identity)
	if err != nil {
		return nil, fmt.Errorf("read the keys of a number: %w", err)
	}
	entry, ok := s[deviceKey]
	if !ok {
		return nil, errors.New("relay: the device has not been made yet")
	}
	dev, err := parseDevice(entry)
	if err != nil {
		return nil, err
	}
	if dev.identity.Public().Equal(id.Public()) {
		return nil, nil // it is this device, and knows more of itself than the keys do
	}
	dev.Identity, dev.Recovery, dev.Counter, dev.identity = m.Identity, m.Recovery, m.Counter, id
	dev.Epoch, dev.NextID = max(dev.Epoch, m.Epoch), max(dev.NextID, m.NextID)
	own, err := dev.change()
	if err != nil {
		return nil, err
	}
	mark := network.Set{Key: network.RestoredKey, Version: s[network.RestoredKey].Version, Value: []byte(now.UTC().Format(time.RFC3339))}
	return network.Change{own, mark}, nil
}

// Arrived implements network.Movable.
func (d *Driver) Arrived() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stale, d.fresh = true, false
}
