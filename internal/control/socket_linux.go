package control

import "syscall"

// private gives a socket its mode before it has a name: nobody else gets in between bind and chmod, whatever the umask.
func private(_, _ string, c syscall.RawConn) error {
	var err error
	if failed := c.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), 0o600) }); failed != nil {
		return failed
	}
	return err
}
