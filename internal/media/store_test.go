package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"kabar/internal/secrets"
)

func openStore(t testing.TB) (s *Store, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "media")
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

// pattern returns n bytes in which no two places look alike.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16*7)
	}
	return p
}

func put(t testing.TB, s *Store, key secrets.Key, content []byte) Info {
	t.Helper()
	info, err := s.Put(t.Context(), bytes.NewReader(content), key, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// read returns the whole file, and what went wrong.
func read(s *Store, key secrets.Key, info Info) ([]byte, error) {
	r, err := s.OpenReader(info.Name, key, info.Size)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

var sizes = []int{0, 1, 100, ChunkSize - 1, ChunkSize, ChunkSize + 1, 2*ChunkSize - 1, 2 * ChunkSize, 3*ChunkSize + 7}

func TestPutAndRead(t *testing.T) {
	s, dir := openStore(t)
	key := secrets.NewKey()
	for _, size := range sizes {
		content := pattern(size)
		for name, r := range map[string]io.Reader{
			"whole":       bytes.NewReader(content),
			"byte-wise":   iotest.OneByteReader(bytes.NewReader(content)),
			"EOF at once": iotest.DataErrReader(bytes.NewReader(content)),
		} {
			info, err := s.Put(t.Context(), r, key, int64(size))
			if err != nil {
				t.Fatalf("%d bytes, %s: %v", size, name, err)
			}
			if info.Size != int64(size) || info.SHA256 != sha256.Sum256(content) {
				t.Errorf("%d bytes, %s: info %+v", size, name, info)
			}
			got, err := read(s, key, info)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %s: read back %d, %v", size, name, len(got), err)
			}
		}
	}
	for _, name := range names(t, dir) {
		if info, _ := os.Stat(filepath.Join(dir, name)); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestContentIsSealed(t *testing.T) {
	s, dir := openStore(t)
	canary := []byte("the canary sings at noon")
	info := put(t, s, secrets.NewKey(), bytes.Repeat(canary, 10_000))
	raw, err := os.ReadFile(filepath.Join(dir, info.Name))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, canary) {
		t.Error("the file shows its content")
	}
}

// cancelAfter cancels a context after n bytes.
type cancelAfter struct {
	r      io.Reader
	n      int
	cancel func()
}

func (c *cancelAfter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n -= n; c.n <= 0 {
		c.cancel()
	}
	return n, err
}

func TestPutThatFailsLeavesNothing(t *testing.T) {
	s, dir := openStore(t)
	broken := errors.New("line broken")
	ctx, cancel := context.WithCancel(t.Context())
	tests := []struct {
		name string
		ctx  context.Context
		r    io.Reader
		max  int64
		want error
	}{
		{"one byte too many", t.Context(), bytes.NewReader(pattern(1001)), 1000, ErrTooLarge},
		{"one byte too many, chunks later", t.Context(), bytes.NewReader(pattern(3*ChunkSize + 1)), 3 * ChunkSize, ErrTooLarge},
		{"endless", t.Context(), endless{}, 10 * ChunkSize, ErrTooLarge},
		{"nothing allowed", t.Context(), strings.NewReader("x"), 0, ErrTooLarge},
		{"breaks at once", t.Context(), iotest.ErrReader(broken), 100, broken},
		{"breaks later", t.Context(), io.MultiReader(bytes.NewReader(pattern(2*ChunkSize)), iotest.ErrReader(broken)), 1 << 30, broken},
		{"breaks off like an end", t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF)), 1 << 30, io.ErrUnexpectedEOF},
		{"an end within an error", t.Context(), iotest.ErrReader(fmt.Errorf("lost: %w", io.EOF)), 100, io.EOF},
		{"cancelled", ctx, &cancelAfter{endless{}, 2 * ChunkSize, cancel}, 1 << 40, context.Canceled},
	}
	for _, test := range tests {
		if _, err := s.Put(test.ctx, test.r, secrets.NewKey(), test.max); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if left := names(t, dir); len(left) > 0 {
			t.Fatalf("%s: left %v", test.name, left)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestPutConcurrently(t *testing.T) {
	s, dir := openStore(t)
	key := secrets.NewKey()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			content := pattern(i * 10_000)
			info, err := s.Put(t.Context(), bytes.NewReader(content), key, 1<<20)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := read(s, key, info); err != nil || !bytes.Equal(got, content) {
				t.Errorf("file %d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	wg.Wait()
	if n := len(names(t, dir)); n != 20 {
		t.Errorf("%d files", n)
	}
}

func TestRemove(t *testing.T) {
	s, _ := openStore(t)
	key := secrets.NewKey()
	info := put(t, s, key, pattern(10))
	for range 2 {
		if err := s.Remove(info.Name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := read(s, key, info); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Remove: %v", err)
	}
}

func TestSweep(t *testing.T) {
	s, dir := openStore(t)
	key := secrets.NewKey()
	known, orphan, fresh := put(t, s, key, pattern(1)), put(t, s, key, pattern(2)), put(t, s, key, pattern(3))
	now := time.Now()
	temp := newName() + tempSuffix
	plant(t, dir, temp, "README", "0123.tmp", strings.ToUpper(newName()))
	if err := os.Mkdir(filepath.Join(dir, newName()), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range names(t, dir) {
		age(t, filepath.Join(dir, name), now.Add(-time.Hour))
	}
	age(t, filepath.Join(dir, fresh.Name), now.Add(-time.Second))
	asked := []string{}
	n, err := s.Sweep(t.Context(), func(name string) bool {
		asked = append(asked, name)
		return name == known.Name
	}, time.Minute)
	if err != nil || n != 2 {
		t.Errorf("Sweep removed %d, %v; want the orphan and the temporary file", n, err)
	}
	left := names(t, dir)
	for _, name := range []string{known.Name, fresh.Name, "README", "0123.tmp"} {
		if !slices.Contains(left, name) {
			t.Errorf("%s is gone", name)
		}
	}
	if slices.Contains(left, orphan.Name) || slices.Contains(left, temp) || len(left) != 6 {
		t.Errorf("left: %v", left)
	}
	if slices.Contains(asked, temp) || slices.Contains(asked, fresh.Name) {
		t.Errorf("asked for %v", asked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Sweep(ctx, func(string) bool { return true }, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled Sweep: %v", err)
	}
}

func plant(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func age(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestOpenCleansInterruptedUploads(t *testing.T) {
	s, dir := openStore(t)
	info := put(t, s, secrets.NewKey(), pattern(5))
	plant(t, dir, newName()+tempSuffix, "mine.tmp")
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if left := names(t, dir); !slices.Equal(left, []string{info.Name, "mine.tmp"}) {
		t.Errorf("left: %v", left)
	}
	if _, err := Open(filepath.Join(dir, info.Name)); err == nil {
		t.Error("opened a file as a folder")
	}
}

// No name and no planted link leads out of the folder, or to a file that Put has not made.
func TestNamesStayInside(t *testing.T) {
	s, dir := openStore(t)
	key := secrets.NewKey()
	secret := filepath.Join(filepath.Dir(dir), "secret")
	if err := os.WriteFile(secret, pattern(10), 0o600); err != nil {
		t.Fatal(err)
	}
	plant(t, dir, "README")
	link := newName()
	if err := os.Symlink(secret, filepath.Join(dir, link)); err != nil {
		t.Logf("NO SYMBOLIC LINKS HERE, that part is not tried: %v", err)
	}
	bad := []string{link, "README", "", ".", "..", "../secret", "../../etc/passwd", secret, "/etc/passwd", `..\secret`, "a/../../secret",
		"%2e%2e/secret", "..%2fsecret", "....//secret", "//secret", `\\host\share`, `C:\secret`, "C:secret", "CON", "NUL", "secret\x00",
		"\x00", "..\x00/", strings.Repeat("a", 31), strings.Repeat("a", 33), strings.Repeat("A", 32), strings.Repeat("g", 32),
		strings.Repeat("a", 5000), "\u202e" + strings.Repeat("a", 29), "\r\n", strings.Repeat("../", 10) + "xx", strings.Repeat("a", 30) + "/.",
		strings.Repeat("a", 31) + "/", "/" + strings.Repeat("a", 31), strings.Repeat("٣", 16), newName() + tempSuffix}
	for _, name := range bad {
		if r, err := s.OpenReader(name, key, 10); err == nil {
			r.Close()
			t.Errorf("%q was opened", name)
		}
		if name != link { // a link of ours to remove is harmless: the link goes, not its target
			if err := s.Remove(name); err != nil {
				t.Errorf("Remove(%q): %v", name, err)
			}
		}
	}
	if err := s.Remove(link); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(secret); err != nil {
		t.Errorf("the file outside is gone: %v", err)
	}
	if left := names(t, dir); !slices.Equal(left, []string{"README"}) {
		t.Errorf("left: %v", left)
	}
}
