package scan

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
)

// window is how many bytes of a secret are enough to know it by.
const window = 16

// Secrets are byte strings of which no piece may lie open.
type Secrets struct {
	pieces map[[window]byte]string
	first  map[uint64]bool // the first half of every piece, to look up quickly
}

// Add takes a secret called name, every piece of it that does not look like text or padding. It returns how many there are.
func (s *Secrets) Add(name string, secret []byte) (n int) {
	if s.pieces == nil {
		s.pieces, s.first = map[[window]byte]string{}, map[uint64]bool{}
	}
	for at := 0; at+window <= len(secret); at += window / 2 {
		p := [window]byte(secret[at : at+window])
		if !random(p[:]) {
			continue
		}
		s.pieces[p], n = name, n+1
		s.first[binary.LittleEndian.Uint64(p[:])] = true
	}
	return n
}

// random reports whether bytes look like those of a key: hardly any of them twice.
func random(b []byte) bool {
	seen := map[byte]bool{}
	for _, c := range b {
		seen[c] = true
	}
	return len(seen) >= len(b)-3
}

// Bytes returns the names of the secrets of which a piece lies in b.
func (s *Secrets) Bytes(b []byte) (names []string) {
	for at := 0; at+window <= len(b); at++ {
		if !s.first[binary.LittleEndian.Uint64(b[at:])] {
			continue
		}
		if name, ok := s.pieces[[window]byte(b[at:at+window])]; ok {
			names = append(names, name)
		}
	}
	return names
}

// Folder returns, for each file of a folder in which a piece of a secret lies, the secrets' names.
func (s *Secrets) Folder(dir string) (map[string][]string, error) {
	found := map[string][]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil {
			if names := s.Bytes(b); len(names) > 0 {
				found[path] = names
			}
		}
		return err
	})
	return found, err
}
