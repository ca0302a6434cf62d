package relay

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/network"
)

// deviceKey is the entry of the device itself; the others are named by the functions below.
const deviceKey = "device"

func signedKey(id uint32) string  { return fmt.Sprintf("signed/%d", id) }
func oneTimeKey(id uint32) string { return fmt.Sprintf("onetime/%d", id) }
func kemKey(id uint32) string     { return fmt.Sprintf("kem/%d", id) }
func peerKey(handle string) string {
	return network.SessionPrefix + handle
}

// garbledKey is where an envelope that cannot be read is kept: in one of 16 places of its sender, so that nobody fills the
// store. The newest in a place stays.
func garbledKey(handle string, envelope [16]byte) string {
	return fmt.Sprintf("garbled/%s/%x", handle, envelope[15]%garbledPlaces)
}

// garbledPlaces is in how many places the envelopes of a sender are kept that cannot be read.
const garbledPlaces = 16

// Entries names every entry that may be about a customer.
func Entries(handle string) []string {
	all := []string{peerKey(handle), askedKey(handle)}
	for place := range byte(garbledPlaces) {
		all = append(all, garbledKey(handle, [16]byte{15: place}))
	}
	return all
}

// Entries implements network.Personal.
func (d *Driver) Entries(handle string) []string { return Entries(handle) }

// device is the number's own end of the encryption. A changed device is a new value: readers keep the one they have.
type device struct {
	Identity []byte   `json:"identity"`
	Recovery []byte   `json:"recovery"` // lets the relay accept a new identity, should this one be lost
	Counter  uint64   `json:"counter"`  // of the last login
	Epoch    uint64   `json:"epoch"`    // raised when sessions must start afresh
	Signed   []uint32 `json:"signed"`   // ids of the signed prekeys we still hold, newest last
	Last     []uint32 `json:"last"`     // ids of the last-resort KEM keys we still hold, newest last
	NextID   uint32   `json:"next_id"`  // of the next prekey of any kind: ids are never used again

	Unpublished bool `json:"unpublished,omitempty"` // the directory may lack the newest signed and last-resort keys
	SetBack     bool `json:"set_back,omitempty"`    // the directory may have keys whose private halves are lost

	identity *e2ee.Identity
	version  int64
}

// loadDevice reads the device, or makes one at the first start.
func loadDevice(ctx context.Context, in network.Inbox) (*device, error) {
	s, err := in.State(ctx, deviceKey)
	if err != nil {
		return nil, fmt.Errorf("read the device: %w", err)
	}
	if entry, ok := s[deviceKey]; ok {
		return parseDevice(entry)
	}
	id, err := e2ee.GenerateIdentity()
	if err != nil {
		return nil, err
	}
	dev := &device{Recovery: make([]byte, 32), NextID: 1, identity: id}
	_, _ = rand.Read(dev.Recovery) // never fails: crypto/rand
	if dev.Identity, err = id.MarshalBinary(); err != nil {
		return nil, err
	}
	change, err := dev.change()
	if err != nil {
		return nil, err
	}
	if err := in.Deliver(ctx, kabar.Update{}, network.Change{change}); err != nil {
		return nil, fmt.Errorf("store the device: %w", err)
	}
	dev.version++
	return dev, nil
}

func parseDevice(entry network.Entry) (*device, error) {
	dev := &device{version: entry.Version}
	if err := json.Unmarshal(entry.Value, dev); err != nil {
		return nil, fmt.Errorf("read the device: %w", err)
	}
	var err error
	if dev.identity, err = e2ee.UnmarshalIdentity(dev.Identity); err != nil {
		return nil, fmt.Errorf("read the device: %w", err)
	}
	return dev, nil
}

func (dev *device) change() (network.Set, error) {
	b, err := json.Marshal(dev)
	if err != nil {
		return network.Set{}, fmt.Errorf("encode the device: %w", err)
	}
	return network.Set{Key: deviceKey, Version: dev.version, Value: b}, nil
}

// changeDevice commits a changed device together with what edit returns. edit may run again when somebody else was first.
func (d *Driver) changeDevice(ctx context.Context, in network.Inbox, edit func(*device) (network.Change, error)) error {
	for {
		next := *d.present()
		rest, err := edit(&next)
		if err != nil {
			return err
		}
		own, err := next.change()
		if err != nil {
			return err
		}
		err = in.Deliver(ctx, kabar.Update{}, append(rest, own))
		if errors.Is(err, network.ErrConflict) {
			if err := d.reloadDevice(ctx, in); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("store the device: %w", err)
		}
		next.version++
		d.mu.Lock()
		d.device = &next
		d.mu.Unlock()
		return nil
	}
}

// startAfresh makes a device of one that a backup has brought back. Message keys and ids of prekeys have been used since, so
// the epoch is raised and the ids leap, beyond the highest that the relay has seen and by a length that differs when the same
// backup is restored again; and what the directory holds may be lost, so it gets new keys of all kinds.
func (dev *device) startAfresh(highest uint32) {
	var chance [4]byte
	_, _ = rand.Read(chance[:]) // never fails: crypto/rand
	step := (math.MaxUint32 - dev.NextID) / 256
	dev.NextID += step + binary.BigEndian.Uint32(chance[:])%(step+1)
	dev.NextID = max(dev.NextID, highest+1)
	dev.Epoch++
	dev.SetBack = true
}

func (d *Driver) reloadDevice(ctx context.Context, in network.Inbox) error {
	dev, err := loadDevice(ctx, in)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.device = dev
	d.mu.Unlock()
	return nil
}
