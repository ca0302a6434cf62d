//go:build unix

package disk

import (
	"errors"
	"sync"
	"syscall"
	"unsafe"

	"modernc.org/libc"
	sqlite "modernc.org/sqlite/lib"
)

// shim is a VFS that stands before SQLite's own. It lets that one open a file, into the same memory, and then puts a table of
// methods of its own in the place of the file's: a copy, in which only what changes the disk is exchanged. So locks, shared
// memory and reads are SQLite's own.
type shim struct {
	real *sqlite.Tsqlite3_vfs
	next uintptr // where real lies, as SQLite wants it
	tail int32   // where ours begins in a file's memory, behind what the real VFS keeps there

	// What the table of methods points to: kept here, since SQLite's copy is not seen by the garbage collector.
	close    func(tls *libc.TLS, file uintptr) int32
	write    func(tls *libc.TLS, file, from uintptr, n int32, at int64) int32
	truncate func(tls *libc.TLS, file uintptr, size int64) int32
	sync     func(tls *libc.TLS, file uintptr, flags int32) int32
	open     func(tls *libc.TLS, vfs, path, file uintptr, flags int32, out uintptr) int32
	remove   func(tls *libc.TLS, vfs, path uintptr, dirSync int32) int32

	mu    sync.Mutex
	last  uintptr
	files map[uintptr]*handle
}

// tail is what follows a file's own memory.
type tail struct {
	methods sqlite.Tsqlite3_io_methods // ours
	real    uintptr                    // the table that was there
	id      uintptr                    // in shim.files
}

// handle is an open file of SQLite's.
type handle struct {
	disk *Disk
	node *node
	// syncs is the folder that the first sync makes durable, too: SQLite's VFS does so for a journal that it may have created.
	syncs *node
	real  *sqlite.Tsqlite3_io_methods
}

