package control

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The socket is private from its first moment, also where the umask would leave it open to everybody.
func TestSocketIsBornPrivate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), socketName)
	ln, err := (&net.ListenConfig{Control: private}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
