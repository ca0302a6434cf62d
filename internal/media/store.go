// Package media keeps files of media: sealed at rest, readable in ranges, with a name that says nothing.
//
// A file is a row of chunks of 64 KiB, each sealed by [secrets.Key.Seal] with the file's name, the chunk's position and
// whether it is the last as additional data. A file that is cut, damaged, reordered or swapped with another gives an
// error where it is read, never wrong bytes. Around the store: the type of a file by its content ([Sniff]), the limits
// per kind of message ([Check]: contract of the On-Premises API, section 1.6), and safe headers ([ServeHeaders]).
//
// What this package does not do: it does not know messages, owners or media ids, holds no keys, decodes and unpacks
// nothing, and does not count use of disk. A row that names a file must be committed after [Store.Put] has returned, and
// removed before [Store.Remove]: what a crash leaves in between is an orphan, which [Store.Sweep] removes.
//
// A Store is safe for concurrent use, a [Reader] is not. Nothing runs in the background. All paths go through [os.Root],
// so neither a name nor a planted symbolic link leads out of the folder.
package media

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Errors of the store, found with errors.Is. A file that is not there matches [fs.ErrNotExist].
var (
	ErrTooLarge = errors.New("file too large")
	ErrDamaged  = errors.New("file damaged, or sealed with another key")
)

const tempSuffix = ".tmp"

// Store is a folder of sealed files.
type Store struct {
	root *os.Root
}

// Open opens the folder dir, makes it when it is missing (mode 0700), and removes what interrupted uploads have left.
// Only one process may have the folder open.
func Open(dir string) (*Store, error) {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = syncFolder(os.Open(filepath.Dir(dir))) // a new folder must be as durable as the files in it
	}
	if err != nil {
		return nil, fmt.Errorf("open media folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open media folder: %w", err)
	}
	s := &Store{root}
	_, err = s.removeAll(context.Background(), func(e fs.DirEntry) bool { return isTemp(e.Name()) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("clean media folder: %w", err), root.Close())
	}
	return s, nil
}

// Close closes the folder; readers that are open stay usable.
func (s *Store) Close() error { return s.root.Close() }

// Remove removes a file. That there is none is no error: a removal may be repeated. After a power cut the file may be
// back until the next Sweep; what must be unreadable at once needs the destruction of its key.
func (s *Store) Remove(name string) error {
	err := checkName(name)
	if err == nil {
		err = s.root.Remove(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove media file: %w", err)
	}
	return nil
}

// Sweep removes the files that were last changed at least age ago and that known does not know, and returns how many.
// The age, which is in real time like that of files, protects those whose row is not committed yet: choose it longer than
// any upload can last. The folder is read in portions, so memory does not depend on its size.
func (s *Store) Sweep(ctx context.Context, known func(name string) bool, age time.Duration) (removed int, err error) {
	olderThan := time.Now().Add(-age)
	removed, err = s.removeAll(ctx, func(e fs.DirEntry) bool {
		info, err := e.Info()
		return err == nil && info.ModTime().Before(olderThan) && (isTemp(e.Name()) || !known(e.Name()))
	})
	if err != nil {
		return removed, fmt.Errorf("sweep media folder: %w", err)
	}
	return removed, nil
}

// removeAll removes the files of ours that doomed chooses. Other files and folders are left alone.
func (s *Store) removeAll(ctx context.Context, doomed func(fs.DirEntry) bool) (removed int, err error) {
	dir, err := s.root.Open(".")
	if err != nil {
		return 0, err
	}
	defer func() { _ = dir.Close() }() // read only
	for {
		entries, err := dir.ReadDir(1000)
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return removed, err
			}
			if !isOurs(e) || !doomed(e) {
				continue
			}
			if err := s.root.Remove(e.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return removed, err
			}
			removed++
		}
		if errors.Is(err, io.EOF) {
			return removed, nil
		}
		if err != nil {
			return removed, err
		}
	}
}

func isTemp(name string) bool { return strings.HasSuffix(name, tempSuffix) }

func isOurs(e fs.DirEntry) bool {
	return e.Type().IsRegular() && checkName(strings.TrimSuffix(e.Name(), tempSuffix)) == nil
}

const nameBytes = 16

// newName returns a random name: 32 lower-case hexadecimal digits.
func newName() string {
	var b [nameBytes]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// checkName refuses what newName cannot have made. Such a name has no file, so the error is that of a missing file.
func checkName(name string) error {
	if len(name) != 2*nameBytes || strings.Trim(name, "0123456789abcdef") != "" {
		return fmt.Errorf("not the name of a media file: %w", fs.ErrNotExist)
	}
	return nil
}

// syncFolder makes the names in a folder durable and closes it. It takes what an Open returned.
func syncFolder(dir *os.File, err error) error {
	if err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return dir.Close() // a folder cannot be synced there
	}
	return errors.Join(dir.Sync(), dir.Close())
}
