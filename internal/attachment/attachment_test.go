package attachment_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"kabar/internal/attachment"
)

const (
	chunk  = 64 << 10
	sealed = chunk + 16
)

// content returns n bytes without a pattern.
func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(b)
	return b
}

func encrypt(t testing.TB, plain []byte) ([]byte, attachment.Sealed) {
	t.Helper()
	var out bytes.Buffer
	s, err := attachment.Encrypt(&out, bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), s
}

func decrypt(blob []byte, s attachment.Sealed) ([]byte, error) {
	return io.ReadAll(attachment.Decrypt(bytes.NewReader(blob), s.Key, s.Size))
}

// sizes lie around every boundary there is.
var sizes = []int{
	0, 1, 1023, 1024, 1025, 4000, chunk - 1, chunk, chunk + 1, 2*chunk - 1, 2 * chunk, 2*chunk + 1, 3*chunk + 12345, 1<<20 + 1,
}

func TestWhatIsEncryptedComesBack(t *testing.T) {
	for _, n := range sizes {
		plain := content(n)
		blob, s := encrypt(t, plain)
		if s.Size != int64(n) || s.CipherSize != int64(len(blob)) || s.CipherSize != attachment.CipherSize(int64(n)) {
			t.Errorf("%d bytes: size %d, cipher size %d of %d, foretold %d", n, s.Size, s.CipherSize, len(blob), attachment.CipherSize(int64(n)))
		}
		if s.PlainHash != sha256.Sum256(plain) || s.CipherHash != sha256.Sum256(blob) {
			t.Errorf("%d bytes: wrong hashes", n)
		}
		if got, err := decrypt(blob, s); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes came back as %d: %v", n, len(got), err)
		}
		if err := iotest.TestReader(attachment.Decrypt(bytes.NewReader(blob), s.Key, s.Size), plain); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestReadersOfAnyPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := content(rapid.IntRange(0, 3*chunk).Draw(t, "size"))
		paces := []func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r }, iotest.HalfReader, iotest.DataErrReader,
		}
		pace := rapid.SampledFrom(paces)
		var out bytes.Buffer
		s, err := attachment.Encrypt(&out, pace.Draw(t, "in")(bytes.NewReader(plain)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(attachment.Decrypt(pace.Draw(t, "out")(&out), s.Key, s.Size))
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes came back as %d: %v", len(plain), len(got), err)
		}
	})
}

// A blob that is not what was sent is noticed before the end, and what comes before the fault is genuine.
func TestDamage(t *testing.T) {
	plain := content(3*chunk + 100)
	blob, s := encrypt(t, plain)
	flip := func(at int) []byte {
		b := bytes.Clone(blob)
		b[at] ^= 1
		return b
	}
	swap := bytes.Clone(blob)
	copy(swap[:sealed], blob[sealed:2*sealed])
	copy(swap[sealed:2*sealed], blob[:sealed])
	short := len(blob) - len(blob)%sealed
	tests := map[string][]byte{
		"empty":                        {},
		"first byte":                   flip(0),
		"last byte":                    flip(len(blob) - 1),
		"in the padding":               flip(len(blob) - 20),
		"one byte short":               blob[:len(blob)-1],
		"one byte more":                append(bytes.Clone(blob), 0),
		"a chunk more":                 append(bytes.Clone(blob), blob[:sealed]...),
		"without its last chunk":       blob[:short],
		"without its first":            blob[sealed:],
		"without one in the middle":    append(bytes.Clone(blob[:sealed]), blob[2*sealed:]...),
		"with two chunks exchanged":    swap,
		"with a chunk twice":           append(bytes.Clone(blob[:2*sealed]), blob[sealed:]...),
		"with the last chunk repeated": append(bytes.Clone(blob), blob[short:]...),
	}
	for name, b := range tests {
		got, err := decrypt(b, s)
		if !errors.Is(err, attachment.ErrDamaged) || !bytes.HasPrefix(plain, got) {
			t.Errorf("%s: %d bytes, %v; want ErrDamaged", name, len(got), err)
		}
	}
}

func TestEveryFlipIsNoticed(t *testing.T) {
	plain := content(chunk + 500)
	blob, s := encrypt(t, plain)
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(blob)
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if got, err := decrypt(b, s); !errors.Is(err, attachment.ErrDamaged) || !bytes.HasPrefix(plain, got) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	})
}

