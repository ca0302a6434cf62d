package media

import (
	"errors"
	"fmt"
	"io"
	"os"

	"kabar/internal/secrets"
)

// Reader reads the plaintext of a file in any order; it fits [net/http.ServeContent]. It decrypts one chunk at a time,
// keeps that one, and never returns a byte that was not authenticated. It is for one goroutine.
type Reader struct {
	f     *os.File
	key   secrets.Key
	name  string
	size  int64
	at    int64  // position of the next Read
	chunk int64  // which chunk plain holds; -1: none
	plain []byte // its content
	buf   []byte // its sealed form
}

// OpenReader opens the file called name, sealed with key, of size plaintext bytes (as [Info] said). A file of another
// size matches [ErrDamaged], a missing one [io/fs.ErrNotExist].
func (s *Store) OpenReader(name string, key secrets.Key, size int64) (*Reader, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("open media: %w", err)
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open media: %w", err)
	}
	r := &Reader{f: f, key: key, name: name, size: size, chunk: -1}
	err = r.checkSize()
	if err == nil && size == 0 {
		err = r.load(0) // reading will not come to it
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open media: %w", err), f.Close())
	}
	return r, nil
}

func (r *Reader) checkSize() error {
	info, err := r.f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || r.size < 0 || info.Size() != r.size+r.chunks()*secrets.Overhead {
		return ErrDamaged
	}
	return nil
}

// chunks is the number of chunks; an empty file has one, which is empty.
func (r *Reader) chunks() int64 { return max(1, (r.size+ChunkSize-1)/ChunkSize) }

// Size returns the size of the plaintext in bytes.
func (r *Reader) Size() int64 { return r.size }

// Read reads from the current position. A chunk that does not open matches [ErrDamaged].
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.at >= r.size {
		return 0, io.EOF
	}
	if err := r.load(r.at / ChunkSize); err != nil {
		return 0, fmt.Errorf("read media: %w", err)
	}
	n := copy(p, r.plain[r.at%ChunkSize:])
	r.at += int64(n)
	return n, nil
}

// Seek sets the position of the next Read, as [io.Seeker] says; positions behind the end are allowed.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	default:
		return 0, fmt.Errorf("seek media: unknown whence %d", whence)
	}
	if offset < 0 {
		return 0, errors.New("seek media: negative position")
	}
	r.at = offset
	return offset, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.f.Close() }

// load makes plain hold chunk n, whole.
func (r *Reader) load(n int64) error {
	if n == r.chunk {
		return nil
	}
	last := n == r.chunks()-1
	want := int64(ChunkSize)
	if last {
		want = r.size - n*ChunkSize
	}
	if r.buf == nil {
		r.buf, r.plain = make([]byte, sealedSize), make([]byte, 0, ChunkSize)
	}
	r.chunk = -1 // until the new content is proved
	buf := r.buf[:want+secrets.Overhead]
	if _, err := r.f.ReadAt(buf, n*sealedSize); err != nil {
		return errors.Join(ErrDamaged, err)
	}
	plain, err := r.key.AppendOpen(r.plain[:0], buf, chunkAAD(r.name, n, last))
	if err != nil {
		return errors.Join(ErrDamaged, err)
	}
	r.plain, r.chunk = plain, n
	return nil
}
