//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"kabar"
	"kabar/internal/msgid"
)

// ledger is what the clients and customers of a round know: what they asked for, and what was acknowledged to them. It lies
// outside the business's machine.
type ledger struct {
	mu       sync.Mutex
	sends    []*send
	uploads  []*upload
	inbounds []*inbound
	receipts []*receipt
}

// send is a message to a customer. Once the answer is there, the server has promised it.
type send struct {
	key, to, text string
	medium        *upload // nil: a text
	shut          bool    // there is no open window: it is accepted only to fail
	answer        []byte  // nil: not acknowledged
	ref           uint64
}

// upload is a medium that an application has stored.
type upload struct {
	key    string
	data   []byte
	answer []byte
	id     kabar.MediaID
}

// inbound is a message of a customer.
type inbound struct {
	from, ref, text string
	counter         int    // stored with it, in the driver's state
	data            []byte // of its medium; nil: a text
	acked           bool
}

// receipt says how far a customer has come with a message.
type receipt struct {
	to, ref string
	status  kabar.Status
	acked   bool
}

func (l *ledger) acknowledged() (n int) {
	for _, s := range l.sends {
		n += count(s.answer != nil)
	}
	for _, u := range l.uploads {
		n += count(u.answer != nil)
	}
	for _, in := range l.inbounds {
		n += count(in.acked)
	}
	for _, r := range l.receipts {
		n += count(r.acked)
	}
	return n
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// note writes something down under the ledger's lock.
func (l *ledger) note(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// stored returns a random upload that was acknowledged; nil if there is none yet.
func (l *ledger) stored(luck *rand.Rand) *upload {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*upload
	for _, u := range l.uploads {
		if u.answer != nil {
			all = append(all, u)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[luck.IntN(len(all))]
}

// top returns for each customer the highest counter of an acknowledged message.
func (l *ledger) top() map[string]int {
	top := map[string]int{}
	for _, in := range l.inbounds {
		if in.acked {
			top[in.from] = max(top[in.from], in.counter)
		}
	}
	return top
}

// words returns a text that occurs once in a round.
func words(luck *rand.Rand, what string) string {
	filler := strings.Repeat(" the news of the day, and of the day before;", luck.IntN(12))
	return fmt.Sprintf("%s %016x%s", what, luck.Uint64(), filler)
}

// noise returns the bytes of a medium: mostly small, some of several chunks.
func noise(luck *rand.Rand) []byte {
	n := 1 + luck.IntN(4000)
	if luck.IntN(4) == 0 {
		n = luck.IntN(150_000) + 1
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(luck.Uint32())
	}
	return b
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Customers: with these a window is open when the round begins; the shut ones have never written.
const customers, shut = 8, 2

func customer(i int) string { return fmt.Sprintf("62811100%04d", i) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// byWire returns the acknowledged send with a network id; nil for one that was not acknowledged.
func (l *ledger) byWire(ref string) *send {
	for _, m := range l.sends {
		if m.answer != nil && hex.EncodeToString(msgid.Stanza(m.ref, true)) == ref {
			return m
		}
	}
	return nil
}
