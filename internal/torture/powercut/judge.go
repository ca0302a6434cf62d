//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"

	"kabar"
	"kabar/internal/sqlite"
	"kabar/internal/store"
)

// judge opens what the power cut has left, asks whether every promise was kept, has the engine go on until nothing is left
// to do, and asks again.
func (r *round) judge(dir string) {
	ctx := context.Background()
	s, err := open(dir, r.master)
	if err != nil {
		r.fault(corrupt, "the store does not open: %v", err)
		return
	}
	if s.id == 0 { // the power has gone while the store was set up
		if r.added || r.book.acknowledged() > 0 {
			r.fault(lost, "the number is gone")
		}
		if err := s.add(); err != nil {
			r.fault(wrong, "the set-up, repeated: %v", err)
		}
	}
	r.counters(ctx, s)
	r.net.mu.Lock()
	r.net.accepted = nil // from now on the customers are silent
	r.net.mu.Unlock()
	if err := s.start(r.net); err != nil {
		r.fault(corrupt, "the engine does not start: %v", err)
	} else {
		r.sent(ctx, s)
		r.uploaded(ctx, s)
		if len(r.faults) == 0 { // what is lost can make the rest wait for ever
			r.onward(ctx, s)
		}
	}
	if err := s.close(); err != nil {
		r.fault(wrong, "close: %v", err)
	}
	r.integrity(ctx, dir)
}

// onward has clients and customers ask again, and the engine go on to the end: what happened must tell one story.
func (r *round) onward(ctx context.Context, s *server) {
	if err := r.again(s); err != nil {
		r.fault(wrong, "asked again: %v", err)
	}
	if err := s.drained(ctx); err != nil {
		r.fault(wrong, "the engine does not finish: %v", err)
		return
	}
	r.events(ctx, s)
	r.transmitted()
}

// counters: what has gone to the network, or was acknowledged to it, was committed before.
func (r *round) counters(ctx context.Context, s *server) {
	for what, top := range map[string]map[string]int{"sent/": r.net.top, "received/": r.book.top()} {
		for _, who := range sortedKeys(top) {
			value, _, err := s.db.State(ctx, s.id, what+who)
			if err != nil {
				r.fault(corrupt, "state %s%s: %v", what, who, err)
			} else if n := atoi(value); n < top[who] {
				r.fault(lost, "the counter %s%s is %d, and %d is out", what, who, n, top[who])
			}
		}
	}
}

// sent: an acknowledged message is there, as it was, and the same request gets the same answer.
func (r *round) sent(ctx context.Context, s *server) {
	for _, m := range r.book.sends {
		if m.answer == nil {
			continue
		}
		msg, err := s.db.Message(ctx, s.id, s.db.Deref(m.ref))
		switch {
		case err != nil:
			r.fault(missing(err), "send %s: %v", m.key, err)
			continue
		case textOf(msg.Content) != m.text || msg.Ref != m.ref:
			r.fault(corrupt, "send %s has become %q", m.key, textOf(msg.Content))
		case m.shut != (msg.Status == kabar.Failed):
			r.fault(wrong, "send %s has the status %s", m.key, msg.Status)
		}
		again, err := s.send(ctx, m)
		if err != nil {
			r.fault(lost, "send %s, repeated: %v", m.key, err)
		} else if !again.Replayed || !bytes.Equal(again.Answer.Body, m.answer) {
			r.fault(lost, "send %s was answered %s, and repeated %s", m.key, m.answer, again.Answer.Body)
		}
	}
	for _, c := range r.book.receipts {
		if m := r.book.byWire(c.ref); c.acked && m != nil {
			if msg, err := s.db.Message(ctx, s.id, s.db.Deref(m.ref)); err != nil || msg.Status < c.status {
				r.fault(lost, "the receipt %s of send %s: %v", c.status, m.key, err)
			}
		}
	}
}

// missing says whether an error means that something is gone or that it is damaged.
func missing(err error) verdict {
	if store.IsNotFound(err) {
		return lost
	}
	return corrupt
}

// uploaded: an acknowledged medium is readable, byte for byte.
func (r *round) uploaded(ctx context.Context, s *server) {
	for _, u := range r.book.uploads {
		if u.answer != nil {
			r.medium(ctx, s, "upload "+u.key, u.id, u.data)
		}
	}
}

