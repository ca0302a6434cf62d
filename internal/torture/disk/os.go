//go:build unix

package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// What a package that keeps files uses of package os, so that an overlay of its build can import this package in its place.
const (
	O_WRONLY = os.O_WRONLY
	O_RDWR   = os.O_RDWR
	O_CREATE = os.O_CREATE
	O_EXCL   = os.O_EXCL
)

// ErrNotExist is os.ErrNotExist.
var ErrNotExist = os.ErrNotExist

// Root is an os.Root whose files are on the Disk that has claimed its folder. Without one it is an os.Root.
type Root struct {
	real  *os.Root
	disk  *Disk
	names []string
}

// File is an open file or folder.
type File struct {
	*os.File
	disk *Disk // nil: none has claimed it
	node *node
}

// OpenRoot is os.OpenRoot.
func OpenRoot(dir string) (*Root, error) {
	real, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	r := &Root{real: real}
	r.disk, r.names = find(dir)
	return r, nil
}

// Close is that of os.Root.
func (r *Root) Close() error { return r.real.Close() }

// Open is that of os.Root.
func (r *Root) Open(name string) (*File, error) { return r.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile is that of os.Root. O_TRUNC and O_APPEND are not for a claimed folder.
func (r *Root) OpenFile(name string, flag int, mode os.FileMode) (*File, error) {
	if r.disk == nil {
		f, err := r.real.OpenFile(name, flag, mode)
		return wrap(f, nil, nil, err)
	}
	d, names := r.disk, inside(r.names, name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if flag&(os.O_TRUNC|os.O_APPEND) != 0 {
		return nil, failed("open", name, fs.ErrInvalid)
	}
	if flag&os.O_CREATE != 0 && !d.exists(names) {
		if err := d.admit(callCreate); err != nil {
			return nil, failed("open", name, err)
		}
	}
	f, err := r.real.OpenFile(name, flag, mode)
	if err != nil {
		return nil, err
	}
	return wrap(f, d, d.nodeAt(names), nil)
}

// Rename is that of os.Root, within one folder.
func (r *Root) Rename(from, to string) error {
	if r.disk == nil {
		return r.real.Rename(from, to)
	}
	d := r.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	folder, oldName := d.folder(inside(r.names, from))
	other, newName := d.folder(inside(r.names, to))
	if folder != other {
		return failed("rename", from, fs.ErrInvalid)
	}
	if err := d.admit(callRename); err != nil {
		return failed("rename", from, err)
	}
	d.file(inside(r.names, from))
	if err := r.real.Rename(from, to); err != nil {
		return err
	}
	folder.rename(oldName, newName)
	return nil
}

// Remove is that of os.Root.
func (r *Root) Remove(name string) error {
	if r.disk == nil {
		return r.real.Remove(name)
	}
	d, names := r.disk, inside(r.names, name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.exists(names) {
		if err := d.admit(callRemove); err != nil {
			return failed("remove", name, err)
		}
	}
	if err := r.real.Remove(name); err != nil {
		return err
	}
	folder, last := d.folder(names)
	folder.remove(last)
	return nil
}

// Open is os.Open.
func Open(name string) (*File, error) {
	f, err := os.Open(name)
	d, names := find(name)
	if err != nil || d == nil {
		return wrap(f, nil, nil, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return wrap(f, d, d.nodeAt(names), nil)
}

// MkdirAll is os.MkdirAll.
func MkdirAll(dir string, mode os.FileMode) error {
	d, names := find(dir)
	if len(names) == 0 {
		return os.MkdirAll(dir, mode)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range names {
		if d.exists(names[:i+1]) {
			continue
		}
		if err := d.admit(callCreate); err != nil {
			return failed("mkdir", dir, err)
		}
		if err := os.Mkdir(filepath.Join(d.dir, filepath.Join(names[:i+1]...)), mode); err != nil {
			return err
		}
		folder, name := d.folder(names[:i+1])
		folder.add(name, newFolder())
	}
	return nil
}

func wrap(f *os.File, d *Disk, n *node, err error) (*File, error) {
	if err != nil {
		return nil, err
	}
	return &File{f, d, n}, nil
}

func failed(op, path string, err error) error { return &fs.PathError{Op: op, Path: path, Err: err} }

// Write is that of os.File.
func (f *File) Write(b []byte) (int, error) {
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil || f.disk == nil {
		return f.File.Write(b)
	}
	n, err := f.WriteAt(b, at)
	_, serr := f.Seek(int64(n), io.SeekCurrent)
	return n, errors.Join(err, serr)
}

// ReadFrom is that of os.File, by way of Write.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	if f.disk == nil {
		return f.File.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{f}, r)
}

// WriteString is that of os.File.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt is that of os.File.
func (f *File) WriteAt(b []byte, at int64) (int, error) {
	if f.disk == nil {
		return f.File.WriteAt(b, at)
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	fault := f.disk.admit(callWrite)
	if errors.Is(fault, errShort) {
		b, fault = b[:len(b)/2], syscall.ENOSPC
	} else if fault != nil {
		return 0, failed("write", f.Name(), fault)
	}
	n, err := f.File.WriteAt(b, at)
	f.node.pending = append(f.node.pending, change{at: at, data: append([]byte(nil), b[:n]...)})
	if err == nil && fault != nil {
		err = failed("write", f.Name(), fault)
	}
	return n, err
}

// Truncate is that of os.File.
func (f *File) Truncate(size int64) error {
	if f.disk == nil {
		return f.File.Truncate(size)
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.admit(callTruncate); err != nil {
		return failed("truncate", f.Name(), err)
	}
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	f.node.pending = append(f.node.pending, change{at: size, truncate: true})
	return nil
}

// Sync is that of os.File.
func (f *File) Sync() error {
	if f.disk == nil {
		return f.File.Sync()
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.syncNode(f.node); err != nil {
		return failed("sync", f.Name(), err)
	}
	return nil
}
