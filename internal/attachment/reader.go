package attachment

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// Decrypt returns the plaintext of size bytes of the blob that src reads. Every byte it gives is authentic; whether it is
// all of them is known at its end only: io.EOF says so, ErrDamaged the opposite. Other errors are those of src.
func Decrypt(src io.Reader, key [32]byte, size int64) io.Reader {
	r := &reader{src: src, left: size}
	if size < 0 || size > maxSize {
		r.err = fmt.Errorf("decrypt attachment of %d bytes: %w", size, ErrDamaged)
		return r
	}
	if r.aead, r.err = chacha20poly1305.New(key[:]); r.err != nil {
		return r
	}
	r.bucket = padded(size)
	r.buf = make([]byte, min(r.bucket, chunkSize)+overhead)
	return r
}

type reader struct {
	src    io.Reader
	aead   cipher.AEAD
	bucket int64  // plain bytes, padding included, in the chunks to come
	left   int64  // plain bytes, padding excluded, in the chunks to come
	chunk  uint64 // number of the next chunk
	buf    []byte
	plain  []byte // of the current chunk, not yet read
	err    error  // io.EOF after the last chunk
}

// Read gives the plaintext.
func (r *reader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		if r.err = r.next(); r.err != nil && !errors.Is(r.err, io.EOF) {
			r.err = fmt.Errorf("decrypt attachment: %w", r.err)
		}
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// next opens a chunk. The last one, which ends with io.EOF, counts only if nothing follows it.
func (r *reader) next() error {
	last := r.bucket <= chunkSize
	sealed := r.buf[:min(r.bucket, chunkSize)+overhead]
	if _, err := io.ReadFull(r.src, sealed); err != nil {
		return broken(err)
	}
	n := nonce(r.chunk, last)
	plain, err := r.aead.Open(sealed[:0], n[:], sealed, nil)
	if err != nil {
		return fmt.Errorf("chunk %d: %w", r.chunk, ErrDamaged)
	}
	if last {
		if err := atEnd(r.src); err != nil {
			return err
		}
	}
	real := min(int64(len(plain)), r.left)
	if len(bytes.TrimLeft(plain[real:], "\x00")) != 0 {
		return fmt.Errorf("padding: %w", ErrDamaged)
	}
	r.plain, r.chunk = plain[:real], r.chunk+1
	r.left, r.bucket = r.left-real, r.bucket-int64(len(plain))
	if last {
		return io.EOF
	}
	return nil
}

// broken says what an early end means.
func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the blob is too short: %w", ErrDamaged)
	}
	return err
}

func atEnd(src io.Reader) error {
	var more [1]byte
	switch n, err := io.ReadFull(src, more[:]); {
	case n > 0:
		return fmt.Errorf("the blob is too long: %w", ErrDamaged)
	case err != io.EOF:
		return err
	}
	return nil
}
