package secrets

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestMasterKeyRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	made, err := CreateMasterKey(path)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadMasterKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loaded.Open(made.Seal(nil, nil), nil); err != nil {
		t.Fatalf("the loaded key is another one: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	if _, err := CreateMasterKey(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second CreateMasterKey = %v, want fs.ErrExist", err)
	}
	if again, err := LoadMasterKey(path); err != nil || again.m.raw != made.m.raw {
		t.Errorf("the refused creation changed the file: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

// Of several that create the same file at once, one wins and no file is replaced.
func TestCreateMasterKeyRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := CreateMasterKey(path); err == nil {
				made.Add(1)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d of 20 made the file", made.Load())
	}
}

func TestLoadMasterKeyRefuses(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(make([]byte, KeySize))
	canary := "c2VjcmV0"
	tests := []struct {
		name, content string
		mode          fs.FileMode
		want          string // part of the error
	}{
		{"group can read", masterHeader + "\n" + good, 0o640, "chmod 600"},
		{"world can read", masterHeader + "\n" + good, 0o604, "chmod 600"},
		{"world can write", masterHeader + "\n" + good, 0o602, "chmod 600"},
		{"empty", "", 0o600, "is empty"},
		{"no header", good, 0o600, "first line"},
		{"another header", "# kabar master key v2\n" + good, 0o600, "first line"},
		{"no key", masterHeader + "\n", 0o600, "has 0 bytes"},
		{"short key", masterHeader + "\n" + canary, 0o600, "has 6 bytes"},
		{"long key", masterHeader + "\n" + base64.StdEncoding.EncodeToString(make([]byte, 33)), 0o600, "has 33 bytes"},
		{"not base64", masterHeader + "\n" + canary + "!", 0o600, "base64"},
		{"a wrapped key", wrappedHeader + "\n" + good, 0o600, "--master-key-kms"},
		{"two keys", masterHeader + "\n" + good + "\n" + good, 0o600, "base64"},
		{"endless", masterHeader + "\n" + strings.Repeat("A", 1<<20), 0o600, "64 KiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && test.mode != 0o600 {
				t.Skip("Windows has no such file modes; access lists guard the file there")
			}
			path := filepath.Join(t.TempDir(), "k")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := LoadMasterKey(path)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
			if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), good) {
				t.Fatalf("the error shows the content: %v", err)
			}
		})
	}
	if _, err := LoadMasterKey(t.TempDir()); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("a directory: %v", err)
	}
}

func TestLoadMasterKeyAcceptsEditedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	text := masterHeader + "\r\n\n" + base64.StdEncoding.EncodeToString(make([]byte, KeySize)) + "\r\n\n"
	if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadMasterKey(path); err != nil {
		t.Fatal(err)
	}
}

// The error of a missing file says the command that makes one, ready for a shell.
func TestMissingMasterKeyNamesTheCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "it's a key")
	_, err := LoadMasterKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("missing file: %v", err)
	}
	want := "to make one: kabar key master '" + filepath.Dir(path) + `/it'\''s a key'`
	if runtime.GOOS != "windows" && !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want it to end with %s", err, want)
	}
}

func FuzzParseMaster(f *testing.F) {
	f.Add(masterHeader + "\n" + base64.StdEncoding.EncodeToString(make([]byte, KeySize)) + "\n")
	f.Add(masterHeader)
	f.Add(wrappedHeader + "\nAAAA")
	f.Add("\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := parseMaster(text)
		if err == nil && key.IsZero() {
			t.Fatal("no error and no key")
		}
		if _, wrappedErr := parseWrapped(text); err == nil && wrappedErr == nil {
			t.Fatal("a file that is both")
		}
		if rest, ok := strings.CutPrefix(text, masterHeader+"\n"); ok && len(rest) > 20 && err != nil && strings.Contains(err.Error(), rest) {
			t.Fatal("the error shows the content")
		}
	})
}
