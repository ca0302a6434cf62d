package kms

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"filippo.io/age"
	"pgregory.net/rapid"

	"kabar/internal/secrets"
)

var _ secrets.KMS = (*Age)(nil)

func x25519(t testing.TB) string {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return i.String()
}

func hybrid(t testing.TB) string {
	t.Helper()
	i, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return i.String()
}

// write makes an identity file and returns its URI.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return "age:" + path
}

func open(t *testing.T, text string) *Age {
	t.Helper()
	a, err := Open(write(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestMasterKeyUnderAge(t *testing.T) {
	for name, identity := range map[string]string{"X25519": x25519(t), "hybrid": hybrid(t)} {
		uri := write(t, "# created: long ago\n# public key: age1…\n"+identity+"\n")
		file := filepath.Join(t.TempDir(), "master.key")
		a, err := Open(uri)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		made, err := secrets.CreateWrappedMasterKey(t.Context(), file, a)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a, err = Open(uri); err != nil {
			t.Fatal(err)
		}
		loaded, err := secrets.LoadWrappedMasterKey(t.Context(), file, a)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := loaded.Open(made.Seal([]byte("x"), nil), nil); err != nil {
			t.Errorf("%s: another key: %v", name, err)
		}
		if _, err := secrets.LoadMasterKey(file); err == nil || !strings.Contains(err.Error(), "--master-key-kms") {
			t.Errorf("%s: read as a plain one: %v", name, err)
		}
		if _, err := secrets.LoadWrappedMasterKey(t.Context(), file, open(t, x25519(t))); err == nil || !strings.Contains(err.Error(), "another identity") {
			t.Errorf("%s: with another identity: %v", name, err)
		}
	}
}

func TestReplaceAnIdentity(t *testing.T) {
	old, fresh := x25519(t), x25519(t)
	wrapped, err := open(t, old+"\n"+fresh+"\n").Wrap(t.Context(), []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, identity := range []string{old, fresh} {
		if plain, err := open(t, identity).Unwrap(t.Context(), wrapped); err != nil || string(plain) != "key" {
			t.Errorf("%q, %v", plain, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	secret := x25519(t)
	damaged := secret[:len(secret)-1] + "!"
	for _, test := range []struct{ name, uri, want string }{
		{"no scheme", "/etc/identity.txt", "age:/etc/kabar/identity.txt"},
		{"another scheme", "vault:x", "want age:"},
		{"no file", "age:", "want age:"},
		{"empty", write(t, ""), "is empty"},
		{"comments only", write(t, "# nothing\n"), "age-keygen"},
		{"damaged", write(t, damaged), "damaged"},
		{"passphrase", write(t, "age-encryption.org/v1\n-> scrypt x 18\n"), "passphrase"},
		{"passphrase, armoured", write(t, "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n"), "passphrase"},
		{"recipient", write(t, "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"), "wrap only"},
		{"SSH", write(t, "-----BEGIN OPENSSH PRIVATE KEY-----\n"), "age-keygen"},
		{"plugin", write(t, "# a token\nAGE-PLUGIN-YUBIKEY-1QQQQ\n"), "plugin"},
	} {
		_, err := Open(test.uri)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), damaged[:30]) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := Open("age:" + filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	uri := write(t, secret)
	if err := os.Chmod(strings.TrimPrefix(uri, "age:"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(uri); runtime.GOOS != "windows" && (err == nil || !strings.Contains(err.Error(), "chmod 600")) {
		t.Errorf("readable by all: %v", err)
	}
}

func TestWrapRefusesAMixture(t *testing.T) {
	if _, err := open(t, x25519(t)+"\n"+hybrid(t)+"\n").Wrap(t.Context(), []byte("key")); err == nil {
		t.Error("wrapped for a strong and a weak identity")
	}
}

func TestUnwrapRefuses(t *testing.T) {
	a := open(t, x25519(t))
	whole, err := a.Wrap(t.Context(), []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	long, err := a.Wrap(t.Context(), make([]byte, maxPlain+1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Unwrap(t.Context(), long); err == nil {
		t.Error("more than a key")
	}
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(whole)
		if rapid.Bool().Draw(t, "cut") {
			b = b[:rapid.IntRange(0, len(b)-1).Draw(t, "length")]
		} else {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		}
		if plain, err := a.Unwrap(t.Context(), b); err == nil {
			t.Fatalf("%x gave %q", b, plain)
		}
	})
}

func FuzzIdentityFile(f *testing.F) {
	f.Add("# comment\n" + x25519(f) + "\n")
	f.Add(hybrid(f))
	f.Add("AGE-SECRET-KEY-1")
	f.Add("age1\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parse(text)
		if err != nil {
			return
		}
		wrapped, err := a.Wrap(t.Context(), []byte("key"))
		if err != nil {
			return // a mixture
		}
		if plain, err := a.Unwrap(t.Context(), wrapped); err != nil || string(plain) != "key" {
			t.Fatalf("%q: %q, %v", text, plain, err)
		}
	})
}
