package e2ee

import "sync"

// memoRows is how many rows a Memo remembers: those of the last exchanges, of half as many at least. One takes about 1.5 KiB.
const memoRows = 4096

// Memo remembers which peers the latest rows stand for. A row that is read soon after it was written, as when an answer comes
// in, need not be parsed then: its ratchet key alone costs a curve operation. It is no state; what it does not know is parsed.
// The zero Memo is ready. It is safe for concurrent use.
type Memo struct {
	mu         sync.Mutex
	young, old map[string]*Peer // by row
}

// Unmarshal is UnmarshalPeer.
func (m *Memo) Unmarshal(row []byte) (*Peer, error) {
	if p := m.find(row); p != nil {
		return p, nil
	}
	return UnmarshalPeer(row)
}

// Marshal is p.MarshalBinary, and remembers p.
func (m *Memo) Marshal(p *Peer) ([]byte, error) {
	row, err := p.MarshalBinary()
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.young == nil || len(m.young) >= memoRows/2 {
		m.young, m.old = make(map[string]*Peer), m.young
	}
	m.young[string(row)] = p
	return row, nil
}

func (m *Memo) find(row []byte) *Peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.young[string(row)]; p != nil {
		return p
	}
	return m.old[string(row)]
}
