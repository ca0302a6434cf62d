package networktest

import (
	"bytes"
	"context"
	"maps"
	"sync"

	"kabar"
	"kabar/internal/network"
)

// Store is the engine's store as a driver sees it, in memory: it applies changes by compare-and-set, all or none, keeps a
// log of what was committed, drops an update whose ref it knows, and can be disturbed and set back to an earlier state.
// Nothing it hands out or takes in shares memory with it. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex
	entries map[string]network.Entry
	refs    map[string]bool
	log     []Commit
	ready   int
	around  func(ctx context.Context, u kabar.Update, commit func() error) error
}

// Commit is one transaction of a Store.
type Commit struct {
	Update kabar.Update // zero for a packet, and for a change of the driver's own state
	Change network.Change
	Packet network.Packet // what the engine was about to send; nil for an update
	Again  bool           // the update's ref had been committed before: the engine drops it, the change holds
}

// Snapshot is a Store's content at one time.
type Snapshot struct {
	entries map[string]network.Entry
	refs    map[string]bool
}

var _ network.Inbox = (*Store)(nil)

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{entries: map[string]network.Entry{}, refs: map[string]bool{}}
}

// State implements network.Inbox.
func (s *Store) State(ctx context.Context, keys ...string) (network.State, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := network.State{}
	for _, k := range keys {
		if e, ok := s.entries[k]; ok {
			out[k] = network.Entry{Version: e.Version, Value: bytes.Clone(e.Value)}
		}
	}
	return out, nil
}

// Deliver implements network.Inbox.
func (s *Store) Deliver(ctx context.Context, u kabar.Update, c network.Change) error {
	s.mu.Lock()
	around := s.around
	s.mu.Unlock()
	commit := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return s.commit(Commit{Update: u, Change: c})
	}
	if around == nil {
		return commit()
	}
	return around(ctx, u, commit)
}

// Ready implements network.Inbox.
func (s *Store) Ready() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready++
}

// Readies returns how often a driver has said that its connection stands.
func (s *Store) Readies() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

// Pack commits a packet together with the change that Prepare returned with it, as the engine does before it transmits.
// network.ErrConflict means that nothing was stored.
func (s *Store) Pack(p network.Packet, c network.Change) error {
	return s.commit(Commit{Packet: p, Change: c})
}

func (s *Store) commit(c Commit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := apply(s.entries, c.Change)
	if err != nil {
		return err
	}
	s.entries = next
	if ref := c.Update.Ref; ref != "" {
		c.Again = s.refs[ref]
		s.refs[ref] = true
	}
	c.Packet = bytes.Clone(c.Packet)
	s.log = append(s.log, c)
	return nil
}

// apply returns the entries after a change, or network.ErrConflict.
func apply(entries map[string]network.Entry, c network.Change) (map[string]network.Entry, error) {
	next := maps.Clone(entries)
	for _, set := range c {
		e := next[set.Key]
		if e.Version != set.Version {
			return nil, network.ErrConflict
		}
		if set.Value == nil {
			delete(next, set.Key)
			continue
		}
		next[set.Key] = network.Entry{Version: e.Version + 1, Value: bytes.Clone(set.Value)}
	}
	return next, nil
}

// Around puts f around every following Deliver; nil removes it. f decides whether to call commit, whose error tells
// whether the update is stored, and what the driver is told.
func (s *Store) Around(f func(ctx context.Context, u kabar.Update, commit func() error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.around = f
}

// Updates returns what the engine would have learned from the network: every update that is about a customer, in the order
// of the commits, without those whose ref was known.
func (s *Store) Updates() []kabar.Update {
	var us []kabar.Update
	for _, c := range s.Log() {
		if c.Update.From.Handle() != "" && !c.Again {
			us = append(us, c.Update)
		}
	}
	return us
}

// Log returns every commit so far, also those that Restore has undone.
func (s *Store) Log() []Commit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Commit(nil), s.log...)
}

// Keys returns how many entries the driver has at present under keys that f accepts.
func (s *Store) Keys(f func(key string) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for k := range s.entries {
		if f(k) {
			n++
		}
	}
	return n
}

// Snapshot returns the content at this time.
func (s *Store) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Snapshot{maps.Clone(s.entries), maps.Clone(s.refs)} // values are never changed in place
}

// Restore sets the content back, as a restored backup does. The log goes on.
func (s *Store) Restore(to Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries, s.refs = maps.Clone(to.entries), maps.Clone(to.refs)
}
