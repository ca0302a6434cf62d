// Package attachment encrypts a medium for its way over the relay: business and customer put the ciphertext there as a
// blob, and key and hashes travel inside the end-to-end-encrypted message.
//
// The plaintext is padded with zeros to a bucket, so that its length says little, and cut into chunks of 64 KiB. Each is
// sealed with ChaCha20-Poly1305 (RFC 8439) under one random key that is used for this medium only; the nonce is the
// number of the chunk and a flag on the last one (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár,
// 2015). A blob that is cut, extended, reordered or damaged gives an error before the end of the plaintext.
//
// Everything streams: whatever the size, about 200 KiB are in memory. The package stores nothing, talks to no network,
// knows no media types and sets no limit on sizes. Functions are safe for concurrent use; a reader is for one goroutine.
package attachment

import (
	"bufio"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	chunkSize = 64 << 10 // plain bytes of a chunk
	minBucket = 1 << 10  // bytes to which shorter plaintexts are padded
	maxSize   = 1 << 50  // bytes; keeps sums of sizes within an int64

	nonceSize = chacha20poly1305.NonceSize
	overhead  = chacha20poly1305.Overhead // bytes that sealing adds to a chunk
)

// ErrDamaged says that a blob is not what was sealed with this key, or that the plaintext does not have the size stated.
var ErrDamaged = errors.New("attachment: damaged, incomplete, or another key or size")

// Sealed says how to open an encrypted medium, and what it must look like. Key is secret.
type Sealed struct {
	Key        [32]byte
	CipherHash [sha256.Size]byte // SHA-256 of the ciphertext
	PlainHash  [sha256.Size]byte // SHA-256 of the plaintext
	CipherSize int64             // bytes
	Size       int64             // bytes of the plaintext
}

// Encrypt reads plain to its end and writes the ciphertext to dst, under a fresh random key. Errors are those of plain or
// dst; what has been written by then is worth nothing.
func Encrypt(dst io.Writer, plain io.Reader) (Sealed, error) {
	var s Sealed
	rand.Read(s.Key[:])
	aead, err := chacha20poly1305.New(s.Key[:])
	if err != nil {
		return Sealed{}, fmt.Errorf("encrypt attachment: %w", err)
	}
	cipherHash, plainHash := sha256.New(), sha256.New()
	out := io.MultiWriter(dst, cipherHash, (*counter)(&s.CipherSize))
	w := &writer{aead: aead, cipher: out, buf: make([]byte, 0, chunkSize+overhead)}
	plain = io.TeeReader(plain, io.MultiWriter(plainHash, (*counter)(&s.Size)))
	if err := w.seal(plain); err != nil {
		return Sealed{}, fmt.Errorf("encrypt attachment: %w", err)
	}
	cipherHash.Sum(s.CipherHash[:0])
	plainHash.Sum(s.PlainHash[:0])
	return s, nil
}

// counter is a writer that adds up lengths.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// writer seals chunk after chunk.
type writer struct {
	aead   cipher.AEAD
	cipher io.Writer
	chunk  uint64 // number of the next chunk
	buf    []byte
}

// seal copies plain and its padding. A chunk goes out only when it is known whether it is the last one: when a byte of
// the next has been seen, or when the plaintext and with it the bucket has ended.
func (w *writer) seal(plain io.Reader) error {
	in := bufio.NewReaderSize(plain, chunkSize+1)
	size := int64(0)
	for {
		head, err := in.Peek(chunkSize + 1)
		switch {
		case err == io.EOF: // as it is: an EOF inside another error means that plain broke off
			return w.finish(head, size+int64(len(head)), size)
		case err != nil:
			return err
		}
		if err := w.write(head[:chunkSize], false); err != nil {
			return err
		}
		size += chunkSize
		if _, err := in.Discard(chunkSize); err != nil {
			return err
		}
	}
}

// finish writes the rest of a plaintext of size bytes, of which done are written, and the padding.
func (w *writer) finish(rest []byte, size, done int64) error {
	chunk := make([]byte, chunkSize)
	copy(chunk, rest)
	for left := padded(size) - done; ; left -= chunkSize {
		last := left <= chunkSize
		if err := w.write(chunk[:min(left, chunkSize)], last); err != nil || last {
			return err
		}
		clear(chunk)
	}
}

func (w *writer) write(chunk []byte, last bool) error {
	n := nonce(w.chunk, last)
	w.chunk++
	_, err := w.cipher.Write(w.aead.Seal(w.buf[:0], n[:], chunk, nil))
	return err
}

// nonce is the number of the chunk, and 1 at the end if it is the last.
func nonce(chunk uint64, last bool) (n [nonceSize]byte) {
	binary.BigEndian.PutUint64(n[nonceSize-9:], chunk)
	if last {
		n[nonceSize-1] = 1
	}
	return n
}

// padded returns the bucket of a plaintext: the size rounded up so that only its highest bits vary (the Padmé scheme of
// Nikitin et al., PETS 2019). It adds at most 12 percent, far less to large sizes.
func padded(size int64) int64 {
	if size <= minBucket {
		return minBucket
	}
	exponent := bits.Len64(uint64(size)) - 1
	free := exponent - bits.Len(uint(exponent)) // low bits that are rounded away
	step := int64(1) << free
	return (size + step - 1) &^ (step - 1)
}

// CipherSize returns the number of bytes that Encrypt writes for a plaintext of size bytes.
func CipherSize(size int64) int64 {
	total := padded(size)
	return total + chunks(total)*overhead
}

func chunks(total int64) int64 { return (total + chunkSize - 1) / chunkSize }
