//go:build unix

package disk

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Kind is a way to fail.
type Kind string

// The kinds. SQLite and the media folder see them as the operating system reports them.
const (
	EIO    Kind = "EIO"    // the call fails. A sync that fails may have kept any part of what waited for it, and forgets the rest
	ENOSPC Kind = "ENOSPC" // no room: only writes and creations can fail that way
	Short  Kind = "short"  // half of a write is done, then there is no room. Other calls do not fail
)

// Kinds are all kinds, in a fixed order.
func Kinds() []Kind { return []Kind{EIO, ENOSPC, Short} }

// call is a call that changes the disk.
type call int

const (
	callWrite call = iota
	callTruncate
	callSync
	callCreate
	callRename
	callRemove
)

// fault is what is to fail, and when.
type fault struct {
	kind  Kind
	at    int64 // number of the call; 0: nothing
	times int64 // so many in all; 0: no end
	hits  int64
}

// Fail has calls fail, from the n-th from now on (1 is the next): the first so many that can fail in that way, or, if times is
// 0, all until Heal. It takes the place of an earlier Fail.
func (d *Disk) Fail(n int64, kind Kind, times int64) error {
	if n < 1 || times < 0 || kind != EIO && kind != ENOSPC && kind != Short {
		return fmt.Errorf("fail: call %d, kind %q: there is no such fault", n, kind)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = fault{kind: kind, at: d.calls + n, times: times}
	return nil
}

// FailSyncs has every sync of one file fail, by its path in the folder, until Heal.
func (d *Disk) FailSyncs(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sick = d.file(strings.Split(path, "/"))
}

// Heal ends what Fail and FailSyncs have begun, and returns how many calls have failed by Fail.
func (d *Disk) Heal() (hits int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	hits = d.faults.hits
	d.faults, d.sick = fault{}, nil
	return hits
}

// errShort says that half of a write is to be done before it fails for want of room.
var errShort = errors.New("short write")

// admit counts a call and says how it is to fail: not (nil), with an error number, or, only a write, as errShort says. The
// caller holds d.mu.
func (d *Disk) admit(c call) error {
	if d.dead.Load() {
		return syscall.EIO
	}
	d.calls++
	if d.cutAt > 0 && d.calls >= d.cutAt {
		d.goDown()
		return syscall.EIO
	}
	f := &d.faults
	if f.at == 0 || d.calls < f.at || f.times > 0 && f.hits >= f.times {
		return nil
	}
	switch {
	case f.kind == EIO:
		f.hits++
		return syscall.EIO
	case f.kind == Short && c == callWrite:
		f.hits++
		return errShort
	case f.kind == ENOSPC && (c == callWrite || c == callCreate):
		f.hits++
		return syscall.ENOSPC
	}
	return nil
}

// syncNode makes a file or a folder durable. The caller holds d.mu.
func (d *Disk) syncNode(n *node) error {
	err := d.admit(callSync)
	if err == nil && n == d.sick {
		err = syscall.EIO
	}
	switch {
	case err != nil && !d.dead.Load():
		n.syncFailed(d.luck)
	case err == nil && !d.lies:
		n.sync()
	}
	return err
}
