//go:build unix

// Package disk is a disk that fails: a fault layer under the production driver of SQLite and under the files of media.
//
// A Disk claims a folder. SQLite goes on through its own unix VFS, with real locks, real shared memory and as many connections
// as it likes; what it writes, truncates, syncs, creates, renames and removes there is journalled and may fail. [Root] and
// [File] are what a package that works with os.Root uses in their place. A journal knows what is durable and what waits for a
// sync, so that [Disk.Cut] can build the folder as it may look after the power has gone: each unsynced write is there, torn
// or missing, each by its own chance, and so is each name that was given, changed or removed since its folder was synced.
//
// [Disk.Fail] has the n-th call fail. What no Disk has claimed is left alone.
//
// This package is for harnesses: no package of the product imports it, but by an overlay of such a build. What is not journalled
// does not survive a cut: shared memory, lock files, and whatever is written in the folder past SQLite and past this package.
// Everything is safe for concurrent use; a Disk carries out one changing call at a time.
package disk

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// Disk is a claimed folder.
type Disk struct {
	dir string

	mu     sync.Mutex
	root   *node
	calls  int64
	cutAt  int64 // the call at which the power goes; 0: none
	lies   bool
	faults fault
	sick   *node      // whose syncs fail
	luck   *rand.Rand // what a sync that fails leaves behind
	down   chan struct{}
	dead   atomic.Bool
}

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

// Claim puts a folder, which must exist, under the care of a new Disk. What is in it now is durable. Nothing in it may be
// open yet.
func Claim(dir string) (*Disk, error) {
	claimed.install.Do(func() { claimed.err = install() })
	if claimed.err != nil {
		return nil, claimed.err
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	root, err := read(dir)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	d := &Disk{dir: dir, root: root, luck: rand.New(rand.NewPCG(0, 0)), down: make(chan struct{})}
	claimed.mu.Lock()
	defer claimed.mu.Unlock()
	if claimed.disks[dir] != nil {
		return nil, fmt.Errorf("claim: %s is claimed already", dir)
	}
	claimed.disks[dir] = d
	return d, nil
}

// Release gives the folder back. What is open in it must have been closed.
func (d *Disk) Release() {
	claimed.mu.Lock()
	defer claimed.mu.Unlock()
	delete(claimed.disks, d.dir)
}

// find returns the Disk that has claimed a path, with the names that lead to it from there; nil if none has.
func find(path string) (*Disk, []string) {
	claimed.mu.RLock()
	defer claimed.mu.RUnlock()
	if len(claimed.disks) == 0 {
		return nil, nil
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, nil
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(folder, filepath.Base(path))
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		if d := claimed.disks[dir]; d != nil {
			rest := strings.Trim(strings.TrimPrefix(path, dir), string(filepath.Separator))
			if rest == "" {
				return d, nil
			}
			return d, strings.Split(rest, string(filepath.Separator))
		}
		if dir == filepath.Dir(dir) {
			return nil, nil
		}
	}
}

// read takes a folder, or a file, as it is: durable.
func read(path string) (*node, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case info.Mode().IsRegular():
		b, err := os.ReadFile(path)
		return &node{durable: b}, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is neither a file nor a folder: %w", path, fs.ErrInvalid)
	}
	n := newFolder()
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() && !e.Type().IsRegular() {
			continue // a socket, say
		}
		child, err := read(filepath.Join(path, e.Name()))
		if err != nil {
			return nil, err
		}
		n.live[e.Name()], n.kept[e.Name()] = child, child
	}
	return n, nil
}

// Calls returns how many calls that change the disk have been made: writes, truncations, syncs, creations, renames and
// removals.
func (d *Disk) Calls() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// CutAt has the power go at the n-th call from now on (1 is the next): it and all later ones change nothing and fail.
func (d *Disk) CutAt(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cutAt = d.calls + n
}

// Down is closed when the power has gone.
func (d *Disk) Down() <-chan struct{} { return d.down }

// Lie has every sync report success and do nothing, as cheap disks do. Lie(false) ends that.
func (d *Disk) Lie(lies bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lies = lies
}

// Cut builds in dir, which must be empty or missing, what is there when the power comes back. It has the power go now if it
// has not gone yet: nothing that is still open counts any more. The same seed gives the same result.
func (d *Disk) Cut(seed uint64, dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.goDown()
	return d.root.build(rand.New(rand.NewPCG(seed, 0)), dir)
}

// goDown ends all work. The caller holds d.mu.
func (d *Disk) goDown() {
	if !d.dead.Swap(true) {
		close(d.down)
	}
}
