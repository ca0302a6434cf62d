package media

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"kabar/internal/secrets"
)

// ChunkSize is the number of plaintext bytes sealed together; all chunks but the last are full.
const ChunkSize = 64 << 10

// sealedSize is the size of a full chunk in the file.
const sealedSize = ChunkSize + secrets.Overhead

// Info describes a stored file.
type Info struct {
	Name   string            // in the store: 32 hexadecimal digits, random
	Size   int64             // of the plaintext, in bytes; OpenReader wants it back
	SHA256 [sha256.Size]byte // of the plaintext
}

// Put stores what r gives until its end, at most max bytes, sealed with key. When it returns without error, file and
// folder are on disk. Otherwise nothing is left: the error matches [ErrTooLarge], or is that of r, of ctx or of the disk.
// The context is looked at between chunks; a Read that blocks must be ended by its owner. It holds two chunks in memory.
func (s *Store) Put(ctx context.Context, r io.Reader, key secrets.Key, max int64) (Info, error) {
	info := Info{Name: newName()}
	temp := info.Name + tempSuffix
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Info{}, fmt.Errorf("store media: %w", err)
	}
	err = seal(ctx, f, r, key, max, &info)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = s.publish(temp, info.Name)
	}
	if err != nil {
		// The first error counts; what cannot be removed now goes with the next Open or Sweep.
		return Info{}, errors.Join(fmt.Errorf("store media: %w", err), ignoreMissing(s.root.Remove(temp)))
	}
	return info, nil
}

// publish gives the file its name for good.
func (s *Store) publish(temp, name string) error {
	//failpoint:media-rename
	if err := s.root.Rename(temp, name); err != nil {
		return err
	}
	//failpoint:media-renamed
	if err := syncFolder(s.root.Open(".")); err != nil {
		return errors.Join(err, ignoreMissing(s.root.Remove(name)))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// seal writes r to w chunk by chunk and fills size and hash of info.
func seal(ctx context.Context, w io.Writer, r io.Reader, key secrets.Key, max int64, info *Info) error {
	// One byte more than a chunk, to see whether anything follows: the last chunk is marked as such.
	in := bufio.NewReaderSize(r, ChunkSize+1)
	hash := sha256.New()
	sealed := make([]byte, 0, sealedSize)
	for chunk := int64(0); ; chunk++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		plain, err := in.Peek(ChunkSize + 1)
		last := err == io.EOF // as it is: an EOF inside another error means that r broke off
		if err != nil && !last {
			return err
		}
		plain = plain[:min(len(plain), ChunkSize)]
		if info.Size += int64(len(plain)); info.Size > max {
			return ErrTooLarge
		}
		hash.Write(plain)
		sealed = key.AppendSeal(sealed[:0], plain, chunkAAD(info.Name, chunk, last))
		if _, err := w.Write(sealed); err != nil {
			return err
		}
		if last {
			hash.Sum(info.SHA256[:0])
			return nil
		}
		if _, err := in.Discard(len(plain)); err != nil {
			return err
		}
	}
}

// chunkAAD binds a chunk to its file, its place in it, and the end of the file.
func chunkAAD(name string, chunk int64, last bool) []byte {
	end := 0
	if last {
		end = 1
	}
	return secrets.AAD("media file", name, chunk, end)
}
