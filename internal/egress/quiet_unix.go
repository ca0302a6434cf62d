//go:build unix

package egress

import (
	"errors"
	"net"
	"syscall"
)

// ear listens to an idle connection.
type ear struct {
	raw    syscall.RawConn // nil for what is no socket
	peek   func(fd uintptr) bool
	silent bool
}

func newEar(conn net.Conn) *ear {
	e := new(ear)
	if c, ok := conn.(syscall.Conn); ok {
		e.raw, _ = c.SyscallConn() // it is closed already if there is none, and whoever uses it hears of that
	}
	one := make([]byte, 1)
	e.peek = func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), one, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		e.silent = errors.Is(err, syscall.EAGAIN)
		return true
	}
	return e
}

// quiet reports whether the connection is there and has nothing to say. One whose server has closed it meanwhile, or has sent what nobody asked
// for, is not used again.
func (e *ear) quiet() bool {
	return e.raw == nil || e.raw.Read(e.peek) == nil && e.silent
}
