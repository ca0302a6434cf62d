package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"kabar/internal/secrets"
)

func TestReaderKeepsTheContractOfReaders(t *testing.T) {
	s, _ := openStore(t)
	key := secrets.NewKey()
	for _, size := range []int{0, 1, ChunkSize, ChunkSize + 100} {
		content := pattern(size)
		info := put(t, s, key, content)
		r, err := s.OpenReader(info.Name, key, info.Size)
		if err != nil {
			t.Fatal(err)
		}
		if r.Size() != int64(size) {
			t.Errorf("Size() = %d", r.Size())
		}
		if err := iotest.TestReader(r, content); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Any walk of seeks and reads gives what it gives on the plain bytes.
func TestReaderIsLikeBytesReader(t *testing.T) {
	s, _ := openStore(t)
	key := secrets.NewKey()
	files := map[int]Info{}
	for _, size := range sizes {
		files[size] = put(t, s, key, pattern(size))
	}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom(sizes).Draw(t, "size")
		want := bytes.NewReader(pattern(size))
		got, err := s.OpenReader(files[size].Name, key, int64(size))
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		edge := rapid.SampledFrom([]int64{0, 1, -1, ChunkSize, -ChunkSize, int64(size), 2 * ChunkSize})
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			offset := edge.Draw(t, "offset") + rapid.Int64Range(-3, 3).Draw(t, "delta")
			whence := rapid.IntRange(-1, 3).Draw(t, "whence")
			a, aerr := want.Seek(offset, whence)
			b, berr := got.Seek(offset, whence)
			if a != b || (aerr == nil) != (berr == nil) {
				t.Fatalf("Seek(%d, %d) = %d, %v; want %d, %v", offset, whence, b, berr, a, aerr)
			}
			n := rapid.SampledFrom([]int{0, 1, 100, ChunkSize, 3 * ChunkSize}).Draw(t, "n")
			p, q := make([]byte, n), make([]byte, n)
			m, aerr := io.ReadFull(want, p)
			k, berr := io.ReadFull(got, q)
			if m != k || !errors.Is(aerr, berr) || !bytes.Equal(p[:m], q[:k]) {
				t.Fatalf("read %d: %d, %v; want %d, %v", n, k, berr, m, aerr)
			}
		}
	})
}

func TestServeContent(t *testing.T) {
	s, _ := openStore(t)
	key, content := secrets.NewKey(), pattern(3*ChunkSize+7)
	info := put(t, s, key, content)
	r, err := s.OpenReader(info.Name, key, info.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for header, want := range map[string][]byte{
		"":                     content,
		"bytes=0-0":            content[:1],
		"bytes=65535-65536":    content[65535:65537],
		"bytes=-8":             content[len(content)-8:],
		"bytes=131072-":        content[131072:],
		"bytes=100-1000000000": content[100:],
	} {
		req := httptest.NewRequest("GET", "/", nil)
		req.Header.Set("Range", header)
		w := httptest.NewRecorder()
		http.ServeContent(w, req, "", time.Time{}, r)
		if !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("%q: %d, %d bytes; want %d", header, w.Code, w.Body.Len(), len(want))
		}
	}
}

// damage is one thing that may happen to the bytes of a file.
type damage struct {
	name string
	do   func(raw []byte) []byte
}

func damages() []damage {
	chunk := func(raw []byte, n int) []byte { return raw[n*sealedSize : min(len(raw), (n+1)*sealedSize)] }
	list := []damage{
		{"empty", func([]byte) []byte { return nil }},
		{"first chunk only", func(raw []byte) []byte { return chunk(raw, 0) }},
		{"last chunk lost", func(raw []byte) []byte { return raw[:2*sealedSize] }},
		{"last byte lost", func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"a byte more", func(raw []byte) []byte { return append(raw, 0) }},
		{"first chunk lost", func(raw []byte) []byte { return raw[sealedSize:] }},
		{"chunks exchanged", func(raw []byte) []byte {
			return bytes.Join([][]byte{chunk(raw, 1), chunk(raw, 0), chunk(raw, 2)}, nil)
		}},
		{"a chunk twice", func(raw []byte) []byte {
			return bytes.Join([][]byte{chunk(raw, 0), chunk(raw, 0), chunk(raw, 2)}, nil)
		}},
		{"zeros", func(raw []byte) []byte { return make([]byte, len(raw)) }},
	}
	for range 60 {
		bit := rand.IntN((2*sealedSize + 100 + secrets.Overhead) * 8)
		list = append(list, damage{fmt.Sprintf("bit %d flipped", bit), func(raw []byte) []byte {
			raw[bit/8] ^= 1 << (bit % 8)
			return raw
		}})
	}
	return list
}

