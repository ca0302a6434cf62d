package scan_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"kabar/internal/torture/scan"
)

// A canary is found in every form, wherever it stands among other bytes.
func TestEveryFormIsFound(t *testing.T) {
	s := scan.New()
	canary := s.Canary("text")
	pack := func(w func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		z := w(&b)
		_, _ = io.WriteString(z, strings.Repeat("before ", 10)+canary+" after")
		_ = z.Close()
		return b.Bytes()
	}
	wide := func(order func(uint16) [2]byte) (b []byte) {
		for _, u := range utf16.Encode([]rune(canary)) {
			two := order(u)
			b = append(b, two[:]...)
		}
		return b
	}
	forms := map[string][]byte{
		"plain":     []byte(canary),
		"hex":       []byte(hex.EncodeToString([]byte(canary))),
		"HEX":       []byte(strings.ToUpper(hex.EncodeToString([]byte(canary)))),
		"base64":    []byte(base64.StdEncoding.EncodeToString([]byte(canary))),
		"base64 1":  []byte(base64.StdEncoding.EncodeToString([]byte("a" + canary + "?"))),
		"base64 2":  []byte(base64.URLEncoding.EncodeToString([]byte("ab" + canary + "??"))),
		"UTF-16 LE": wide(func(u uint16) [2]byte { return [2]byte{byte(u), byte(u >> 8)} }),
		"UTF-16 BE": wide(func(u uint16) [2]byte { return [2]byte{byte(u >> 8), byte(u)} }),
		"gzip":      pack(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		"zlib":      pack(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }),
		"deflate": pack(func(w io.Writer) io.WriteCloser {
			z, _ := flate.NewWriter(w, 9)
			return z
		}),
	}
	noise := make([]byte, 3001)
	_, _ = rand.Read(noise)
	if hits := s.Bytes("noise", noise, true); len(hits) > 0 {
		t.Errorf("found in noise: %v", hits)
	}
	for name, form := range forms {
		if hits := s.Bytes(name, append(append(bytes.Clone(noise), form...), noise...), true); len(hits) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestFolderAndMemory(t *testing.T) {
	s, dir := scan.New(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if hits, files, err := s.Folder(dir); err != nil || files != 1 || len(hits) != 0 {
		t.Errorf("%v, %d files, %v", hits, files, err)
	}
	held := []byte(s.Canary("in memory"))
	if err := os.WriteFile(filepath.Join(dir, "b"), held, 0o600); err != nil {
		t.Fatal(err)
	}
	if hits, _, err := s.Folder(dir); err != nil || len(hits) != 1 {
		t.Errorf("%v, %v", hits, err)
	}
	hits, read, err := s.Memory(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if len(hits) == 0 || read < 1<<20 {
		t.Errorf("found %d times in %d bytes", len(hits), read)
	}
	held[0]++ // it was in use
}

func TestSecrets(t *testing.T) {
	secret := make([]byte, 64)
	_, _ = rand.Read(secret)
	var s scan.Secrets
	if s.Add("key", secret) == 0 {
		t.Fatal("nothing of a random secret was taken")
	}
	if s.Add("padding", make([]byte, 64)) != 0 {
		t.Error("padding was taken for a secret")
	}
	other := make([]byte, 4096)
	_, _ = rand.Read(other)
	if names := s.Bytes(other); len(names) > 0 {
		t.Errorf("found %v in noise", names)
	}
	if names := s.Bytes(append(other, secret[8:40]...)); len(names) == 0 {
		t.Error("a piece of the secret was not found")
	}
}
