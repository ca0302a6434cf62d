package main

import (
	"encoding/base64"
	"encoding/hex"
	"slices"

	"kabar/internal/torture/history"
)

// wire is what crossed between the relay and everybody else.
type wire struct {
	envelopes map[envelopeKey]*envelope
	from      map[string][]*envelope // by sender
	sends     []int                  // places
	bundles   []int
	acked     map[mailKey]bool
	last      map[string]int         // place of the last record of a device's connection
	ofMessage map[string][]*envelope // by the message's own id, with which the id of its envelope begins
	sessions  map[pair][]session
}

// envelopeKey names an envelope: senders choose the ids.
type envelopeKey struct{ from, id string }

// mailKey names a place in a mailbox.
type mailKey struct {
	device string
	seq    uint64
}

type envelope struct {
	from, to, id string
	sends        []int
	stored       int // first time
	delivers     []int
}

// pair is two devices, the smaller name first.
type pair struct{ a, b string }

func pairOf(a, b string) pair { return pair{min(a, b), max(a, b)} }

// session is the first sight of a handshake.
type session struct {
	ephemeral string
	at        int
}

func newWire() wire {
	return wire{
		envelopes: map[envelopeKey]*envelope{}, from: map[string][]*envelope{}, acked: map[mailKey]bool{}, last: map[string]int{},
		ofMessage: map[string][]*envelope{}, sessions: map[pair][]session{},
	}
}

func (w *wire) add(at int, rec *history.Record) {
	w.last[rec.Device] = at
	switch rec.Op {
	case history.Send:
		w.addSend(at, rec)
	case history.Stored:
		if e := w.envelope(rec.Device, rec.Envelope); e.stored == nowhere {
			e.stored = at
		}
	case history.Deliver:
		e := w.envelope(rec.From, rec.Envelope)
		e.delivers = append(e.delivers, at)
	case history.Ack:
		for _, seq := range rec.Seqs {
			w.acked[mailKey{rec.Device, seq}] = true
		}
	case history.Bundle:
		w.bundles = append(w.bundles, at)
	default: // a refused envelope comes again
	}
}

func (w *wire) envelope(from, id string) *envelope {
	key := envelopeKey{from, id}
	e := w.envelopes[key]
	if e == nil {
		e = &envelope{from: from, id: id, stored: nowhere}
		w.envelopes[key], w.from[from] = e, append(w.from[from], e)
	}
	return e
}

func (w *wire) addSend(at int, rec *history.Record) {
	e := w.envelope(rec.Device, rec.Envelope)
	if w.sends = append(w.sends, at); len(e.sends) == 0 {
		e.to = rec.To
		if len(e.id) > stanzaLen {
			stanza := e.id[:stanzaLen]
			w.ofMessage[stanza] = append(w.ofMessage[stanza], e)
		}
	}
	e.sends = append(e.sends, at)
	if h := rec.Header; h != nil && h.Ephemeral != "" {
		w.addSession(pairOf(rec.Device, rec.To), h.Ephemeral, at)
	}
}

func (w *wire) addSession(p pair, ephemeral string, at int) {
	known := w.sessions[p]
	if slices.ContainsFunc(known, func(s session) bool { return s.ephemeral == ephemeral }) {
		return
	}
	w.sessions[p] = append(known, session{ephemeral, at})
}

// stanzaLen is the length of a message's own id, in hex digits: the last 9 bytes of its id in the API.
const stanzaLen = 18

// envelopesOf returns the envelopes in which a message was sent: one for each time it was encrypted. An id in another form
// than the documented one has none.
func (w *wire) envelopesOf(id string) []*envelope {
	b, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil || len(b) < stanzaLen/2 {
		return nil
	}
	return w.ofMessage[hex.EncodeToString(b[len(b)-stanzaLen/2:])]
}

// taken says that the recipient has acknowledged an envelope to the relay.
func (w *wire) taken(records []history.Record, e *envelope) bool {
	for _, at := range e.delivers {
		if w.acked[mailKey{records[at].Device, records[at].Seq}] {
			return true
		}
	}
	return false
}
