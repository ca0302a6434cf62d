//go:build unix

package disk

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sector is what a disk writes whole or not at all, in bytes.
const sector = 512

// node is a file or a folder: what is durable of it, and what waits for a sync. What it is like now is on the real disk.
type node struct {
	// A file.
	durable []byte
	pending []change

	// A folder; live is nil for a file.
	live, kept map[string]*node // its names now, and those that are durable
	moves      []move
}

// change is an unsynced write, or an unsynced truncation.
type change struct {
	at       int64
	data     []byte
	truncate bool // to the size at
}

// move is an unsynced change of a folder's names: gone is no longer there, name is node's. Either may be "": a new file, a
// removed one. A rename is both, and happens whole or not at all.
type move struct {
	gone, name string
	node       *node
}

func newFolder() *node { return &node{live: map[string]*node{}, kept: map[string]*node{}} }

// apply makes a change of b.
func (c change) apply(b []byte) []byte {
	if c.truncate {
		if c.at <= int64(len(b)) {
			return b[:c.at]
		}
		return append(b, make([]byte, c.at-int64(len(b)))...)
	}
	if end := c.at + int64(len(c.data)); end > int64(len(b)) {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[c.at:], c.data)
	return b
}

func (m move) apply(names map[string]*node) {
	if m.gone != "" {
		delete(names, m.gone)
	}
	if m.name != "" {
		names[m.name] = m.node
	}
}

// sync makes what waits durable.
func (n *node) sync() {
	for _, c := range n.pending {
		n.durable = c.apply(n.durable)
	}
	n.pending = nil
	if n.live != nil {
		n.kept, n.moves = maps.Clone(n.live), nil
	}
}

// syncFailed is a sync that reports an error: what waited may be on disk or not, and no later sync will put it there.
func (n *node) syncFailed(luck *rand.Rand) {
	n.durable = survivors(n.pending, n.durable, luck)
	n.pending = nil
}

// survivors returns what of a file's changes has come to the disk: each whole, torn or not at all, whatever became of the
// others.
func survivors(changes []change, b []byte, luck *rand.Rand) []byte {
	for _, c := range changes {
		switch luck.IntN(3) {
		case 0: // gone
		case 1:
			b = c.tear(b, luck)
		default:
			b = c.apply(b)
		}
	}
	return b
}

// tear applies some of the sectors of a write. A truncation cannot be torn: it happens or not.
func (c change) tear(b []byte, luck *rand.Rand) []byte {
	if c.truncate {
		if luck.IntN(2) == 0 {
			return b
		}
		return c.apply(b)
	}
	for rest := c; len(rest.data) > 0; {
		n := min(int64(len(rest.data)), sector-rest.at%sector)
		if luck.IntN(2) == 0 {
			b = change{at: rest.at, data: rest.data[:n]}.apply(b)
		}
		rest.at, rest.data = rest.at+n, rest.data[n:]
	}
	return b
}

// build writes the folder to dir as it may look after a power cut, below it all that is reached from there.
func (n *node) build(luck *rand.Rand, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	names := maps.Clone(n.kept)
	for _, m := range n.moves {
		if luck.IntN(2) == 0 {
			m.apply(names)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) { // sorted: the same seed, the same result
		child, path := names[name], filepath.Join(dir, name)
		if child.live != nil {
			if err := child.build(luck, path); err != nil {
				return err
			}
			continue
		}
		b := survivors(child.pending, slices.Clone(child.durable), luck)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// folder returns the folder that holds the last of names, and that name. Folders on the way that were made past the journal
// are taken up as new. The caller holds d.mu.
func (d *Disk) folder(names []string) (*node, string) {
	at := d.root
	for _, name := range names[:len(names)-1] {
		if at.live[name] == nil {
			at.add(name, newFolder())
		}
		at = at.live[name]
	}
	return at, names[len(names)-1]
}

func (n *node) add(name string, child *node) {
	n.live[name] = child
	n.moves = append(n.moves, move{name: name, node: child})
}

func (n *node) remove(name string) {
	if n.live[name] == nil {
		return
	}
	delete(n.live, name)
	n.moves = append(n.moves, move{gone: name})
}

func (n *node) rename(from, to string) {
	child := n.live[from]
	if child == nil {
		return
	}
	m := move{gone: from, name: to, node: child}
	m.apply(n.live)
	n.moves = append(n.moves, m)
}

// file returns the node of an existing file. One that was made past the journal is taken up as new, with all of its bytes
// unsynced. The caller holds d.mu.
func (d *Disk) file(names []string) *node {
	folder, name := d.folder(names)
	n := folder.live[name]
	if n == nil {
		n = &node{}
		b, err := os.ReadFile(filepath.Join(d.dir, filepath.Join(names...)))
		if err == nil && len(b) > 0 {
			n.pending = []change{{data: b}}
		}
		folder.add(name, n)
	}
	return n
}

// nodeAt returns a file or folder by its names; none of them is the claimed folder itself. The caller holds d.mu.
func (d *Disk) nodeAt(names []string) *node {
	if len(names) == 0 {
		return d.root
	}
	if info, err := os.Stat(filepath.Join(d.dir, filepath.Join(names...))); err == nil && info.IsDir() {
		folder, _ := d.folder(append(slices.Clone(names), ""))
		return folder
	}
	return d.file(names)
}

// exists reports whether a file is there. The caller holds d.mu.
func (d *Disk) exists(names []string) bool {
	_, err := os.Lstat(filepath.Join(d.dir, filepath.Join(names...)))
	return err == nil
}

// inside splits a path below a folder into names.
func inside(base []string, name string) []string {
	name = filepath.Clean(name)
	if name == "." {
		return base
	}
	return append(slices.Clone(base), strings.Split(name, string(filepath.Separator))...)
}