// install registers the shim as the process's default VFS. SQLite has it for good.
func install() error {
	tls := libc.NewTLS()
	defer tls.Close()
	s := &shim{next: sqlite.Xsqlite3_vfs_find(tls, 0), files: map[uintptr]*handle{}}
	if s.next == 0 {
		return errors.New("SQLite has no VFS")
	}
	s.real = (*sqlite.Tsqlite3_vfs)(at(s.next))
	s.tail = (s.real.FszOsFile + 7) &^ 7
	s.close, s.write, s.truncate, s.sync, s.open, s.remove = s.xClose, s.xWrite, s.xTruncate, s.xSync, s.xOpen, s.xDelete
	name, err := libc.CString("kabar-torture")
	if err != nil {
		return err
	}
	own := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite.Tsqlite3_vfs{}))) // SQLite keeps it: no memory of Go's
	if own == 0 {
		return errors.New("no memory for the fault layer")
	}
	vfs := (*sqlite.Tsqlite3_vfs)(at(own))
	*vfs = *s.real
	vfs.FzName = name
	vfs.FszOsFile = s.tail + int32(unsafe.Sizeof(tail{}))
	vfs.FxOpen = pointer(&s.open)
	vfs.FxDelete = pointer(&s.remove)
	if rc := sqlite.Xsqlite3_vfs_register(tls, own, 1); rc != sqlite.SQLITE_OK {
		return errors.New("SQLite does not take the fault layer")
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

func (s *shim) tailOf(file uintptr) *tail { return (*tail)(at(file + uintptr(s.tail))) }

func (s *shim) handle(file uintptr) *handle {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[s.tailOf(file).id]
}

type openFunc = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32

func (s *shim) xOpen(tls *libc.TLS, _, path, file uintptr, flags int32, out uintptr) int32 {
	open := function[openFunc](s.real.FxOpen)
	var d *Disk
	var names []string
	if path != 0 {
		d, names = find(libc.GoString(path))
	}
	if len(names) == 0 {
		return open(tls, s.next, path, file, flags, out)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	*(*uintptr)(at(file)) = 0 // no methods: there is nothing to close if this fails
	if flags&sqlite.SQLITE_OPEN_CREATE != 0 && !d.exists(names) {
		if err := d.admit(callCreate); err != nil {
			return sqlite.SQLITE_CANTOPEN
		}
	}
	if rc := open(tls, s.next, path, file, flags, out); rc != sqlite.SQLITE_OK {
		return rc
	}
	h := &handle{disk: d, node: d.file(names)}
	const journals = sqlite.SQLITE_OPEN_WAL | sqlite.SQLITE_OPEN_MAIN_JOURNAL | sqlite.SQLITE_OPEN_SUPER_JOURNAL
	if flags&sqlite.SQLITE_OPEN_CREATE != 0 && flags&journals != 0 {
		h.syncs, _ = d.folder(names)
	}
	s.take(file, h)
	return sqlite.SQLITE_OK
}

// take puts our table of methods in the place of a file's own.
func (s *shim) take(file uintptr, h *handle) {
	methods := (*uintptr)(at(file))
	h.real = (*sqlite.Tsqlite3_io_methods)(at(*methods))
	s.mu.Lock()
	s.last++
	s.files[s.last] = h
	*s.tailOf(file) = tail{methods: *h.real, real: *methods, id: s.last}
	s.mu.Unlock()
	ours := &s.tailOf(file).methods
	ours.FiVersion = min(ours.FiVersion, 2) // no memory mapping, which would write past us
	ours.FxClose = pointer(&s.close)
	ours.FxWrite = pointer(&s.write)
	ours.FxTruncate = pointer(&s.truncate)
	ours.FxSync = pointer(&s.sync)
	*methods = uintptr(unsafe.Pointer(ours))
}

func (s *shim) xClose(tls *libc.TLS, file uintptr) int32 {
	h := s.handle(file)
	s.mu.Lock()
	delete(s.files, s.tailOf(file).id)
	s.mu.Unlock()
	*(*uintptr)(at(file)) = s.tailOf(file).real
	return function[func(*libc.TLS, uintptr) int32](h.real.FxClose)(tls, file)
}

func (s *shim) xWrite(tls *libc.TLS, file, from uintptr, n int32, offset int64) int32 {
	h := s.handle(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	err := h.disk.admit(callWrite)
	failed := int32(sqlite.SQLITE_OK)
	switch {
	case err == nil:
	case errors.Is(err, errShort):
		n, failed = n/2, sqlite.SQLITE_FULL
	case errors.Is(err, syscall.ENOSPC):
		return sqlite.SQLITE_FULL
	default:
		return sqlite.SQLITE_IOERR_WRITE
	}
	write := function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](h.real.FxWrite)
	if rc := write(tls, file, from, n, offset); rc != sqlite.SQLITE_OK {
		return rc
	}
	data := append([]byte(nil), unsafe.Slice((*byte)(at(from)), n)...)
	h.node.pending = append(h.node.pending, change{at: offset, data: data})
	return failed
}

func (s *shim) xTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	h := s.handle(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if err := h.disk.admit(callTruncate); err != nil {
		return sqlite.SQLITE_IOERR_TRUNCATE
	}
	rc := function[func(*libc.TLS, uintptr, int64) int32](h.real.FxTruncate)(tls, file, size)
	if rc == sqlite.SQLITE_OK {
		h.node.pending = append(h.node.pending, change{at: size, truncate: true})
	}
	return rc
}

// xSync leaves out the real sync: whether the real disk keeps what is on this one is of no importance.
func (s *shim) xSync(_ *libc.TLS, file uintptr, _ int32) int32 {
	h := s.handle(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if err := h.disk.syncNode(h.node); err != nil {
		return sqlite.SQLITE_IOERR_FSYNC
	}
	if h.syncs != nil && !h.disk.lies {
		h.syncs.sync()
		h.syncs = nil
	}
	return sqlite.SQLITE_OK
}

func (s *shim) xDelete(tls *libc.TLS, _, path uintptr, dirSync int32) int32 {
	remove := function[func(*libc.TLS, uintptr, uintptr, int32) int32](s.real.FxDelete)
	d, names := find(libc.GoString(path))
	if len(names) == 0 {
		return remove(tls, s.next, path, dirSync)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.exists(names) {
		return remove(tls, s.next, path, dirSync) // says so
	}
	if err := d.admit(callRemove); err != nil {
		return sqlite.SQLITE_IOERR_DELETE
	}
	if rc := remove(tls, s.next, path, 0); rc != sqlite.SQLITE_OK {
		return rc
	}
	folder, name := d.folder(names)
	folder.remove(name)
	if dirSync != 0 {
		if err := d.syncNode(folder); err != nil {
			return sqlite.SQLITE_IOERR_DIR_FSYNC
		}
	}
	return sqlite.SQLITE_OK
}
