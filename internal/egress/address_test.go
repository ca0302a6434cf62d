package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kabar/internal/patience"
)

// forbidden holds both ends and a middle of every network that must not be reached, and the addresses known to be asked
// for in attacks. IPv4 addresses are also tried mapped into IPv6.
var forbidden = strings.Fields(`
	0.0.0.0 0.0.0.1 0.1.2.3 0.255.255.255
	10.0.0.0 10.0.0.1 10.1.2.3 10.255.255.255
	100.64.0.0 100.64.0.1 100.100.100.200 100.127.255.255
	127.0.0.0 127.0.0.1 127.0.0.2 127.0.0.53 127.1.2.3 127.255.255.255
	168.63.129.16
	169.254.0.0 169.254.0.1 169.254.169.123 169.254.169.253 169.254.169.254 169.254.170.2 169.254.170.23 169.254.255.255
	172.16.0.0 172.16.0.1 172.17.0.1 172.20.10.1 172.31.255.255
	192.0.0.0 192.0.0.1 192.0.0.8 192.0.0.170 192.0.0.171 192.0.0.192 192.0.0.255
	192.0.2.0 192.0.2.1 192.0.2.255
	192.31.196.0 192.31.196.1 192.31.196.255
	192.52.193.0 192.52.193.1 192.52.193.255
	192.88.99.0 192.88.99.1 192.88.99.2 192.88.99.255
	192.168.0.0 192.168.0.1 192.168.1.1 192.168.178.1 192.168.255.255
	192.175.48.0 192.175.48.1 192.175.48.255
	198.18.0.0 198.18.0.1 198.19.0.1 198.19.255.255
	198.51.100.0 198.51.100.1 198.51.100.255
	203.0.113.0 203.0.113.1 203.0.113.255
	224.0.0.0 224.0.0.1 224.0.0.251 232.1.1.1 233.252.0.1 239.255.255.250 239.255.255.255
	240.0.0.0 240.0.0.1 250.1.2.3 255.255.255.254 255.255.255.255
	:: ::1 ::2 ::ffff ::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::169.254.169.254
	::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 0:0:0:0:fffe::1
	64:ff9b:: 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b::8.8.8.8 64:ff9b:1:: 64:ff9b:1::1 64:ff9b:1:ffff::10.0.0.1
	100:: 100::1 100:0:0:1::1 100::ffff:ffff:ffff:ffff 200::1 400::1 1000::1 1fff:ffff::1
	2001:: 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:1::2 2001:1::3 2001:2:: 2001:2::1 2001:2:0:ffff::1
	2001:3::1 2001:4:112::1 2001:5::1 2001:10::1 2001:1f::1 2001:20::1 2001:2f::1 2001:30::1 2001:3f::1 2001:1ff:ffff::1
	2001:db8:: 2001:db8::1 2001:db8:ffff:ffff::1
	2002:: 2002:7f00:1:: 2002:7f00:1::1 2002:a00:1::1 2002:a9fe:a9fe::1 2002:808:808::1 2002:ffff::1
	2620:4f:8000:: 2620:4f:8000::1 2620:4f:8000:ffff::1
	3fff:: 3fff::1 3fff:fff:ffff::1
	4000:: 5000::1 5f00:: 5f00::1 5f00:ffff::1 8000::1 a000::1 c000::1 e000::1 f000::1 fbff::1
	fc00:: fc00::1 fd00::1 fd00:ec2::254 fd20:ce::254 fdff:ffff::1 fe00::1 fe7f::1
	fe80:: fe80::1 fe80::a9fe:a9fe febf:ffff::1 fec0::1 feff::1
	ff00:: ff01::1 ff02::1 ff02::fb ff05::2 ff0e::1 ffff::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff`)

// public holds the neighbours of forbidden networks, and well-known public addresses.
var public = strings.Fields(`
	1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
	168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.1.255
	192.0.3.0 192.31.195.255 192.31.197.0 192.52.192.255 192.52.194.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0
	192.175.47.255 192.175.49.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
	2000::1 2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2003::1 2400:cb00::1 2606:4700:4700::1111
	2620:4f:7fff::1 2620:4f:8001::1 2a00:1450::1 3ffe::1 3fff:1000::1`)

func TestForbiddenAddresses(t *testing.T) {
	if len(forbidden) < 120 {
		t.Fatalf("only %d addresses", len(forbidden))
	}
	rec := &recorder{} // keeps here what should not have left
	c := New(Policy{})
	c.leave = rec.leave
	for _, text := range forbidden {
		for _, literal := range literals(t, text) {
			for _, scheme := range []string{"http", "https"} {
				raw := scheme + "://" + literal + "/hook"
				isRefused(t, "CheckURL "+raw, c.CheckURL(raw))
				isRefused(t, "Do "+raw, get(c, raw))
			}
		}
		isRefused(t, "dial "+text, c.control(net.JoinHostPort(text, "443"), secure))
		isRefused(t, "dial "+text, c.control(net.JoinHostPort(text, "80"), plain))
	}
}

// literals returns the ways to write an address in a URL.
func literals(t *testing.T, text string) []string {
	t.Helper()
	addr, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	if addr.Is6() {
		return []string{"[" + text + "]", "[" + addr.StringExpanded() + "]:443", "[" + strings.ToUpper(text) + "]", "[" + text + "%25lo]"}
	}
	mapped := netip.AddrFrom16(addr.As16())
	return []string{text, text + ":443", text + ":8080", "[" + mapped.String() + "]", "[" + mapped.StringExpanded() + "]:443", text + "."}
}

