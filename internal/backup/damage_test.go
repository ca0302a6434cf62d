package backup_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/backup"
	"kabar/internal/storetest"
)

func unzip(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDamageIsNamed damages every file of a backup, with -short each fourth, in every way. Each time the error names that file.
func TestDamageIsNamed(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		e := newEnv(t, s)
		e.fill(t, "one")
		e.medium(t, 1000)
		e.medium(t, 0)
		dir := e.make(t)
		var files []string
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil || len(files) < 20 {
			t.Fatalf("the backup has %d files, %v", len(files), err)
		}
		each := 1
		if testing.Short() {
			each = 4
		}
		for i, path := range files {
			if i%each != 0 && filepath.Base(path) != "manifest.json" {
				continue
			}
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				t.Fatal(err)
			}
			for what, change := range damages(whole) {
				change(t, path)
				damaged(t, e, dir, filepath.ToSlash(name), what)
				if err := os.WriteFile(path, whole, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			stranger := path + ".more"
			if err := os.WriteFile(stranger, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			damaged(t, e, dir, filepath.ToSlash(name)+".more", "is there")
			if err := os.Remove(stranger); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := backup.Verify(t.Context(), dir, nil); err != nil {
			t.Errorf("without damage: %v", err)
		}
	})
}

// damages are what can happen to a file.
func damages(whole []byte) map[string]func(t *testing.T, path string) {
	all := map[string]func(t *testing.T, path string){
		"is missing": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"is cut":   func(t *testing.T, path string) { changeFile(t, path, func(b []byte) []byte { return b[:len(b)/2] }) },
		"is empty": func(t *testing.T, path string) { changeFile(t, path, func([]byte) []byte { return nil }) },
		"is longer": func(t *testing.T, path string) {
			changeFile(t, path, func(b []byte) []byte { return append(b, '\n') })
		},
	}
	for _, at := range []int{0, 4, len(whole) / 3, len(whole) / 2, len(whole) - 1} { // 4: the time in gzip's header, which says nothing
		all["has a byte flipped at "+string(rune('a'+at%26))] = func(t *testing.T, path string) {
			changeFile(t, path, func(b []byte) []byte { b[at] ^= 0x20; return b })
		}
	}
	return all
}

// damaged checks that neither Verify nor Restore takes a backup.
func damaged(t *testing.T, e *env, dir, name, what string) {
	t.Helper()
	_, err := backup.Verify(t.Context(), dir, nil)
	if !strings.Contains(err.Error(), name) && !(name == "manifest.json" && errors.Is(err, fs.ErrNotExist)) {
		t.Errorf("%s %s: Verify = %v", name, what, err)
	}
	to := e.target(t, "sqlite")
	if _, err := backup.Restore(t.Context(), dir, to); err == nil {
		t.Errorf("%s %s: it was restored", name, what)
	}
	if _, err := os.Stat(to.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s %s: something was written: %v", name, what, err)
	}
}
