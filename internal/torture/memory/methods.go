package memory

import (
	"modernc.org/libc"
	sqlite "modernc.org/sqlite/lib"
)

// methods are what SQLite can do with one of our files.
type methods struct {
	close       func(tls *libc.TLS, file uintptr) int32
	read, write func(tls *libc.TLS, file, buf uintptr, n int32, at int64) int32
	truncate    func(tls *libc.TLS, file uintptr, size int64) int32
	size, check func(tls *libc.TLS, file, out uintptr) int32
	sync        func(tls *libc.TLS, file uintptr, flags int32) int32
	lock        func(tls *libc.TLS, file uintptr, level int32) int32
	unlock      func(tls *libc.TLS, file uintptr, level int32) int32
	control     func(tls *libc.TLS, file uintptr, op int32, arg uintptr) int32
	sector      func(tls *libc.TLS, file uintptr) int32
	traits      func(tls *libc.TLS, file uintptr) int32
	shmMap      func(tls *libc.TLS, file uintptr, region, size, extend int32, out uintptr) int32
	shmLock     func(tls *libc.TLS, file uintptr, first, n, flags int32) int32
	shmBarrier  func(tls *libc.TLS, file uintptr)
	shmUnmap    func(tls *libc.TLS, file uintptr, remove int32) int32
}

func handleOf(file uintptr) *handle { return (*opened)(at(file)).handle }

// answer is how SQLite is told that somebody else was in the way, or that nobody was.
func answer(ok bool) int32 {
	if ok {
		return sqlite.SQLITE_OK
	}
	return sqlite.SQLITE_BUSY
}

func fileMethods() methods {
	return methods{
		close: xClose, read: xRead, write: xWrite, truncate: xTruncate, size: xFileSize,
		sync:    func(*libc.TLS, uintptr, int32) int32 { return sqlite.SQLITE_OK },
		lock:    func(_ *libc.TLS, f uintptr, level int32) int32 { return answer(handleOf(f).lock(level)) },
		unlock:  func(_ *libc.TLS, f uintptr, level int32) int32 { handleOf(f).unlock(level); return sqlite.SQLITE_OK },
		check:   xCheckReservedLock,
		control: func(*libc.TLS, uintptr, int32, uintptr) int32 { return sqlite.SQLITE_NOTFOUND },
		sector:  func(*libc.TLS, uintptr) int32 { return 4096 },
		traits:  func(*libc.TLS, uintptr) int32 { return sqlite.SQLITE_IOCAP_POWERSAFE_OVERWRITE },
		shmMap:  xShmMap,
		shmLock: func(_ *libc.TLS, f uintptr, first, n, flags int32) int32 {
			return answer(handleOf(f).share((1<<n-1)<<first, flags))
		},
		shmBarrier: func(_ *libc.TLS, f uintptr) { handleOf(f).reserved() }, // any use of the mutex is one
		shmUnmap:   func(*libc.TLS, uintptr, int32) int32 { return sqlite.SQLITE_OK },
	}
}

// table returns the methods as SQLite wants them. Version 2 knows shared memory, and no mapping of the file itself.
func (m *methods) table() sqlite.Tsqlite3_io_methods {
	return sqlite.Tsqlite3_io_methods{
		FiVersion: 2, FxClose: pointer(&m.close), FxRead: pointer(&m.read), FxWrite: pointer(&m.write), FxTruncate: pointer(&m.truncate),
		FxSync: pointer(&m.sync), FxFileSize: pointer(&m.size), FxLock: pointer(&m.lock), FxUnlock: pointer(&m.unlock),
		FxCheckReservedLock: pointer(&m.check), FxFileControl: pointer(&m.control), FxSectorSize: pointer(&m.sector),
		FxDeviceCharacteristics: pointer(&m.traits), FxShmMap: pointer(&m.shmMap), FxShmLock: pointer(&m.shmLock),
		FxShmBarrier: pointer(&m.shmBarrier), FxShmUnmap: pointer(&m.shmUnmap),
	}
}

func xClose(_ *libc.TLS, file uintptr) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	delete(h.disk.open, h)
	for o := range h.disk.open {
		if o.main {
			return sqlite.SQLITE_OK
		}
	}
	h.disk.forget() // as the operating system's would be with the last process
	return sqlite.SQLITE_OK
}

func xRead(_ *libc.TLS, file, buf uintptr, n int32, at int64) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if !h.file.read(bytesAt(buf, n), at) {
		return sqlite.SQLITE_IOERR_SHORT_READ
	}
	return sqlite.SQLITE_OK
}

func xWrite(_ *libc.TLS, file, buf uintptr, n int32, at int64) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.file.write(bytesAt(buf, n), at)
	return sqlite.SQLITE_OK
}

func xTruncate(_ *libc.TLS, file uintptr, size int64) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.file.truncate(size)
	return sqlite.SQLITE_OK
}

func xFileSize(_ *libc.TLS, file, out uintptr) int32 {
	h := handleOf(file)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	*(*int64)(at(out)) = int64(len(h.file.data))
	return sqlite.SQLITE_OK
}

func xCheckReservedLock(_ *libc.TLS, file, out uintptr) int32 {
	*(*int32)(at(out)) = 0
	if handleOf(file).reserved() {
		*(*int32)(at(out)) = 1
	}
	return sqlite.SQLITE_OK
}

func xShmMap(tls *libc.TLS, file uintptr, region, size, extend int32, out uintptr) int32 {
	if size != regionSize {
		return sqlite.SQLITE_IOERR_SHMMAP
	}
	p, ok := handleOf(file).region(tls, int(region), extend != 0)
	if !ok {
		return sqlite.SQLITE_NOMEM
	}
	*(*uintptr)(at(out)) = p
	return sqlite.SQLITE_OK
}
