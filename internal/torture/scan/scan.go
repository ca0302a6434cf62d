// Package scan looks for canaries, texts that were put into messages, where no plaintext may be: in files, in what crossed
// a wire, in the memory of a process. It finds them as they are, and in base64, in hexadecimal, in UTF-16, and inside gzip,
// zlib and raw deflate streams.
//
// All canaries of a Scanner begin with the same random mark, so a few needles find every one of them. What it cannot find is
// a text in another compression or encoding, or one broken into pieces shorter than the mark.
package scan

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf16"
)

// Scanner knows the mark of its canaries.
type Scanner struct {
	mark    string
	needles []needle
}

// needle is the mark in one form.
type needle struct {
	form string
	text []byte
}

// Hit is a canary that was found.
type Hit struct {
	Place string // a file, or a part of a process's memory
	Form  string
	At    int64  // byte
	Text  string // what stands there, as far as it can be shown
}

func (h Hit) String() string { return fmt.Sprintf("%s, byte %d: %s %q", h.Place, h.At, h.Form, h.Text) }

// New returns a scanner with a mark that nothing else has.
func New() *Scanner {
	mark := "Zq" + rand.Text()[:16]
	s := &Scanner{mark: mark}
	s.add("plain", []byte(mark))
	s.add("hex", []byte(hex.EncodeToString([]byte(mark))))
	s.add("hex", bytes.ToUpper([]byte(hex.EncodeToString([]byte(mark)))))
	for _, big := range []bool{false, true} {
		s.add("UTF-16", wide(mark, big))
	}
	for skip := range 3 { // what a mark looks like behind 0, 1 or 2 bytes of a group of three
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(append(make([]byte, skip), mark...))
			s.add("base64", []byte(text[4:len(text)-len(text)%4])) // without the characters that depend on the neighbours
		}
	}
	return s
}

// Canary returns a text with the mark that says where it was put.
func (s *Scanner) Canary(place string) string { return s.mark + place }

func (s *Scanner) add(form string, text []byte) {
	for _, n := range s.needles {
		if bytes.Equal(n.text, text) {
			return
		}
	}
	s.needles = append(s.needles, needle{form, text})
}

func wide(text string, big bool) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}

// Bytes looks through b. deep also tries a raw deflate stream at every byte, which takes about a second a megabyte.
func (s *Scanner) Bytes(place string, b []byte, deep bool) (hits []Hit) {
	hits = s.open(place, "", b)
	for at := range b {
		packed := b[at:]
		switch {
		case bytes.HasPrefix(packed, []byte{0x1f, 0x8b, 8}):
			if r, err := gzip.NewReader(bytes.NewReader(packed)); err == nil {
				hits = append(hits, s.inside(place, "gzip", at, r)...)
			}
		case len(packed) > 2 && packed[0]&0x0f == 8 && (int(packed[0])<<8|int(packed[1]))%31 == 0:
			if r, err := zlib.NewReader(bytes.NewReader(packed)); err == nil {
				hits = append(hits, s.inside(place, "zlib", at, r)...)
			}
		}
	}
	if deep {
		r := flate.NewReader(bytes.NewReader(nil))
		for at := range b {
			if err := r.(flate.Resetter).Reset(bytes.NewReader(b[at:]), nil); err == nil {
				hits = append(hits, s.inside(place, "deflate", at, r)...)
			}
		}
	}
	return hits
}

// inflated bounds how much of a stream is looked at.
const inflated = 256 << 10

func (s *Scanner) inside(place, form string, at int, r io.Reader) []Hit {
	plain, _ := io.ReadAll(io.LimitReader(r, inflated)) // what can be read counts, however it ends
	hits := s.open(place, form+" with ", plain)
	for i := range hits {
		hits[i].At = int64(at)
	}
	return hits
}

// open looks for every needle.
func (s *Scanner) open(place, within string, b []byte) (hits []Hit) {
	for _, n := range s.needles {
		for from := 0; ; {
			i := bytes.Index(b[from:], n.text)
			if i < 0 {
				break
			}
			at := from + i
			hits = append(hits, Hit{place, within + n.form, int64(at), string(b[at:min(len(b), at+len(n.text)+24)])})
			from = at + len(n.text)
		}
	}
	return hits
}

// Folder looks through every file of a folder. Small files are looked at deeply.
func (s *Scanner) Folder(dir string) (hits []Hit, files int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		hits = append(hits, s.Bytes(path, b, len(b) <= deepLimit)...)
		return nil
	})
	return hits, files, err
}

// deepLimit is up to which size files are looked at deeply.
const deepLimit = 8 << 20