func TestWrongKeyOrSize(t *testing.T) {
	blob, s := encrypt(t, content(2*chunk))
	other := s
	other.Key[31] ^= 1
	if _, err := decrypt(blob, other); !errors.Is(err, attachment.ErrDamaged) {
		t.Errorf("another key: %v", err)
	}
	for _, size := range []int64{-1, 0, 1, 2*chunk - 1, 2*chunk + 1, 1 << 40, 1<<63 - 1} {
		other := s
		other.Size = size
		if _, err := decrypt(blob, other); !errors.Is(err, attachment.ErrDamaged) {
			t.Errorf("size %d instead of %d: %v", size, s.Size, err)
		}
	}
}

// Lengths of blobs come from few buckets, and padding is cheap.
func TestBuckets(t *testing.T) {
	for size := int64(1); size < 110<<20; size += size/7 + 1 {
		n := attachment.CipherSize(size)
		if limit := max(1024+16, size+size*12/100+16*(size/chunk+3)); n <= size || n > limit {
			t.Errorf("%d bytes become %d, more than %d", size, n, limit)
		}
		if next := attachment.CipherSize(size + 1); next < n {
			t.Errorf("%d bytes become %d, one more %d", size, n, next)
		}
	}
	seen := map[int64]bool{}
	for size := range int64(1 << 20) {
		seen[attachment.CipherSize(size)] = true
	}
	if len(seen) > 300 {
		t.Errorf("%d lengths of blobs for a million sizes", len(seen))
	}
}

func TestErrorsOfOthersPass(t *testing.T) {
	boom := errors.New("boom")
	broken := io.MultiReader(bytes.NewReader(content(chunk+5)), iotest.ErrReader(boom))
	if _, err := attachment.Encrypt(io.Discard, broken); !errors.Is(err, boom) {
		t.Errorf("encrypting from a broken reader: %v", err)
	}
	if _, err := attachment.Encrypt(brokenWriter{boom}, bytes.NewReader(nil)); !errors.Is(err, boom) {
		t.Errorf("encrypting to a broken writer: %v", err)
	}
	blob, s := encrypt(t, content(3*chunk))
	for _, at := range []int{0, 5, sealed, len(blob)} {
		src := io.MultiReader(bytes.NewReader(blob[:at]), iotest.ErrReader(boom))
		if _, err := io.ReadAll(attachment.Decrypt(src, s.Key, s.Size)); !errors.Is(err, boom) {
			t.Errorf("decrypting from a reader that breaks at %d: %v", at, err)
		}
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestKeysAreNeverUsedTwice(t *testing.T) {
	a, s := encrypt(t, content(100))
	b, u := encrypt(t, content(100))
	if s.Key == u.Key || bytes.Equal(a, b) {
		t.Error("two encryptions of the same medium are the same")
	}
}

// endless gives zeros and costs no memory.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestMemoryIsBounded(t *testing.T) {
	const size = 32 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in, out := io.Pipe()
	sealedCh := make(chan attachment.Sealed, 1)
	go func() {
		s, err := attachment.Encrypt(out, io.LimitReader(endless{}, size))
		sealedCh <- s
		_ = out.CloseWithError(err)
	}()
	_, err := io.Copy(io.Discard, in)
	if s := <-sealedCh; err != nil || s.Size != size {
		t.Fatalf("%d bytes, %v", s.Size, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("encrypting %d bytes allocated %d", size, used)
	}
}

func FuzzDecrypt(f *testing.F) {
	for _, n := range []int{0, 5, 2000} {
		blob, s := encrypt(f, content(n))
		f.Add(blob, s.Key[:], s.Size)
	}
	f.Add([]byte("garbage"), []byte("key"), int64(-5))
	f.Fuzz(func(t *testing.T, blob, key []byte, size int64) {
		var s attachment.Sealed
		copy(s.Key[:], key)
		s.Size = size
		if got, err := decrypt(blob, s); err == nil && int64(len(got)) != size {
			t.Errorf("%d bytes without an error, want %d", len(got), size)
		}
	})
}

func BenchmarkEncrypt(b *testing.B) {
	plain := content(1 << 20)
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		if _, err := attachment.Encrypt(io.Discard, bytes.NewReader(plain)); err != nil {
			b.Fatal(err)
		}
	}
}
