package phone

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// files is the media folder: plain files under random names, reached through os.Root, so that no name leads out of it.
type files struct{ root *os.Root }

const tempSuffix = ".tmp"

func openFiles(dir string) (*files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open media folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open media folder: %w", err)
	}
	return &files{root}, nil
}

func newMediaID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// temp makes a file that nobody finds until it is kept.
func (f *files) temp() (*os.File, string, error) {
	name := newMediaID()
	file, err := f.root.OpenFile(name+tempSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, "", fmt.Errorf("make media file: %w", err)
	}
	return file, name, nil
}

// discard closes and removes a temporary file. What cannot be removed goes with the next sweep.
func (f *files) discard(file *os.File, name string) {
	_ = file.Close()
	_ = f.root.Remove(name + tempSuffix)
}

// keep closes a temporary file and gives it its name, after both are on disk.
func (f *files) keep(file *os.File, name string) error {
	err := file.Sync()
	err = errors.Join(err, file.Close())
	if err == nil {
		err = f.root.Rename(name+tempSuffix, name)
	}
	if err == nil {
		err = f.syncFolder()
	}
	if err != nil {
		_ = f.root.Remove(name + tempSuffix)
		return fmt.Errorf("keep media file: %w", err)
	}
	return nil
}

func (f *files) syncFolder() error {
	dir, err := f.root.Open(".")
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		err = nil // Windows has no such thing
	}
	return errors.Join(err, dir.Close())
}

// put stores what r gives, at most limit bytes of it, and hashes on the way. More is errTooLong.
func (f *files) put(r io.Reader, limit int64, also io.Writer) (name string, size int64, err error) {
	file, name, err := f.temp()
	if err != nil {
		return "", 0, err
	}
	size, err = io.Copy(io.MultiWriter(file, also), io.LimitReader(r, limit+1))
	if err == nil && size > limit {
		err = errTooLong
	}
	if err != nil {
		f.discard(file, name)
		return "", 0, err
	}
	if err := f.keep(file, name); err != nil {
		return "", 0, err
	}
	return name, size, nil
}

var errTooLong = errors.New("longer than allowed")

// remove removes a file that nothing names; an empty name is none. What stays goes with the next sweep.
func (f *files) remove(name string) {
	if name != "" {
		_ = f.root.Remove(name)
	}
}

func (f *files) open(name string) (*os.File, error) { return f.root.Open(name) }

// isMediaName says whether a file is one of ours: the folder may hold others.
func isMediaName(name string) bool {
	return len(name) == 32 && strings.Trim(name, "0123456789abcdef") == ""
}

// sweep removes all our files but those named: uploads that were broken off, and files whose row was never committed.
func (f *files) sweep(ctx context.Context, keep []string) error {
	known := make(map[string]bool, len(keep))
	for _, name := range keep {
		known[name] = true
	}
	return fs.WalkDir(f.root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if name := strings.TrimSuffix(path, tempSuffix); err != nil || d.IsDir() || known[path] || !isMediaName(name) {
			return err
		}
		return errors.Join(ctx.Err(), f.root.Remove(path))
	})
}