// get makes a request and returns only what went wrong.
func get(c *Client, raw string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, raw, nil)
	if err != nil {
		return &Refused{Reason: "net/http refuses it: " + err.Error()}
	}
	res, err := c.Do(req, 1<<20)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func isRefused(t *testing.T, what string, err error) {
	t.Helper()
	var refused *Refused
	if !errors.As(err, &refused) || refused.Reason == "" {
		t.Errorf("%s: %v, want Refused", what, err)
	}
}

func TestForbiddenAddressesBehindNames(t *testing.T) {
	for _, text := range forbidden {
		addr := netip.MustParseAddr(text)
		if addr.Is6() && !hasIPv6() {
			t.Log("NO IPv6 ON THIS MACHINE: names with IPv6 addresses are not tried")
			break // they come last
		}
		for _, answer := range [][]netip.Addr{{addr}, {addr, addr}, {netip.AddrFrom16(addr.As16())}} {
			c := New(Policy{Resolver: fakeResolver(func(string) []netip.Addr { return answer })})
			c.leave = (&recorder{}).leave // keeps here what should not have left
			if err := c.CheckURL("https://hook.test/"); err != nil {
				t.Fatal(err)
			}
			isRefused(t, text+" behind a name", get(c, "https://hook.test/"))
		}
	}
}

func hasIPv6() bool {
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	return ln.Close() == nil
}

func TestPublicAddresses(t *testing.T) {
	c := New(Policy{})
	for _, text := range public {
		host := text
		if strings.Contains(text, ":") {
			host = "[" + text + "]"
		}
		if err := c.CheckURL("https://" + host + "/hook"); err != nil {
			t.Error(err)
		}
		if err := c.control(net.JoinHostPort(text, "443"), secure); err != nil {
			t.Error(err)
		}
		isRefused(t, "plain http to "+text, c.control(net.JoinHostPort(text, "80"), plain))
		isRefused(t, "plain http to "+text, c.CheckURL("http://"+host+"/hook"))
		if err := c.control(net.JoinHostPort(text, "80"), open); err != nil {
			t.Error("to fetch by plain http:", err)
		}
	}
}

// An IPv4 address is judged alike in all its forms, and nothing outside 2000::/3 is public.
func TestJudgeProperties(t *testing.T) {
	p := &Policy{}
	rapid.Check(t, func(t *rapid.T) {
		v4 := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "v4")))
		mapped := netip.AddrFrom16(v4.As16())
		if p.judge(v4, 443, secure) != p.judge(mapped, 443, secure) {
			t.Fatalf("%v and %v are judged differently", v4, mapped)
		}
		private := v4.IsPrivate() || v4.IsLoopback() || v4.IsLinkLocalUnicast() || v4.IsMulticast() || v4.IsUnspecified()
		if private && p.judge(v4, 443, secure) == "" {
			t.Fatalf("%v is allowed", v4)
		}
		b := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "v6"))
		v6 := netip.AddrFrom16(b)
		if b[0]>>5 != 1 && !v6.Is4In6() && p.judge(v6, 443, secure) == "" {
			t.Fatalf("%v is allowed", v6)
		}
		b[0], b[1] = 0x20, 0x02
		if p.judge(netip.AddrFrom16(b), 443, secure) == "" {
			t.Fatalf("6to4 %v is allowed", netip.AddrFrom16(b))
		}
	})
}

func TestPolicyOrder(t *testing.T) {
	p := &Policy{
		Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("198.51.100.7/32")},
		Deny:  []netip.Prefix{netip.MustParsePrefix("10.0.5.0/24"), netip.MustParsePrefix("1.1.1.1/32")},
		Own:   []netip.Addr{netip.MustParseAddr("8.8.4.4"), netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("::ffff:9.9.9.9")},
	}
	tests := []struct {
		addr    string
		port    uint16
		plain   bool
		allowed bool
	}{
		{"10.0.0.1", 443, false, true}, {"10.0.0.1", 80, true, true}, {"10.0.0.1", 22, true, true}, {"::ffff:10.0.0.1", 25, false, true},
		{"10.0.5.1", 443, false, false}, {"::ffff:10.0.5.1", 443, false, false}, {"10.0.0.9", 443, false, true},
		{"fd00::1", 80, true, true}, {"fd00::1%eth0", 80, true, false}, {"198.51.100.7", 1, true, true}, {"198.51.100.8", 443, false, false},
		{"1.1.1.1", 443, false, false}, {"8.8.4.4", 443, false, false}, {"::ffff:8.8.4.4", 443, false, false}, {"9.9.9.9", 443, false, false},
		{"8.8.8.8", 443, false, true}, {"8.8.8.8", 80, false, true}, {"8.8.8.8", 1024, false, true}, {"8.8.8.8", 65535, false, true},
		{"8.8.8.8", 1023, false, false}, {"8.8.8.8", 22, false, false}, {"8.8.8.8", 25, false, false}, {"8.8.8.8", 0, false, false},
		{"8.8.8.8", 80, true, false}, {"8.8.8.8", 8080, true, false}, {"127.0.0.1", 443, false, false},
	}
	for _, test := range tests {
		by := secure
		if test.plain {
			by = plain
		}
		why := p.judge(netip.MustParseAddr(test.addr), test.port, by)
		if (why == "") != test.allowed {
			t.Errorf("%s port %d, plain %v: %q, want allowed: %v", test.addr, test.port, test.plain, why, test.allowed)
		}
	}
	if why := p.judge(netip.MustParseAddr("fd00::1%eth0"), 443, secure); why != "address with a zone" {
		t.Errorf("a zone in an allowed network: %q", why)
	}
	if (&Policy{}).judge(netip.Addr{}, 443, secure) == "" {
		t.Error("no address at all is allowed")
	}
}
