package egress_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"kabar/internal/egress"
	"kabar/internal/patience"
)

// leastCases is how many cases the matrix must have.
const leastCases = 3000

var (
	public4 = netip.MustParseAddr("1.1.1.1")
	public6 = netip.MustParseAddr("2606:4700:4700::1111")
)

// way is how a URL leads to an address: hosts as they are written, and what a name server says of each.
type way struct {
	name   string
	hosts  func(t *testing.T, addr netip.Addr) []string
	answer func(addr netip.Addr) []netip.Addr
	mixed  bool // public addresses stand beside it, which may be reached
	text   bool // the text alone shows what is wrong
}

// waysIn are those in which one request leads to an address. Rebinding and redirects have tests of their own below.
func waysIn() []way {
	itself := func(addr netip.Addr) []netip.Addr { return []netip.Addr{addr} } // as a resolver that understands such forms would answer
	names := func(names string) func(*testing.T, netip.Addr) []string {
		return func(*testing.T, netip.Addr) []string { return strings.Fields(names) }
	}
	return []way{
		{name: "literal", text: true, answer: itself, hosts: func(t *testing.T, addr netip.Addr) []string { return egress.Literals(t, addr.String()) }},
		{name: "number", text: true, answer: itself, hosts: func(_ *testing.T, addr netip.Addr) []string { return numbers(addr) }},
		{name: "trick", text: true, answer: itself, hosts: func(_ *testing.T, addr netip.Addr) []string { return tricks(addr) }},
		{name: "name", answer: itself, hosts: names("name.test name.test. NAME.test name.test:8443 " + "xn--nme-hoa.test")},
		{name: "alias", answer: itself, hosts: names("alias.test alias.test:80")},
		{name: "chain of aliases", answer: itself, hosts: names("chain.test chain.test.:8080")},
		{name: "mapped answer", answer: func(addr netip.Addr) []netip.Addr { return []netip.Addr{netip.AddrFrom16(addr.As16())} }, hosts: names("name.test")},
		{name: "mixed answer", mixed: true, hosts: names("name.test chain.test"), answer: func(addr netip.Addr) []netip.Addr {
			return []netip.Addr{public4, addr, public6, addr, addr.Unmap(), netip.AddrFrom16(addr.As16())}
		}},
	}
}

// numbers are the forms of an IPv4 address that the C library reads and a browser, too.
func numbers(addr netip.Addr) []string {
	if !addr.Is4() {
		return nil
	}
	b := addr.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	return []string{
		fmt.Sprint(n), fmt.Sprintf("0x%x", n), fmt.Sprintf("0X%08X", n), fmt.Sprintf("0%o", n),
		fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", b[0], b[1], b[2], b[3]), fmt.Sprintf("0%o.0%o.0%o.0%o", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%d.0x%x.0%o.%d", b[0], b[1], b[2], b[3]), fmt.Sprintf("%d.%d", b[0], n&0xffffff), fmt.Sprintf("0x%x.%d", b[0], n&0xffffff),
		fmt.Sprintf("%d.%d.%d", b[0], b[1], n&0xffff), fmt.Sprintf("%03d.%03d.%03d.%03d", b[0], b[1], b[2], b[3]), fmt.Sprintf("%d.", n),
		fmt.Sprintf("%d", uint64(n)+1<<32), fmt.Sprintf("[%d]", n), fmt.Sprintf("[0x%x]", n),
	}
}

