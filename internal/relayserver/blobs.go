package relayserver

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"kabar/internal/relayproto"
)

// blobs is the folder of encrypted media. A file's name is the blob's id, and it is there only whole and on disk; what is
// being uploaded has another name. The table decides which files count: one without a row is swept away.
type blobs struct {
	dir  string
	key  []byte       // of tickets
	used atomic.Int64 // bytes that count
}

const uploading = "upload-" // begins the names of unfinished files

// errMismatch says that what was uploaded is not what was announced.
var errMismatch = errors.New("relay: size or SHA-256 differ from the ticket")

func openBlobs(dir string, key []byte) (*blobs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &blobs{dir: dir, key: key}, nil
}

func (b *blobs) path(id string) string { return filepath.Join(b.dir, id) }

// save streams r into the file of t and returns when it is on disk. On any error nothing is left behind.
func (b *blobs) save(t ticket, r io.Reader) (err error) {
	f, err := os.CreateTemp(b.dir, uploading)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, t.size+1))
	if err != nil {
		return err
	}
	if n != t.size || [sha256.Size]byte(sum.Sum(nil)) != t.sum {
		return errMismatch
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), b.path(t.id)); err != nil {
		return err
	}
	_ = f.Close() // synced already
	return b.syncDir()
}

// syncDir makes names durable.
func (b *blobs) syncDir() error {
	d, err := os.Open(b.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// remove deletes the files of ids; one that is gone already is fine.
func (b *blobs) remove(ids []string) error {
	var errs []error
	for _, id := range ids {
		if err := os.Remove(b.path(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// strays returns the names of files older than an hour: finished ones whose row may be missing, and unfinished ones.
func (b *blobs) strays(now time.Time) (ids, unfinished []string, err error) {
	list, err := os.ReadDir(b.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("list blobs: %w", err)
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < time.Hour {
			continue // just removed, or perhaps on its way to a row
		}
		switch name := e.Name(); {
		case relayproto.ValidBlobID(name):
			ids = append(ids, name)
		case strings.HasPrefix(name, uploading):
			unfinished = append(unfinished, name)
		}
	}
	return ids, unfinished, nil
}
