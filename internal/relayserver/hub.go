package relayserver

import (
	"maps"
	"slices"
	"sync"

	"kabar/internal/relayproto"
)

// hub knows which devices are connected. It is safe for concurrent use.
type hub struct {
	mu     sync.RWMutex
	closed bool
	empty  chan struct{}         // closed when the hub is closed and nobody is left
	once   sync.Once             // of closing empty
	all    map[*session]struct{} // strangers, too
	byID   map[int64]*session
	byAddr map[relayproto.Addr]*session
}

func newHub() *hub {
	return &hub{
		empty:  make(chan struct{}),
		all:    make(map[*session]struct{}),
		byID:   make(map[int64]*session),
		byAddr: make(map[relayproto.Addr]*session),
	}
}

// add takes a new connection, unless the relay is closing.
func (h *hub) add(s *session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.all[s] = struct{}{}
	return true
}

// enter makes s the connection of its device. The one before is told and hangs up, unless it has logged in later: then s
// is the one replaced, and enter reports false.
func (h *hub) enter(s *session) bool {
	h.mu.Lock()
	old := h.byID[s.device.id]
	if old != nil && old.device.counter > s.device.counter {
		h.mu.Unlock()
		return false
	}
	h.byID[s.device.id], h.byAddr[s.device.addr] = s, s
	h.mu.Unlock()
	if old != nil {
		old.hangUp(relayproto.Closing_REPLACED, "")
	}
	return true
}

// leave forgets a connection that has ended.
func (h *hub) leave(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, s)
	h.closeIfEmpty()
	if s.device != nil && h.byID[s.device.id] == s {
		delete(h.byID, s.device.id)
		delete(h.byAddr, s.device.addr)
	}
}

// of returns the connection of a device, or nil.
func (h *hub) of(device int64) *session {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.byID[device]
}

// at returns the connection of an address, or nil.
func (h *hub) at(a relayproto.Addr) *session {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.byAddr[a]
}

// stir lets connected devices look into a lane of their mailboxes.
func (h *hub) stir(devices []int64, lane int) {
	for _, id := range devices {
		if s := h.of(id); s != nil {
			s.stir(lane)
		}
	}
}

// hand gives connected devices what has come into their mailboxes.
func (h *hub) hand(all []posted) {
	for _, p := range all {
		if s := h.of(p.to); s != nil {
			s.hand(p.entry)
		}
	}
}

// devices returns the connections that have logged in.
func (h *hub) devices() []*session {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.Collect(maps.Values(h.byID))
}

// everybody returns all connections.
func (h *hub) everybody() []*session {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.Collect(maps.Keys(h.all))
}

// close lets nobody in any more and hangs up. The channel is closed when all have left.
func (h *hub) close() <-chan struct{} {
	h.mu.Lock()
	h.closed = true
	h.closeIfEmpty()
	h.mu.Unlock()
	for _, s := range h.everybody() {
		s.hangUp(relayproto.Closing_SHUTDOWN, "")
	}
	return h.empty
}

// closeIfEmpty closes h.empty when nobody is left and nobody comes. The caller holds the lock.
func (h *hub) closeIfEmpty() {
	if h.closed && len(h.all) == 0 {
		h.once.Do(func() { close(h.empty) })
	}
}
