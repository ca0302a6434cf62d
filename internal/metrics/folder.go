package metrics

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"time"
)

// measureEvery is how often a folder is measured: it may hold a million files.
const measureEvery = 10 * time.Minute

// Folder knows the size of a folder, as of the last ten minutes.
type Folder struct {
	dir string

	mu    sync.Mutex
	bytes int64
	err   error
}

// NewFolder returns a folder that has not been measured. Run measures it.
func NewFolder(dir string) *Folder { return &Folder{dir: dir, err: errNotYet} }

// Size returns the size of all files in bytes, or why it is not known.
func (f *Folder) Size() (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes, f.err
}

// Run measures the folder now and every ten minutes, until ctx ends; then it returns nil.
func (f *Folder) Run(ctx context.Context) error {
	tick := time.NewTicker(measureEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		f.measure(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return nil
}

func (f *Folder) measure(ctx context.Context) {
	var bytes int64
	err := filepath.WalkDir(f.dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // removed meanwhile
		}
		return errors.Join(err, ctx.Err())
	})
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes, f.err = bytes, err
}
