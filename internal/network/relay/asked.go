package relay

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"kabar/internal/network"
)

// A request for what could not be read may itself be unreadable: the customer's app was set back, say, or had just replaced the
// keys that our session was begun with. Then nobody would ever ask for those envelopes again, so what was asked for is kept until
// the customer shows that sessions work, by anything that can be read and is no complaint.

// maxAsked is how many envelopes a request names at most, and how many are kept: as many as travel in one.
const maxAsked = 100

// asked is what a customer has been asked for, the latest first, and has not answered.
type asked struct {
	entry network.Entry
	at    int64 // milliseconds since 1970 of the last request
	times int   // requests so far
	refs  []string
}

func askedKey(handle string) string { return "asked/" + handle }

// askedHead is the length of what stands before the ids: at (8 bytes), times (1).
const askedHead = 8 + 1

// readAsked reads what a customer has been asked for. An entry that nobody can have written is an empty one.
func readAsked(s network.State, handle string) asked {
	entry := s[askedKey(handle)]
	if len(entry.Value) < askedHead {
		return asked{entry: entry}
	}
	a := asked{entry: entry, at: int64(binary.BigEndian.Uint64(entry.Value)), times: int(entry.Value[8])}
	for id := range slices.Chunk(entry.Value[askedHead:], 16) {
		a.refs = append(a.refs, hex.EncodeToString(id))
	}
	return a
}

// with is what a further request names: some more envelopes, and those from before that there is room for.
func (a asked) with(refs []string, now time.Time) asked {
	all := slices.Clone(refs)
	for _, ref := range a.refs {
		if !slices.Contains(refs, ref) {
			all = append(all, ref)
		}
	}
	a.refs = all[:min(len(all), maxAsked)]
	a.at, a.times = now.UnixMilli(), min(a.times+1, 255)
	return a
}

func (a asked) change(handle string) network.Set {
	value := binary.BigEndian.AppendUint64(nil, uint64(a.at))
	value = append(value, byte(a.times))
	for _, ref := range a.refs {
		if id, err := hex.DecodeString(ref); err == nil && len(id) == 16 {
			value = append(value, id...)
		}
	}
	return network.Set{Key: askedKey(handle), Version: a.entry.Version, Value: value}
}

// answered removes the entry, if there is one.
func (a asked) answered(handle string) network.Change {
	if a.entry.Version == 0 {
		return nil
	}
	return network.Change{{Key: askedKey(handle), Version: a.entry.Version}}
}

// The pause between requests in a session that the customer has not answered doubles: two sides that cannot read each other would
// otherwise complain about complaints as fast as the line allows.
const (
	minHold = 200 * time.Millisecond
	maxHold = time.Second
)

// hold is how long the next request waits.
func (a asked) hold(now time.Time) time.Duration {
	if a.times == 0 {
		return 0
	}
	pause := min(minHold<<min(a.times-1, 8), maxHold)
	return min(time.UnixMilli(a.at).Add(pause).Sub(now), pause) // the clock may have gone back
}
