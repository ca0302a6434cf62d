package egress

import "net/netip"

// special are the networks a URL of a user must not reach: the IANA registries of special-purpose IPv4 and IPv6
// addresses (RFC 6890 and its updates), multicast and reserved space, and the addresses at which clouds serve
// credentials to their machines. Of IPv6 only 2000::/3 is public at all (see globalUnicast); this lists the exceptions
// within.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),         // this network; 0.0.0.0 reaches the machine itself
	netip.MustParsePrefix("10.0.0.0/8"),        // private
	netip.MustParsePrefix("100.64.0.0/10"),     // shared by carriers; 100.100.100.200 serves metadata
	netip.MustParsePrefix("127.0.0.0/8"),       // loopback
	netip.MustParsePrefix("168.63.129.16/32"),  // Azure's host, in the middle of public space
	netip.MustParsePrefix("169.254.0.0/16"),    // link-local; 169.254.169.254 serves metadata
	netip.MustParsePrefix("172.16.0.0/12"),     // private
	netip.MustParsePrefix("192.0.0.0/24"),      // IETF protocols; 192.0.0.192 serves metadata
	netip.MustParsePrefix("192.0.2.0/24"),      // documentation
	netip.MustParsePrefix("192.31.196.0/24"),   // AS112
	netip.MustParsePrefix("192.52.193.0/24"),   // automatic multicast tunnels
	netip.MustParsePrefix("192.88.99.0/24"),    // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),    // private
	netip.MustParsePrefix("192.175.48.0/24"),   // AS112
	netip.MustParsePrefix("198.18.0.0/15"),     // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"),   // documentation
	netip.MustParsePrefix("203.0.113.0/24"),    // documentation
	netip.MustParsePrefix("224.0.0.0/3"),       // multicast, reserved, broadcast
	netip.MustParsePrefix("2001::/23"),         // IETF protocols: Teredo, ORCHID, benchmarks
	netip.MustParsePrefix("2001:db8::/32"),     // documentation
	netip.MustParsePrefix("2002::/16"),         // 6to4: holds any IPv4 address
	netip.MustParsePrefix("2620:4f:8000::/48"), // AS112
	netip.MustParsePrefix("3fff::/20"),         // documentation
}

// globalUnicast is the part of IPv6 given out for public use. Outside lie loopback, IPv4-mapped and -compatible
// addresses, NAT64, unique local, link-local, site-local and multicast addresses, and segment routing.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// reason tells why an address is not public; "" for a public one.
func reason(addr netip.Addr) string {
	if !addr.IsValid() {
		return "not an address"
	}
	if addr.Is6() && !globalUnicast.Contains(addr) || contains(special, addr) {
		return "address is not public; kabar serve --egress-allow opens its network"
	}
	return ""
}

func contains(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// judge tells why a connection to addr is refused; "" when it is allowed. An IPv4 address mapped into IPv6 is judged as
// what the operating system makes of it, the IPv4 address.
func (p *Policy) judge(addr netip.Addr, port uint16, w way) string {
	if addr.Zone() != "" {
		return "address with a zone"
	}
	addr = addr.Unmap()
	if contains(p.Deny, addr) {
		return "address is denied by the operator"
	}
	if contains(p.Allow, addr) {
		return ""
	}
	if why := reason(addr); why != "" {
		return why
	}
	for _, own := range p.Own {
		if own.Unmap().WithZone("") == addr {
			return "address is this server's own"
		}
	}
	if w == plain {
		return "http is for allowed networks only (kabar serve --egress-allow), use https"
	}
	return judgePort(port)
}

// judgePort keeps to web ports and those that need no privilege: the services a forged request could harm (mail, DNS,
// directories) sit below 1024.
func judgePort(port uint16) string {
	if port == 80 || port == 443 || port >= 1024 {
		return ""
	}
	return "port is not allowed"
}