func (r *round) medium(ctx context.Context, s *server, what string, id kabar.MediaID, want []byte) {
	_, file, err := s.e.Medium(ctx, s.id, id)
	if err != nil {
		r.fault(lost, "%s: %v", what, err)
		return
	}
	defer func() { _ = file.Close() }() // read only
	if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, want) {
		r.fault(corrupt, "%s: %d bytes of %d: %v", what, len(got), len(want), err)
	}
}

// events: the log has no gap, each message of a customer is in it once with its medium, and each step of a message of ours.
func (r *round) events(ctx context.Context, s *server) {
	all, err := s.db.Events(ctx, s.id, 0, 1<<20)
	if err != nil {
		r.fault(corrupt, "the event log: %v", err)
		return
	}
	last, err := s.db.LastSeq(ctx, s.id)
	if err != nil || last != int64(len(all)) {
		r.fault(lost, "%d events, the last has seq %d: %v", len(all), last, err)
	}
	heard, steps := map[string]int{}, map[uint64]map[kabar.Status]bool{}
	media := map[string]kabar.MediaID{}
	for i, e := range all {
		if e.Seq != int64(i+1) {
			r.fault(lost, "event %d has seq %d", i+1, e.Seq)
		}
		switch e.Kind {
		case kabar.EventMessage:
			c, err := e.Content.Content()
			if err != nil {
				r.fault(corrupt, "event %d: %v", e.Seq, err)
				continue
			}
			heard[textOf(c)]++
			if m := kabar.MediumOf(c); m != nil {
				media[textOf(c)] = m.ID
			}
		case kabar.EventStatus:
			if steps[e.Ref] == nil {
				steps[e.Ref] = map[kabar.Status]bool{}
			}
			if steps[e.Ref][e.Status] {
				r.fault(wrong, "message %d has become %s twice", e.Ref, e.Status)
			}
			steps[e.Ref][e.Status] = true
		default:
			r.fault(wrong, "event %d tells of %s", e.Seq, e.Kind)
		}
	}
	r.heard(ctx, s, heard, media)
	r.stepped(steps)
}

func (r *round) heard(ctx context.Context, s *server, heard map[string]int, media map[string]kabar.MediaID) {
	for _, in := range r.book.inbounds {
		if n := heard[in.text]; n != 1 {
			v := wrong
			if n == 0 {
				v = lost
			}
			r.fault(v, "inbound %s (acknowledged: %v) is in %d events", in.ref, in.acked, n)
		} else if in.data != nil {
			r.medium(ctx, s, "inbound "+in.ref, media[in.text], in.data)
		}
		delete(heard, in.text)
	}
	delete(heard, "hello") // of the template
	for _, text := range sortedKeys(heard) {
		r.fault(wrong, "an event tells of %q, which nobody has written", text)
	}
}

func (r *round) stepped(steps map[uint64]map[kabar.Status]bool) {
	for _, m := range r.book.sends {
		want := kabar.Sent
		if m.shut {
			want = kabar.Failed
		}
		if m.answer != nil && !steps[m.ref][want] {
			r.fault(lost, "no event says that send %s has become %s", m.key, want)
		}
	}
	for _, c := range r.book.receipts {
		if m := r.book.byWire(c.ref); c.acked && m != nil && !steps[m.ref][c.status] {
			r.fault(lost, "no event tells of the receipt %s of send %s", c.status, m.key)
		}
	}
}

// transmitted: each message has gone to the network under one id, and no counter was used twice.
func (r *round) transmitted() {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	for _, f := range r.net.faults {
		r.fault(wrong, "%s", f)
	}
	for _, m := range r.book.sends {
		refs := map[string]bool{}
		for _, p := range r.net.messages[m.text] {
			refs[p.Ref] = true
			if m.medium != nil && !bytes.Equal(r.net.blobs[string(p.Locator)], m.medium.data) {
				r.fault(corrupt, "send %s went out with another medium", m.key)
			}
		}
		if len(refs) != count(!m.shut) {
			r.fault(wrong, "send %s went out as %d messages", m.key, len(refs))
		}
	}
}

// integrity: the file opens once more, and SQLite finds nothing amiss.
func (r *round) integrity(ctx context.Context, dir string) {
	f, err := sqlite.OpenFile(filepath.Join(dir, "kabar.db"))
	if err != nil {
		r.fault(corrupt, "a second open: %v", err)
		return
	}
	var said string
	if err := f.Read.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&said); err != nil || said != "ok" {
		r.fault(corrupt, "integrity_check: %s %v", said, err)
	}
	if err := f.Close(); err != nil {
		r.fault(wrong, "close: %v", err)
	}
}
