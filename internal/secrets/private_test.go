package secrets

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestReadPrivate(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"a token", "s3cr3t\n", "s3cr3t"},
		{"without a line break", "s3cr3t", "s3cr3t"},
		{"line breaks of Windows", "s3cr3t\r\n\r\n", "s3cr3t"},
		{"spaces belong to it", " s3cr3t \n", " s3cr3t "},
		{"several lines", "one\ntwo\n", "one\ntwo"},
		{"the longest", strings.Repeat("a", maxPrivate), strings.Repeat("a", maxPrivate)},
	} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadPrivate(path); err != nil || got != test.want {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}

func TestReadPrivateRefuses(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such file modes; access lists guard the file there")
	}
	const canary = "s3cr3t"
	for _, test := range []struct {
		name, content string
		mode          fs.FileMode
		want          string
	}{
		{"readable by the group", canary, 0o640, "chmod 600 "},
		{"writable by all", canary, 0o622, "mode 0622"},
		{"empty", "", 0o600, "is empty"},
		{"line breaks only", "\n\n", 0o600, "is empty"},
		{"too long", strings.Repeat(canary, maxPrivate), 0o600, "64 KiB"},
	} {
		path := filepath.Join(t.TempDir(), "f")
		if err := errors.Join(os.WriteFile(path, []byte(test.content), 0o600), os.Chmod(path, test.mode)); err != nil {
			t.Fatal(err)
		}
		got, err := ReadPrivate(path)
		if err == nil || got != "" || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
	dir := t.TempDir()
	if _, err := ReadPrivate(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := ReadPrivate(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}

// systemd gives credentials to a service of another user by an access list, which shows in the bits of the group.
func TestReadPrivateCredentials(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("systemd is not there")
	}
	dir := t.TempDir()
	t.Setenv(CredentialsVariable, dir+"/")
	for mode, fine := range map[fs.FileMode]bool{0o400: true, 0o440: true, 0o600: true, 0o444: false, 0o460: false} {
		for _, where := range []struct {
			path string
			fine bool
		}{{filepath.Join(dir, "token"), fine}, {filepath.Join(t.TempDir(), "token"), fine && mode&0o077 == 0}} {
			if err := errors.Join(os.WriteFile(where.path, []byte("x"), 0o600), os.Chmod(where.path, mode)); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadPrivate(where.path); (err == nil) != where.fine {
				t.Errorf("%s, mode %04o: %v", where.path, mode, err)
			}
			if err := os.Remove(where.path); err != nil {
				t.Fatal(err)
			}
		}
	}
}
