package secrets

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxPrivate bounds what is read of a secret's file, in bytes; private keys with a long comment have a few thousand.
const maxPrivate = 64 << 10

// ReadPrivate returns the content of a small file with a secret (a token, a password, a key), without the line breaks at
// its end. It must be a regular file of at most 64 KiB that is not empty and that only its owner can use (mode 0600 or
// stricter; not checked on Windows). A file right in $CREDENTIALS_DIRECTORY may be readable by its group: systemd keeps
// others out by an access list, which shows in those bits. Every error names the file and says what to do, none shows
// anything of the content; of a missing file it matches [io/fs.ErrNotExist].
func ReadPrivate(path string) (string, error) {
	info, err := os.Stat(path) // before it is opened: opening a pipe waits for a writer
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()      // read only
	if info, err = f.Stat(); err == nil { // of the open file, so that it cannot be exchanged in between
		err = checkPrivate(path, info)
	}
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPrivate+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxPrivate {
		return "", fmt.Errorf("%s has more than %d KiB: not the file of a secret", path, maxPrivate>>10)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return secret, nil
}

func checkPrivate(path string, info os.FileInfo) error {
	forbidden := os.FileMode(0o077)
	if inCredentials(path) {
		forbidden = 0o037
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if perm := info.Mode().Perm(); perm&forbidden != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s has mode %04o, others than its owner can use it; run: chmod 600 %s", path, perm, quote(path))
	}
	return nil
}

func inCredentials(path string) bool {
	dir := os.Getenv(CredentialsVariable)
	return dir != "" && filepath.Dir(path) == filepath.Clean(dir)
}

// CredentialsVariable is the environment variable in which systemd tells a service the folder of its credentials.
const CredentialsVariable = "CREDENTIALS_DIRECTORY"

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

func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }
