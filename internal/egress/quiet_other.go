//go:build !unix

package egress

import "net"

// ear would listen to an idle connection; here it shows when it is used that the server has closed it.
type ear struct{}

func newEar(net.Conn) *ear { return nil }

func (*ear) quiet() bool { return true }
