// Package memory is a disk in memory for one SQLite file at a time: its pages, its write-ahead log and the memory that
// connections share. SQLite reaches them by functions and not by system calls, which a simulation would spend its time with.
//
// A [Disk] claims the path of a file. [Disk.Save] is what a process that is killed now would leave behind, [Disk.Load] puts
// such a state in the place of another, below connections that stay open: what they share is wiped, so the first that looks
// recovers the log as after a crash, and each of them finds that what it keeps of pages is stale.
//
// Nothing is ever lost here, torn or refused: that is package disk's. This package is for harnesses; no package of the
// product imports it. Everything is safe for concurrent use, but Load and Close want connections that rest.
package memory

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"modernc.org/libc"
)

// Disk holds one SQLite file.
type Disk struct {
	path string

	mu     sync.Mutex
	db     file
	wal    file
	shared []uintptr // regions of shared memory, in SQLite's own
	open   map[*handle]bool
}

// file is what is in a file.
type file struct{ data []byte }

// registry finds the Disk of a path. SQLite has one list of VFSs a process, and so there is one of these.
type registry struct {
	install sync.Once
	err     error
	mu      sync.RWMutex
	disks   map[string]*Disk
	shim    *shim // keeps alive what SQLite points to
}

// claimed is the only state of the package, beside the VFS that is registered with SQLite.
var claimed = &registry{disks: map[string]*Disk{}}

// New claims the path of a file in a folder that exists. From now on SQLite finds there what the Disk holds: nothing yet.
func New(path string) (*Disk, error) {
	claimed.install.Do(func() { claimed.err = install() })
	if claimed.err != nil {
		return nil, claimed.err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("a disk in memory: %w", err)
	}
	d := &Disk{path: filepath.Join(dir, filepath.Base(path)), open: map[*handle]bool{}}
	claimed.mu.Lock()
	defer claimed.mu.Unlock()
	if claimed.disks[d.path] != nil {
		return nil, fmt.Errorf("a disk in memory: %s is claimed already", d.path)
	}
	claimed.disks[d.path] = d
	return d, nil
}

// Save returns what the file and its log hold.
func (d *Disk) Save() (db, wal []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.db.data), bytes.Clone(d.wal.data)
}

// Logged is how long the log is.
func (d *Disk) Logged() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(d.wal.data))
}

// Load puts a state in the place of the one that is there.
func (d *Disk) Load(db, wal []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for h := range d.open {
		if h.reads|h.writes != 0 {
			return errors.New("a disk in memory: a connection is in a transaction")
		}
	}
	d.db.data, d.wal.data = append(d.db.data[:0], db...), append(d.wal.data[:0], wal...)
	for _, r := range d.shared {
		clear(bytesAt(r, regionSize))
	}
	return nil
}

// Close gives the path back. No connection may be open.
func (d *Disk) Close() error {
	claimed.mu.Lock()
	delete(claimed.disks, d.path)
	claimed.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.open) > 0 {
		return fmt.Errorf("a disk in memory: %s is open", d.path)
	}
	d.forget()
	return nil
}

// forget frees the shared memory. The caller holds d.mu.
func (d *Disk) forget() {
	tls := libc.NewTLS()
	defer tls.Close()
	for _, r := range d.shared {
		libc.Xfree(tls, r)
	}
	d.shared = nil
}

// read fills to from an offset, and reports whether there was enough.
func (f *file) read(to []byte, at int64) bool {
	n := 0
	if at < int64(len(f.data)) {
		n = copy(to, f.data[at:])
	}
	clear(to[n:])
	return n == len(to)
}

func (f *file) write(from []byte, at int64) {
	if end := at + int64(len(from)); end > int64(len(f.data)) {
		f.truncate(end)
	}
	copy(f.data[at:], from)
}

func (f *file) truncate(size int64) {
	if more := size - int64(len(f.data)); more > 0 {
		f.data = append(f.data, make([]byte, more)...)
	}
	f.data = f.data[:size]
}
