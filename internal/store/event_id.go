package store

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"

	"kabar"
)

// publicIDs is base32 in lower case: ids have no characters that need escaping, and no dots.
var publicIDs = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// What public ids begin with.
const (
	eventPrefix    = "evt_"
	deliveryPrefix = "dlv_"
	endpointPrefix = "ep_"
	replayPrefix   = "rpl_"
)

// EventID returns the public id of an event: the same for every endpoint, and for good. The time is in it because a store that was
// restored from an old backup gives the same seq again, to another event.
func (db *DB) EventID(n kabar.NumberID, seq int64, at time.Time) string {
	b := db.pair(int64(n), seq)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("kabar event 1"), uint64(millis(at))))
	return eventPrefix + publicIDs.EncodeToString(append(b, sum[:4]...))
}

// ParseEventID returns what an event's id names. Whoever parses one reads the event, and compares: any id has a number and a seq.
func (db *DB) ParseEventID(id string) (n kabar.NumberID, seq int64, ok bool) {
	rest, named := strings.CutPrefix(id, eventPrefix)
	b, err := publicIDs.DecodeString(rest)
	if !named || err != nil || len(b) != 20 {
		return 0, 0, false
	}
	number, seq := db.parted(b)
	return kabar.NumberID(number), seq, seq > 0
}

// DeliveryID returns the public id of an event at an endpoint.
func (db *DB) DeliveryID(e kabar.EndpointID, seq int64) string {
	return deliveryPrefix + publicIDs.EncodeToString(db.pair(int64(e), seq))
}

// ParseDeliveryID returns what a delivery's id names. Whoever parses one looks whether there is such an endpoint, and whose it is.
func (db *DB) ParseDeliveryID(id string) (e kabar.EndpointID, seq int64, ok bool) {
	rest, named := strings.CutPrefix(id, deliveryPrefix)
	b, err := publicIDs.DecodeString(rest)
	if !named || err != nil || len(b) != 16 {
		return 0, 0, false
	}
	endpoint, seq := db.parted(b)
	return kabar.EndpointID(endpoint), seq, seq > 0
}

// PublicEndpoint returns the public id of an endpoint.
func (db *DB) PublicEndpoint(e kabar.EndpointID) string { return db.public(endpointPrefix, int64(e)) }

// ParseEndpoint returns the endpoint that a public id names; 0 for what is none.
func (db *DB) ParseEndpoint(id string) kabar.EndpointID {
	return kabar.EndpointID(db.private(endpointPrefix, id))
}

// PublicReplay returns the public id of a replay.
func (db *DB) PublicReplay(id int64) string { return db.public(replayPrefix, id) }

// ParseReplay returns the replay that a public id names; 0 for what is none.
func (db *DB) ParseReplay(id string) int64 { return db.private(replayPrefix, id) }

func (db *DB) public(prefix string, key int64) string {
	return prefix + publicIDs.EncodeToString(binary.BigEndian.AppendUint64(nil, db.refs.Hide(uint64(key))))
}

func (db *DB) private(prefix, id string) int64 {
	rest, named := strings.CutPrefix(id, prefix)
	b, err := publicIDs.DecodeString(rest)
	if !named || err != nil || len(b) != 8 {
		return 0
	}
	return max(int64(db.refs.Reveal(binary.BigEndian.Uint64(b))), 0)
}

// pair hides two keys together, so that the second does not show whether two pairs share it.
func (db *DB) pair(a, b int64) []byte {
	first := db.refs.Hide(uint64(a))
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, first), db.refs.Hide(uint64(b)^first))
}

func (db *DB) parted(b []byte) (first, second int64) {
	hidden := binary.BigEndian.Uint64(b)
	return int64(db.refs.Reveal(hidden)), int64(db.refs.Reveal(binary.BigEndian.Uint64(b[8:])) ^ hidden)
}
