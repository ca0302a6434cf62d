package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// DialFunc is what makes connections for a library that asks for such a function.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext connects to a host and a port that somebody gave us, for protocols other than HTTP, within 5 seconds. The rules are
// those of https: public addresses and the operator's, and ports by number. The network is "tcp", "tcp4" or "tcp6". What the policy
// forbids is a [*Refused], and no packet has left to that address. The connection is the caller's, who sets its deadlines, speaks
// TLS where it is wanted, and closes it; it stays when the rules change.
//
// A policy with a Transport has no network: under it every connection is refused.
func (c *Client) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return c.connect(ctx, network, address, secure)
}

// DialPlainContext is DialContext for protocols that send what they have in clear. The rules are those of plain http: where the operator
// allows the network.
func (c *Client) DialPlainContext(ctx context.Context, network, address string) (net.Conn, error) {
	return c.connect(ctx, network, address, plain)
}

func (c *Client) connect(ctx context.Context, network, address string, w way) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || strings.ContainsFunc(host, isOdd) {
		return nil, &Refused{Reason: "not a host and a port"} // the error would repeat it
	}
	if why := c.judgeDial(network, host, port, w); why != "" {
		return nil, &Refused{Host: host, Reason: why}
	}
	conn, err := c.dialer(w).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connection to %s: %w", address, nowhere(err))
	}
	return conn, nil
}

// judgeDial judges what can be judged before names are resolved.
func (c *Client) judgeDial(network, host, port string, w way) string {
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case network != "tcp" && network != "tcp4" && network != "tcp6":
		return "only tcp"
	case c.policy.Load().Transport != nil:
		return "there is no network"
	case err != nil || n == 0:
		return "not a port"
	case host == "":
		return "no host" // the dialer would take the machine itself
	}
	return c.judgeHost(host, strings.Contains(host, ":"), uint16(n), w)
}

// dialer makes the dialer for one way. It asks about every address right before a packet leaves for it.
func (c *Client) dialer(w way) *net.Dialer {
	return &net.Dialer{
		Timeout:  connectTimeout,
		Resolver: c.policy.Load().Resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			if err := c.control(address, w); err != nil || c.leave == nil {
				return err
			}
			return c.leave(address)
		},
	}
}

// control judges the address of a connection about to be made.
func (c *Client) control(address string, w way) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refused{Host: address, Reason: "not an address"}
	}
	if why := c.policy.Load().judge(ap.Addr(), ap.Port(), w); why != "" {
		return &Refused{Host: ap.Addr().String(), Reason: why}
	}
	return nil
}
