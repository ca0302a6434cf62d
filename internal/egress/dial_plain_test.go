package egress

import (
	"net"
	"net/netip"
	"testing"
)

// TestPlainNeedsTheOperatorsLeave: what is not encrypted goes to networks that the operator has allowed, and nowhere else.
func TestPlainNeedsTheOperatorsLeave(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }() // nothing is read from it
	allowed := New(Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	conn, err := allowed.DialPlainContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatalf("to a network that is allowed: %v", err)
	}
	_ = conn.Close() // it was only to be made
	c := New(Policy{})
	c.leave = func(address string) error { t.Errorf("a packet leaves for %s", address); return net.ErrClosed }
	if _, err := c.DialPlainContext(t.Context(), "tcp", "1.1.1.1:4222"); err == nil {
		t.Error("to a public address: connected")
	}
}
