package secrets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// fixedKey is for tests that need the same key in every run.
func fixedKey(b byte) Key { return fromRaw([KeySize]byte(bytes.Repeat([]byte{b}, KeySize))) }

func TestSealOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := NewKey()
		plain := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "plain")
		aad := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "aad")
		sealed := k.Seal(plain, aad)
		if len(sealed) != len(plain)+Overhead {
			t.Fatalf("sealed has %d bytes, want %d", len(sealed), len(plain)+Overhead)
		}
		got, err := k.Open(sealed, aad)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("Open = %x, %v; want %x", got, err, plain)
		}
	})
}

// Every bit of a sealed value, of its length and of its additional data counts.
func TestOpenRefuses(t *testing.T) {
	k, aad := NewKey(), AAD("messages", 7)
	sealed := k.Seal([]byte("good morning"), aad)
	for i := range len(sealed) * 8 {
		bad := bytes.Clone(sealed)
		bad[i/8] ^= 1 << (i % 8)
		refused(t, k, bad, aad, fmt.Sprintf("bit %d flipped", i))
	}
	for n := range sealed {
		refused(t, k, sealed[:n], aad, fmt.Sprintf("cut to %d bytes", n))
	}
	refused(t, k, append(bytes.Clone(sealed), 0), aad, "one byte more")
	refused(t, k, sealed, AAD("messages", 8), "row swapped")
	refused(t, k, sealed, AAD("events", 7), "table swapped")
	refused(t, k, sealed, nil, "no additional data")
	refused(t, NewKey(), sealed, aad, "another key")
	refused(t, Key{}, sealed, aad, "the zero key")
	refused(t, k, k.Wrap(NewKey(), aad), aad, "a wrapped key opened as a record")
}

func refused(t *testing.T, k Key, sealed, aad []byte, what string) {
	t.Helper()
	if got, err := k.Open(sealed, aad); !errors.Is(err, ErrSealed) || got != nil {
		t.Errorf("%s: Open = %q, %v; want ErrSealed and nothing", what, got, err)
	}
}

func TestSealNeverRepeats(t *testing.T) {
	k, seen := NewKey(), map[string]bool{}
	for range 10_000 {
		s := string(k.Seal([]byte("same"), nil))
		if seen[s] {
			t.Fatal("the same sealed value twice")
		}
		seen[s] = true
	}
}

func TestAppend(t *testing.T) {
	k, prefix := NewKey(), []byte("prefix")
	sealed := k.AppendSeal(bytes.Clone(prefix), []byte("text"), nil)
	if !bytes.HasPrefix(sealed, prefix) {
		t.Fatalf("AppendSeal dropped what was there: %q", sealed)
	}
	got, err := k.AppendOpen(bytes.Clone(prefix), sealed[len(prefix):], nil)
	if err != nil || string(got) != "prefixtext" {
		t.Fatalf("AppendOpen = %q, %v", got, err)
	}
}

func TestWrap(t *testing.T) {
	master, key, aad := NewKey(), NewKey(), AAD("numbers", 1)
	wrapped := master.Wrap(key, aad)
	back, err := master.Unwrap(wrapped, aad)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := back.Open(key.Seal([]byte("x"), nil), nil); err != nil || string(got) != "x" {
		t.Fatalf("the unwrapped key is another one: %q, %v", got, err)
	}
	for what, bad := range map[string][]byte{
		"record of 32 bytes": master.Seal(make([]byte, KeySize), aad),
		"cut":                wrapped[:len(wrapped)-1],
		"empty":              nil,
	} {
		if _, err := master.Unwrap(bad, aad); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: Unwrap = %v, want ErrSealed", what, err)
		}
	}
	if _, err := master.Unwrap(wrapped, AAD("numbers", 2)); !errors.Is(err, ErrSealed) {
		t.Errorf("another row: Unwrap = %v, want ErrSealed", err)
	}
}

func TestZeroKeySealsNothing(t *testing.T) {
	for name, f := range map[string]func(){
		"seal":         func() { Key{}.Seal(nil, nil) },
		"wrap under":   func() { Key{}.Wrap(NewKey(), nil) },
		"wrap of zero": func() { NewKey().Wrap(Key{}, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("went on with the zero key")
				}
			}()
			f()
		})
	}
}

// A key does not show itself, however it is printed and wherever it is held.
func TestKeyIsRedacted(t *testing.T) {
	k := fixedKey('K') // raw bytes would show as K, 75 or 4b
	holder := struct {
		Public  Key
		private Key
	}{k, k}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+"\n", k)
		fmt.Fprintf(&out, verb+"\n", &k)
		if verb != "%s" && verb != "%q" { // which follow no pointer but call it an error
			fmt.Fprintf(&out, verb+"\n", holder)
		}
	}
	text, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	out.WriteString(k.String())
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "key", k, "holder", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "key", k)
	for _, leak := range []string{"KKKK", "75 75", "75, 75", "4b4b", "4B4B", "S0tL", "0x4b"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("output contains %q:\n%s", leak, out.String())
		}
	}
	if n := strings.Count(out.String(), "[redacted]"); n < 20 {
		t.Errorf("only %d times redacted:\n%s", n, out.String())
	}
}

func FuzzOpen(f *testing.F) {
	k, aad := fixedKey(7), []byte("aad")
	f.Add([]byte{}, []byte{})
	f.Add([]byte{formRecord}, aad)
	f.Add(k.Seal([]byte("hello"), aad), aad)
	f.Add(k.Wrap(fixedKey(8), aad), aad)
	f.Add(bytes.Repeat([]byte{formRecord}, Overhead), aad)
	f.Fuzz(func(t *testing.T, sealed, aad []byte) {
		plain, err := k.Open(sealed, aad)
		if err != nil && (!errors.Is(err, ErrSealed) || plain != nil) {
			t.Fatalf("Open = %x, %v", plain, err)
		}
		if err == nil && len(plain) != len(sealed)-Overhead {
			t.Fatalf("%d bytes opened to %d", len(sealed), len(plain))
		}
		if _, uerr := k.Unwrap(sealed, aad); uerr == nil && err == nil {
			t.Fatal("one value opens both as a record and as a key")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	for _, size := range []int{128, 1 << 10, 64 << 10} {
		k, plain, aad := NewKey(), make([]byte, size), AAD("messages", 12345)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				k.Seal(plain, aad)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, size := range []int{128, 1 << 10, 64 << 10} {
		k, aad := NewKey(), AAD("messages", 12345)
		sealed := k.Seal(make([]byte, size), aad)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Open(sealed, aad); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnwrap(b *testing.B) {
	k := NewKey()
	wrapped := k.Wrap(NewKey(), nil)
	for b.Loop() {
		if _, err := k.Unwrap(wrapped, nil); err != nil {
			b.Fatal(err)
		}
	}
}
