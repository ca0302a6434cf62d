package secrets

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mask is a KMS that flips bits and puts a mark in front.
type mask struct {
	fail  error
	spoil bool // what comes back is something else
}

func (m mask) Wrap(_ context.Context, plain []byte) ([]byte, error) {
	return append([]byte("mask:"), flip(plain)...), m.fail
}

func (m mask) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	inner, ok := bytes.CutPrefix(wrapped, []byte("mask:"))
	if !ok {
		return nil, errors.New("not by this mask")
	}
	if m.spoil {
		return make([]byte, KeySize), nil
	}
	return flip(inner), nil
}

func flip(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= 0xff
	}
	return out
}

func TestWrappedMasterKeyRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	made, err := CreateWrappedMasterKey(t.Context(), path, mask{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), base64.StdEncoding.EncodeToString(made.m.raw[:])) {
		t.Fatal("the file holds the plain key")
	}
	loaded, err := LoadWrappedMasterKey(t.Context(), path, mask{})
	if err != nil || loaded.m.raw != made.m.raw {
		t.Fatalf("another key, or %v", err)
	}
	if _, err := CreateWrappedMasterKey(t.Context(), path, mask{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: %v, want fs.ErrExist", err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, text) {
		t.Error("the file was replaced")
	}
}

func TestCreateWrappedMasterKeyRefuses(t *testing.T) {
	away := errors.New("the service is away")
	for name, kms := range map[string]mask{"cannot wrap": {fail: away}, "gives back something else": {spoil: true}} {
		path := filepath.Join(t.TempDir(), "master.key")
		if _, err := CreateWrappedMasterKey(t.Context(), path, kms); err == nil || kms.fail != nil && !errors.Is(err, away) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: there is a file", name)
		}
	}
}

func TestLoadWrappedMasterKeyRefuses(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString(make([]byte, KeySize))
	wrap := func(s string) string { return wrappedHeader + "\n" + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, test := range []struct{ name, content, want string }{
		{"a plain master key", masterHeader + "\n" + plain, "leave --master-key-kms out"},
		{"something else", plain, "first line"},
		{"no key", wrappedHeader + "\n", "base64"},
		{"not base64", wrappedHeader + "\n?", "base64"},
		{"wrapped elsewhere", wrap("other:" + plain), "not by this mask"},
		{"a short key", wrap("mask:abc"), "3 bytes instead of 32"},
	} {
		path := filepath.Join(t.TempDir(), "k")
		if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadWrappedMasterKey(t.Context(), path, mask{})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), plain) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := LoadWrappedMasterKey(t.Context(), filepath.Join(t.TempDir(), "none"), mask{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func FuzzParseWrapped(f *testing.F) {
	f.Add(wrappedHeader + "\n" + base64.StdEncoding.EncodeToString([]byte("mask:abc")) + "\n")
	f.Add(wrappedHeader)
	f.Add(masterHeader + "\nAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		wrapped, err := parseWrapped(text)
		if err != nil {
			return
		}
		again, err := parseWrapped(wrappedHeader + "\r\n " + base64.StdEncoding.EncodeToString(wrapped) + " ")
		if err != nil || !bytes.Equal(again, wrapped) || len(wrapped) == 0 {
			t.Fatalf("%q: %q, then %q and %v", text, wrapped, again, err)
		}
	})
}
