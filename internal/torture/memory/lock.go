package memory

import (
	"modernc.org/libc"
	sqlite "modernc.org/sqlite/lib"
)

// regionSize is how much memory SQLite asks for at a time.
const regionSize = 32 << 10

// handle is an open file of SQLite's.
type handle struct {
	disk *Disk
	file *file
	main bool // the database itself: locks and shared memory are its

	// Guarded by the disk's mutex.
	level         int32  // of the lock of the file
	reads, writes uint32 // the locks of shared memory, a bit each
}

// lock raises a lock of the file. It reports whether nobody was in the way.
func (h *handle) lock(level int32) bool {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if level <= h.level {
		return true
	}
	for o := range h.disk.open {
		switch {
		case o == h:
		case o.level >= sqlite.SQLITE_LOCK_PENDING, level == sqlite.SQLITE_LOCK_RESERVED && o.level >= level:
			return false
		case level == sqlite.SQLITE_LOCK_EXCLUSIVE && o.level >= sqlite.SQLITE_LOCK_SHARED:
			h.level = sqlite.SQLITE_LOCK_PENDING // nobody new comes in
			return false
		}
	}
	h.level = level
	return true
}

func (h *handle) unlock(level int32) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.level = min(h.level, level)
}

// reserved reports whether somebody is about to write to the file.
func (h *handle) reserved() bool {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	for o := range h.disk.open {
		if o.level >= sqlite.SQLITE_LOCK_RESERVED {
			return true
		}
	}
	return false
}

// share takes or gives back locks of the shared memory, as the flags say.
func (h *handle) share(mask uint32, flags int32) bool {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if flags&sqlite.SQLITE_SHM_UNLOCK != 0 {
		h.reads &^= mask
		h.writes &^= mask
		return true
	}
	exclusive := flags&sqlite.SQLITE_SHM_EXCLUSIVE != 0
	for o := range h.disk.open {
		if o != h && (o.writes&mask != 0 || exclusive && o.reads&mask != 0) {
			return false
		}
	}
	if exclusive {
		h.writes |= mask
	} else {
		h.reads |= mask
	}
	return true
}

// region returns a part of the shared memory, 0 if there is none and none is to be made.
func (h *handle) region(tls *libc.TLS, i int, make bool) (at uintptr, ok bool) {
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	for make && len(d.shared) <= i {
		r := libc.Xcalloc(tls, 1, regionSize)
		if r == 0 {
			return 0, false
		}
		d.shared = append(d.shared, r)
	}
	if i >= len(d.shared) {
		return 0, true
	}
	return d.shared[i], true
}
