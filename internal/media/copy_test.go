package media_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"kabar/internal/media"
	"kabar/internal/secrets"
)

// TestAFileMoves copies a sealed file from one folder to another, where its key opens it.
func TestAFileMoves(t *testing.T) {
	from, to := openIn(t, t.TempDir()), openIn(t, filepath.Join(t.TempDir(), "new"))
	key, plain := secrets.NewKey(), bytes.Repeat([]byte("abc"), media.ChunkSize)
	info, err := from.Put(t.Context(), bytes.NewReader(plain), key, int64(len(plain)))
	if err != nil {
		t.Fatal(err)
	}
	sealed, size, err := from.OpenSealed(info.Name)
	if err != nil || size <= info.Size {
		t.Fatalf("%d bytes sealed of %d, %v", size, info.Size, err)
	}
	if err := errors.Join(to.PutSealed(t.Context(), info.Name, sealed), sealed.Close(), to.Sync()); err != nil {
		t.Fatal(err)
	}
	r, err := to.OpenReader(info.Name, key, info.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func openIn(t *testing.T, dir string) *media.Store {
	t.Helper()
	s, err := media.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// brokenReader breaks off after a few bytes.
type brokenReader struct{ given bool }

var errBroken = errors.New("broken")

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.given {
		return 0, errBroken
	}
	b.given = true
	return copy(p, "some"), nil
}

func TestAMoveThatFailsLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	name := "0123456789abcdef0123456789abcdef"
	ended, end := context.WithCancel(t.Context())
	end()
	for what, err := range map[string]error{
		"a reader that breaks":   s.PutSealed(t.Context(), name, &brokenReader{}),
		"a context that ends":    s.PutSealed(ended, name, bytes.NewReader([]byte("x"))),
		"a name that leads out":  s.PutSealed(t.Context(), "../"+name[3:], bytes.NewReader(nil)),
		"a name that is no name": s.PutSealed(t.Context(), "x", bytes.NewReader(nil)),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	for _, missing := range []string{name, "../x", ""} {
		if _, _, err := s.OpenSealed(missing); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("OpenSealed(%q) = %v", missing, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