// tricks are hosts that some reader takes for an address, and another one for something else.
func tricks(addr netip.Addr) []string {
	host := addr.String()
	if addr.Is6() {
		host = "[" + host + "]"
	}
	all := []string{
		"user@" + host, "user:word@" + host, "name.test@" + host, "name.test:443@" + host, "@" + host, host + "@" + host, host + ":0", host + ":65536", host + ":-1",
		host + ":443:443", host + `\@name.test`, `name.test\@` + host, host + "\t", "\t" + host, host + "\n", host + "\x00.test", host + "%00.test", host + "%0d%0a",
		"name.test%40" + host, " " + host, "[" + host + "]",
	}
	if addr.Is6() {
		return append(all, addr.String(), "["+addr.String()+"%25eth0]", "["+addr.String()+"%eth0]", "["+addr.String()+"%251]")
	}
	wide := strings.Map(func(r rune) rune { return r - '0' + '０' }, strings.ReplaceAll(host, ".", ""))
	return append(all, strings.ReplaceAll(host, ".", "%2e"), strings.ReplaceAll(host, ".", "。"), strings.ReplaceAll(host, ".", "．"), wide,
		strings.NewReplacer("0", "０", "1", "１", "2", "２").Replace(host)+".", "[::"+host+"]", "[::ffff:"+host+"%25eth0]", "[64:ff9b::"+host+"]")
}

// schemes are written in any case.
var schemes = []string{"https://", "http://", "HTTPS://", "hTTp://"}

// However a URL leads to a forbidden address, and whoever in the product goes there, no packet leaves for it. A dialer in the place
// of the network writes down what would have left.
func TestNoWayIn(t *testing.T) {
	total := 0
	for _, w := range waysIn() {
		cases, public := 0, 0
		for i, text := range egress.Forbidden() {
			addr := netip.MustParseAddr(text)
			n, left := walk(t, w, addr, i)
			cases += n
			for _, to := range left {
				if a := to.Addr().Unmap(); !w.mixed || a != public4 && a != public6 {
					t.Errorf("%s to %s: a packet would have left for %v", w.name, text, to)
				}
				public++
			}
		}
		if w.mixed != (public > 0) {
			t.Errorf("%s: %d packets for public addresses", w.name, public)
		}
		t.Logf("%s: %d cases", w.name, cases)
		total += cases
	}
	if total < leastCases {
		t.Errorf("only %d cases", total)
	}
}

// walk goes one way to one address from every site. Schemes take turns, from one host to the next and, by turn, from one address to
// the next.
func walk(t *testing.T, w way, addr netip.Addr, turn int) (cases int, left []netip.AddrPort) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
	defer cancel()
	rec := &egress.Recorder{}
	c := egress.New(egress.Policy{Resolver: egress.Resolve(func(string) []netip.Addr { return w.answer(addr) })})
	c.Watch(rec.Leave)
	for i, host := range w.hosts(t, addr) {
		scheme := schemes[(turn+i)%len(schemes)]
		for _, s := range sites() {
			cases++
			err := s.try(ctx, c, scheme+host+"/x")
			passes := s.text && !w.text && strings.EqualFold(scheme, "https://") // the text says nothing against it
			if passes && err != nil || !passes && (err == nil || !s.silent && !w.mixed && !isRefused(err)) {
				t.Errorf("%s, %s to %q: %v, want a refusal: %v", s.name, w.name, scheme+host, err, !passes)
			}
		}
	}
	return cases, rec.Take()
}

// isRefused tells of what the policy forbids, and of a URL of which no request can be made.
func isRefused(err error) bool {
	_, refused := errors.AsType[*egress.Refused](err)
	_, none := errors.AsType[*url.Error](err)
	return refused || none
}

// A name that is harmless at first, and leads to a forbidden address the next time, leads nowhere from any site.
func TestNoWayInByRebindingFromAnySite(t *testing.T) {
	cases := 0
	for _, text := range egress.Forbidden() {
		for _, s := range sites() {
			var answer atomic.Pointer[netip.Addr]
			answer.Store(&public4)
			rec := &egress.Recorder{}
			c := egress.New(egress.Policy{Resolver: egress.Resolve(func(string) []netip.Addr { return []netip.Addr{*answer.Load()} })})
			c.Watch(rec.Leave)
			if err := s.try(t.Context(), c, "https://rebind.test/x"); !s.text && (err == nil || len(rec.Take()) == 0) {
				t.Fatalf("%s: the public address is not reached: %v", s.name, err)
			}
			addr := netip.MustParseAddr(text)
			answer.Store(&addr)
			for range 2 {
				cases++
				_ = s.try(t.Context(), c, "https://rebind.test/x") // what leaves is what counts
			}
			for _, to := range rec.Take() {
				t.Errorf("%s: a packet would have left for %v", s.name, to)
			}
		}
	}
	t.Logf("%d cases", cases)
}