// A damaged file gives an error, and before it only right bytes.
func TestDamageIsNoticed(t *testing.T) {
	s, dir := openStore(t)
	key, content := secrets.NewKey(), pattern(2*ChunkSize+100)
	info := put(t, s, key, content)
	path := filepath.Join(dir, info.Name)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range damages() {
		if err := os.WriteFile(path, d.do(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(s, key, info)
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", d.name, err)
		}
		if !bytes.HasPrefix(content, got) {
			t.Errorf("%s: wrong bytes were read", d.name)
		}
	}
}

// A reader that has met a damaged chunk can go on elsewhere, and meets the damage again when it comes back.
func TestReaderAfterDamage(t *testing.T) {
	s, dir := openStore(t)
	key, content := secrets.NewKey(), pattern(2*ChunkSize)
	info := put(t, s, key, content)
	path := filepath.Join(dir, info.Name)
	raw, _ := os.ReadFile(path)
	raw[sealedSize+500] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := s.OpenReader(info.Name, key, info.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, 1)
	for range 3 {
		r.Seek(ChunkSize, io.SeekStart)
		if _, err := r.Read(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("damaged chunk: %v", err)
		}
		r.Seek(1, io.SeekStart)
		if _, err := r.Read(b); err != nil || b[0] != content[1] {
			t.Errorf("whole chunk: %v, %d", err, b[0])
		}
	}
}

func TestOpenReaderRefuses(t *testing.T) {
	s, dir := openStore(t)
	key := secrets.NewKey()
	a, b := put(t, s, key, pattern(1000)), put(t, s, key, pattern(1000))
	for _, size := range []int64{0, 999, 1001, -1, math.MaxInt64, math.MinInt64, ChunkSize, 1000 + secrets.Overhead} {
		if _, err := s.OpenReader(a.Name, key, size); !errors.Is(err, ErrDamaged) {
			t.Errorf("size %d: %v, want ErrDamaged", size, err)
		}
	}
	if _, err := s.OpenReader(newName(), key, 1000); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := read(s, secrets.NewKey(), a); !errors.Is(err, ErrDamaged) {
		t.Errorf("another key: %v", err)
	}
	if _, err := read(s, secrets.Key{}, a); !errors.Is(err, ErrDamaged) {
		t.Errorf("the zero key: %v", err)
	}
	if err := os.Rename(filepath.Join(dir, a.Name), filepath.Join(dir, b.Name)); err != nil {
		t.Fatal(err)
	}
	if _, err := read(s, key, b); !errors.Is(err, ErrDamaged) {
		t.Errorf("a file under another's name: %v", err)
	}
}

// Whatever the bytes of a file are, reading gives an error or, for the one right file, its content.
func FuzzReader(f *testing.F) {
	s, dir := openStore(f)
	key, content := secrets.NewKey(), pattern(300)
	info := put(f, s, key, content)
	path := filepath.Join(dir, info.Name)
	raw, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw, int64(300))
	f.Add(raw[:100], int64(100-secrets.Overhead))
	f.Add([]byte{}, int64(0))
	f.Add(make([]byte, secrets.Overhead), int64(0))
	f.Add([]byte{1}, int64(-28))
	f.Fuzz(func(t *testing.T, file []byte, size int64) {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(s, key, Info{Name: info.Name, Size: size})
		if err == nil && (!bytes.Equal(file, raw) || !bytes.Equal(got, content)) {
			t.Fatalf("read %d bytes from a file of %d", len(got), len(file))
		}
	})
}

func BenchmarkPut(b *testing.B) {
	s, _ := openStore(b)
	key, content := secrets.NewKey(), pattern(4<<20)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		info := put(b, s, key, content)
		if err := s.Remove(info.Name); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	s, _ := openStore(b)
	key := secrets.NewKey()
	info := put(b, s, key, pattern(4<<20))
	b.SetBytes(info.Size)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := read(s, key, info); err != nil {
			b.Fatal(err)
		}
	}
}
