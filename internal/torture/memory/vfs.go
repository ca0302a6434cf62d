package memory

import (
	"errors"
	"strings"
	"unsafe"

	"modernc.org/libc"
	sqlite "modernc.org/sqlite/lib"
)

// shim is a VFS that stands before SQLite's own. What no Disk has claimed is left to that.
type shim struct {
	real    *sqlite.Tsqlite3_vfs
	next    uintptr // where real lies, as SQLite wants it
	methods uintptr // of our files, in SQLite's memory

	// What the tables point to: kept here, since SQLite's memory is not seen by the garbage collector.
	open   func(tls *libc.TLS, vfs, path, file uintptr, flags int32, out uintptr) int32
	remove func(tls *libc.TLS, vfs, path uintptr, dirSync int32) int32
	access func(tls *libc.TLS, vfs, path uintptr, flags int32, out uintptr) int32
	file   methods
}

// opened is what lies in the memory of one of our files.
type opened struct {
	methods uintptr
	handle  *handle // kept alive by its Disk
}

// install registers the shim as the process's default VFS. SQLite has it for good.
func install() error {
	tls := libc.NewTLS()
	defer tls.Close()
	s := &shim{next: sqlite.Xsqlite3_vfs_find(tls, 0), file: fileMethods()}
	if s.next == 0 {
		return errors.New("SQLite has no VFS")
	}
	s.real = (*sqlite.Tsqlite3_vfs)(at(s.next))
	s.open, s.remove, s.access = s.xOpen, s.xDelete, s.xAccess
	name, err := libc.CString("kabar-memory")
	if err != nil {
		return err
	}
	own := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite.Tsqlite3_vfs{}))) // SQLite keeps it: no memory of Go's
	s.methods = libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite.Tsqlite3_io_methods{})))
	if own == 0 || s.methods == 0 {
		return errors.New("no memory for a disk in memory")
	}
	*(*sqlite.Tsqlite3_io_methods)(at(s.methods)) = s.file.table()
	vfs := (*sqlite.Tsqlite3_vfs)(at(own))
	*vfs = *s.real
	vfs.FzName = name
	vfs.FszOsFile = max(s.real.FszOsFile, int32(unsafe.Sizeof(opened{})))
	vfs.FxOpen, vfs.FxDelete, vfs.FxAccess = pointer(&s.open), pointer(&s.remove), pointer(&s.access)
	if rc := sqlite.Xsqlite3_vfs_register(tls, own, 1); rc != sqlite.SQLITE_OK {
		return errors.New("SQLite does not take a disk in memory")
	}
	claimed.shim = s
	return nil
}

// pointer returns a function as SQLite's translated code calls it: the address of its closure.
func pointer[F any](f *F) uintptr { return *(*uintptr)(unsafe.Pointer(f)) }

// function is the way back.
func function[F any](p uintptr) F {
	box := &struct{ uintptr }{p}
	return *(*F)(unsafe.Pointer(box))
}

// at turns an address in SQLite's memory, which the garbage collector neither moves nor frees, into a pointer.
func at(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

func bytesAt(p uintptr, n int32) []byte { return unsafe.Slice((*byte)(at(p)), n) }

// find returns the Disk of a path and what the path means there; nil: no Disk has it.
func find(path uintptr) (*Disk, *file) {
	if path == 0 {
		return nil, nil
	}
	name, log := strings.CutSuffix(libc.GoString(path), "-wal")
	claimed.mu.RLock()
	d := claimed.disks[name]
	claimed.mu.RUnlock()
	switch {
	case d == nil:
		return nil, nil
	case log:
		return d, &d.wal
	}
	return d, &d.db
}

func (s *shim) xOpen(tls *libc.TLS, _, path, file uintptr, flags int32, out uintptr) int32 {
	d, f := find(path)
	if d == nil {
		return function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](s.real.FxOpen)(tls, s.next, path, file, flags, out)
	}
	h := &handle{disk: d, file: f, main: f == &d.db}
	d.mu.Lock()
	d.open[h] = true
	d.mu.Unlock()
	*(*uintptr)(at(file)) = s.methods
	*(*uintptr)(at(file + unsafe.Offsetof(opened{}.handle))) = uintptr(unsafe.Pointer(h))
	if out != 0 {
		*(*int32)(at(out)) = flags
	}
	return sqlite.SQLITE_OK
}

func (s *shim) xDelete(tls *libc.TLS, _, path uintptr, dirSync int32) int32 {
	d, f := find(path)
	if d == nil {
		return function[func(*libc.TLS, uintptr, uintptr, int32) int32](s.real.FxDelete)(tls, s.next, path, dirSync)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f.truncate(0)
	return sqlite.SQLITE_OK
}

func (s *shim) xAccess(tls *libc.TLS, _, path uintptr, flags int32, out uintptr) int32 {
	d, f := find(path)
	if d == nil {
		return function[func(*libc.TLS, uintptr, uintptr, int32, uintptr) int32](s.real.FxAccess)(tls, s.next, path, flags, out)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	*(*int32)(at(out)) = 0
	if len(f.data) > 0 { // as SQLite's own: what is empty is not there
		*(*int32)(at(out)) = 1
	}
	return sqlite.SQLITE_OK
}
