package egress

import (
	"net"
	"net/netip"
	"testing"
)

// Tests of the call sites stand outside: some of the packages that they call import this one.

// Watch has leave asked for every address right before a packet leaves for it; its error keeps the packet here.
func (c *Client) Watch(leave func(address string) error) { c.leave = leave }

// Recorder writes down every address that a packet would have gone to, and lets none leave.
type Recorder struct{ recorder }

// Leave is for Watch.
func (r *Recorder) Leave(address string) error { return r.leave(address) }

// Take returns what has been written down since it was last called.
func (r *Recorder) Take() []netip.AddrPort { return r.take() }

// Forbidden are the addresses that must not be reached.
func Forbidden() []string { return forbidden }

// Literals returns the ways to write an address in a URL.
func Literals(t *testing.T, text string) []string { return literals(t, text) }

// Resolve returns a resolver that gives one answer for every name.
func Resolve(answer func(name string) []netip.Addr) *net.Resolver { return fakeResolver(answer) }

// Watched returns the port of a listener that counts the connections that reach it.
var Watched = watched