// Where a redirect of an allowed host leads, nothing goes, from any site.
func TestNoWayInByRedirectFromAnySite(t *testing.T) {
	var target string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", target)
		w.Header().Set("Refresh", "0; url="+target)
		w.WriteHeader([]int{301, 302, 303, 307, 308}[len(r.Method+target)%5])
	}))
	defer srv.Close()
	own := netip.MustParseAddrPort(srv.Listener.Addr().String())
	c := egress.New(egress.Policy{Allow: []netip.Prefix{netip.PrefixFrom(own.Addr(), 32)}})
	defer c.CloseIdleConnections()
	var reached, others atomic.Int32
	c.Watch(func(address string) error {
		if address == own.String() {
			reached.Add(1)
			return nil
		}
		others.Add(1)
		return fmt.Errorf("nothing may leave for %s", address)
	})
	cases := 0
	for _, text := range egress.Forbidden() {
		for _, host := range egress.Literals(t, text)[:2] {
			target = "https://" + host + "/x"
			for _, s := range sites() {
				cases++
				_ = s.try(t.Context(), c, srv.URL+"/") // most want another answer than a redirect
			}
		}
	}
	if n := others.Load(); n > 0 || reached.Load() == 0 {
		t.Errorf("%d packets would have left for where redirects lead, %d for the server that redirects", n, reached.Load())
	}
	t.Logf("%d cases", cases)
}

// The listener of this machine is the proof: however loopback is written, or hidden behind a name, no connection arrives from any site.
func TestNoConnectionArrivesFromAnySite(t *testing.T) {
	port4, count4 := egress.Watched(t, "tcp4", "127.0.0.1:0")
	port6, count6 := egress.Watched(t, "tcp6", "[::1]:0")
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()
	c := egress.New(egress.Policy{Resolver: egress.Resolve(func(string) []netip.Addr { return []netip.Addr{v4, v6, netip.IPv4Unspecified()} })})
	hosts := strings.Fields(`localhost localhost. LOCALHOST x.localhost 0 127.1 127.0.1 0x7f.1 127.2.3.4 [::1%25lo] [::1%251]
		name.test alias.test chain.test chain.test. xn--nme-hoa.test`)
	for _, addr := range []netip.Addr{v4, v6, netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		hosts = append(append(hosts, numbers(addr)...), strings.TrimSuffix(egress.Literals(t, addr.String())[0], ":443"))
	}
	hosts = append(hosts, "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::1]")
	cases := 0
	for _, host := range hosts {
		for _, scheme := range schemes {
			for _, port := range []string{port4, port6} {
				for _, s := range sites() {
					cases++
					_ = s.try(t.Context(), c, scheme+host+":"+port+"/x") // what arrives is what counts
				}
			}
		}
	}
	if n := arrived(net.JoinHostPort("127.0.0.1", port4), count4) + arrived(net.JoinHostPort("::1", port6), count6); n > 0 {
		t.Errorf("%d connections arrived", n)
	}
	t.Logf("%d cases", cases)
	open := egress.New(egress.Policy{Allow: []netip.Prefix{netip.PrefixFrom(v4, 32)}})
	for _, s := range sites() {
		_ = s.try(t.Context(), open, "http://127.0.0.1:"+port4+"/x") // the listener closes at once
		if n := arrived(net.JoinHostPort("127.0.0.1", port4), count4); !s.text && n == 0 {
			t.Errorf("%s does not reach a listener that is allowed: the test tests nothing", s.name)
		}
	}
}

// arrived takes from a listener how many connections have reached it before one of its own, which is taken last and closed.
func arrived(address string, count *atomic.Int32) int32 {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0 // nobody listens there: no IPv6, which the log says
	}
	_, _ = io.Copy(io.Discard, conn) // to its end
	_ = conn.Close()
	return count.Swap(0) - 1
}
