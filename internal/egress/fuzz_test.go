package egress

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// aton reads an IPv4 address as the C library does: one to four numbers, decimal, octal or hexadecimal, the last of which fills what
// the others leave.
func aton(host string) (netip.Addr, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var all uint64
	for i, part := range parts {
		if part == "" || strings.Contains(part, "_") || strings.HasPrefix(strings.ToLower(part), "0b") || strings.HasPrefix(strings.ToLower(part), "0o") {
			return netip.Addr{}, false
		}
		n, err := strconv.ParseUint(part, 0, 32)
		most := uint64(255)
		if i == len(parts)-1 {
			most = 1<<(8*(5-len(parts))) - 1
		}
		if err != nil || n > most {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			n <<= 8 * (3 - i)
		}
		all |= n
	}
	return netip.AddrFrom4([4]byte{byte(all >> 24), byte(all >> 16), byte(all >> 8), byte(all)}), true
}

func TestATON(t *testing.T) {
	for host, want := range map[string]string{
		"2130706433": "127.0.0.1", "0x7f000001": "127.0.0.1", "017700000001": "127.0.0.1", "127.1": "127.0.0.1", "0x7f.0.1": "127.0.0.1", "10.1.2": "10.1.0.2",
		"1.2.3.4": "1.2.3.4", "0": "0.0.0.0", "1.2.3.4.": "1.2.3.4", "4294967296": "", "1.2.3.256": "", "1.2.3.4.5": "", "a.1": "", "": "", "1..2": "",
	} {
		if addr, ok := aton(host); ok != (want != "") || ok && addr.String() != want {
			t.Errorf("%q: %v, %v", host, addr, ok)
		}
	}
}

// Whatever is accepted is https to a name, or to a public address in its usual form; and no request for it leaves for anywhere but
// the one public address, however a resolver reads numbers.
func FuzzCheckURL(f *testing.F) {
	for _, raw := range []string{
		"https://example.com/", "http://127.1/", "https://[::1%25lo]:80/", "https://a@b/", "https://0x7f.1/", "https://example.com:65536/", "%", "https://[",
		"https://2130706433/", "https://017700000001", "https://0X7F.0.0.1:443/", "https://127.0.0.1./", "https://１２７.0.0.1/", "https://127。0。0。1/",
		"https://[::ffff:7f00:1]/", "https://[64:ff9b::7f00:1]/", "https://[fe80::1%25eth0]/", "https://1.1.1.1/", "HTTPS://1.1.1.1:8443/x?y#z", "https://1.0x1/",
		"https://[2606:4700:4700::1111]/", "https://name.test./", "https:\\\\127.0.0.1/", "https://127.0.0.1:443@name.test/",
	} {
		f.Add(raw)
	}
	rec := &recorder{}
	c := New(Policy{Resolver: fakeResolver(func(name string) []netip.Addr {
		if addr, ok := aton(name); ok {
			return []netip.Addr{addr}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.0.0.1"), netip.IPv6Loopback()}
	})})
	c.leave = rec.leave
	f.Fuzz(func(t *testing.T, raw string) {
		err := c.CheckURL(raw)
		if err != nil {
			if _, ok := errors.AsType[*Refused](err); !ok {
				t.Fatalf("error %v", err)
			}
		} else {
			isHarmless(t, raw)
		}
		req, unmade := http.NewRequestWithContext(context.Background(), http.MethodGet, raw, nil)
		if unmade != nil {
			return
		}
		if res, err := c.Fetch(req, 1); err == nil {
			res.Body.Close()
			t.Fatalf("%q was answered", raw)
		}
		for _, to := range rec.take() {
			if why := reason(to.Addr().Unmap()); why != "" || to.Addr().Zone() != "" {
				t.Fatalf("%q: a packet would have left for %v", raw, to)
			}
		}
	})
}

// isHarmless judges a URL that was accepted by a reading of its own.
func isHarmless(t *testing.T, raw string) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.User != nil {
		t.Fatalf("%q: %+v, %v", raw, u, err)
	}
	host := u.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Unmap().IsPrivate() || addr.Unmap().IsLoopback() || addr.Zone() != "" || !addr.Unmap().IsGlobalUnicast() {
			t.Fatalf("%q leads to %v", raw, addr)
		}
		return
	}
	if addr, ok := aton(host); ok {
		t.Fatalf("%q is %v to the C library", raw, addr)
	}
	if strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		t.Fatalf("host %q", host)
	}
}

// No address that DialContext is given leads to a forbidden one either.
func FuzzDialContext(f *testing.F) {
	for _, address := range []string{
		"127.0.0.1:4222", "[::1]:4222", "localhost:4222", "name.test:4222", "127.1:4222", "2130706433:80", "1.1.1.1:4222", "[fe80::1%lo]:443", ":4222", "name.test",
		"0x7f.1:4222", "name.test:http", "name.test:0", "[::ffff:127.0.0.1]:4222", "name.test\x00:4222", "１２７.0.0.1:4222", "[name.test]:4222", "1.1.1.1:22",
	} {
		f.Add("tcp", address)
	}
	f.Add("udp", "1.1.1.1:4222")
	f.Add("unix", "/run/x.sock:1")
	rec := &recorder{}
	c := New(Policy{Resolver: fakeResolver(func(string) []netip.Addr { return loopbacks() })})
	c.leave = rec.leave
	f.Fuzz(func(t *testing.T, network, address string) {
		conn, err := c.DialContext(context.Background(), network, address)
		if err == nil {
			conn.Close()
			t.Fatalf("%s %q is connected", network, address)
		}
		for _, to := range rec.take() {
			if why := reason(to.Addr().Unmap()); why != "" || judgePort(to.Port()) != "" {
				t.Fatalf("%q: a packet would have left for %v", address, to)
			}
		}
	})
}

func loopbacks() []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
}
