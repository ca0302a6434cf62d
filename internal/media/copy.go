package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// OpenSealed opens the file called name as it lies on disk, for a backup, and returns its size there. A missing one matches
// [io/fs.ErrNotExist].
func (s *Store) OpenSealed(name string) (io.ReadCloser, int64, error) {
	if err := checkName(name); err != nil {
		return nil, 0, fmt.Errorf("open media: %w", err)
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("open media: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open media: %w", err), f.Close())
	}
	return f, info.Size(), nil
}

// PutSealed stores a file that OpenSealed has given, under its name. The file is on disk when it returns without error, its
// name after [Store.Sync]; otherwise nothing is left.
func (s *Store) PutSealed(ctx context.Context, name string, r io.Reader) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("store media: %w", err)
	}
	temp := name + tempSuffix
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("store media: %w", err)
	}
	_, err = io.Copy(f, untilDone{ctx, r})
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = s.root.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store media: %w", err), ignoreMissing(s.root.Remove(temp)))
	}
	return nil
}

// Sync makes the names that PutSealed has given durable.
func (s *Store) Sync() error {
	if err := syncFolder(s.root.Open(".")); err != nil {
		return fmt.Errorf("sync the media folder: %w", err)
	}
	return nil
}

// untilDone reads until ctx ends.
type untilDone struct {
	ctx context.Context //nolint:containedctx // of one copy
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
