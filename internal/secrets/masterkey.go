package secrets

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// The file of a master key: one header line, then the key in base64.
const masterHeader = "# kabar master key v1"

// maxMasterFile bounds what is read; the file has 67 bytes, and an editor may add a few.
const maxMasterFile = 1024

// LoadMasterKey reads the master key file at path. It must be a regular file that only its owner can read (mode 0600 or
// stricter; not checked on Windows). Every error says what to do; when there is no file, it also matches
// [fs.ErrNotExist]. No error shows anything of the content.
func LoadMasterKey(path string) (Key, error) {
	text, err := readPrivate(path)
	if err != nil {
		return Key{}, fmt.Errorf("load master key: %w", err)
	}
	key, err := parseMaster(text)
	if err != nil {
		return Key{}, fmt.Errorf("load master key: %s: %w", path, err)
	}
	return key, nil
}

func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; to make one: %s", err, recipe(path))
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	info, err := f.Stat()            // of the open file, so that it cannot be exchanged in between
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file; to make one: %s", path, recipe(path))
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s has mode %04o, others than its owner can use it; run: chmod 600 %s", path, perm, quote(path))
	}
	return io.ReadAll(io.LimitReader(f, maxMasterFile))
}

func parseMaster(text []byte) (Key, error) {
	header, rest, _ := bytes.Cut(text, []byte("\n"))
	if string(bytes.TrimSpace(header)) != masterHeader {
		return Key{}, fmt.Errorf("its first line is not %q: not a master key file, or a damaged one", masterHeader)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(string(bytes.TrimSpace(rest)))
	if err != nil {
		return Key{}, errors.New("its second line is not base64; restore the file from its copy")
	}
	if len(raw) != KeySize {
		return Key{}, fmt.Errorf("it holds %d bytes instead of %d; restore the file from its copy", len(raw), KeySize)
	}
	return fromRaw([KeySize]byte(raw)), nil
}

// CreateMasterKey makes a new master key and its file (mode 0600), which is complete and on disk when it returns. It never
// replaces a file: if there is one, the error matches [fs.ErrExist]. A crash leaves either the whole file or none (and
// at most a temporary file beside it).
func CreateMasterKey(path string) (Key, error) {
	key := NewKey()
	text := masterHeader + "\n" + base64.StdEncoding.EncodeToString(key.m.raw[:]) + "\n"
	if err := createPrivate(path, text); err != nil {
		return Key{}, fmt.Errorf("create master key: %w", err)
	}
	return key, nil
}

// createPrivate writes a temporary file and links it to its name: unlike a rename, a link fails when the name is taken.
func createPrivate(path, text string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".master-key-*") // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it has its name by then, or is of no use
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be synced there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// recipe is a shell command that makes a master key file with nothing but standard tools.
func recipe(path string) string {
	return fmt.Sprintf("(umask 077; (echo '%s'; head -c %d /dev/urandom | base64) > %s)", masterHeader, KeySize, quote(path))
}

func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }
