package egress

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxURL bounds the length of a URL in bytes.
const maxURL = 2048

// Refused says that a request may not go out, and why. It names the host, never the rest of the URL, which may hold
// secrets; so it may be shown and logged.
type Refused struct {
	Host   string // empty when the URL has none
	Reason string
}

// Final tells that asking again does not help, as long as the rules stay.
func (e *Refused) Final() bool { return true }

// Error joins host and reason.
func (e *Refused) Error() string {
	if e.Host == "" {
		return "egress refused: " + e.Reason
	}
	return "egress to " + e.Host + " refused: " + e.Reason
}

// CheckURL tells whether a URL may be stored as a target; the error is a [*Refused]. It looks at the text only: a host
// name may still lead to a forbidden address, which every request finds out anew.
func (c *Client) CheckURL(raw string) error {
	if len(raw) > maxURL {
		return &Refused{Reason: "URL longer than " + strconv.Itoa(maxURL) + " bytes"}
	}
	if strings.ContainsFunc(raw, isOdd) {
		return &Refused{Reason: "URL with spaces, control characters or backslashes"}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return &Refused{Reason: "not a URL"} // the error would repeat it
	}
	w := secure
	if u.Scheme == "http" {
		w = plain
	}
	return c.check(u, w)
}

// isOdd tells of a character that readers of a URL drop, or take for another.
func isOdd(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }

// check judges what can be judged before names are resolved.
func (c *Client) check(u *url.URL, w way) error {
	host := u.Hostname()
	why := shape(u)
	if why == "" {
		why = c.judgeHost(host, strings.HasPrefix(u.Host, "["), portOf(u), w)
	}
	if why != "" {
		return &Refused{Host: host, Reason: why}
	}
	return nil
}

// shape judges the parts of a URL but its host.
func shape(u *url.URL) string {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "only http and https"
	case u.Opaque != "" || u.Host == "" || u.Hostname() == "":
		return "no host"
	case u.User != nil:
		return "user name or password in the URL"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "not a port"
		}
	}
	return ""
}

// judgeHost judges a host as it is written: a name, or an address, which stood in brackets or did not.
func (c *Client) judgeHost(host string, brackets bool, port uint16, w way) string {
	if brackets || isNumeric(host) {
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return "not an address in its usual form" // decimal, octal, hexadecimal, short: read differently by others
		}
		return c.policy.Load().judge(addr, port, w)
	}
	if !isName(host) {
		return "not a host name (write international names in their xn-- form)"
	}
	if isLocalhost(host) {
		return c.policy.Load().judgeAny(localhost, port, w)
	}
	if w == plain && len(c.policy.Load().Allow) == 0 {
		return "http is for allowed networks only (kabar serve --egress-allow), use https"
	}
	if len(c.policy.Load().Allow) == 0 { // else the name may lead to an allowed network, where any port is
		return judgePort(port)
	}
	return ""
}

// portOf returns the port of a URL that shape has passed.
func portOf(u *url.URL) uint16 {
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return uint16(n)
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}

// isNumeric tells whether some reader takes host for an IPv4 address: its last label is a number (WHATWG URL, "ends in
// a number").
func isNumeric(host string) bool {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := strings.ToLower(labels[len(labels)-1])
	if last != "" && strings.Trim(last, "0123456789") == "" {
		return true
	}
	digits, ok := strings.CutPrefix(last, "0x")
	return ok && strings.Trim(digits, "0123456789abcdef") == ""
}

// isName tells whether host is a DNS name as RFC 1123 has it; underscores, which some receivers use, may pass.
func isName(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.ToLower(host), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// localhost is what that name stands for whatever a resolver says: RFC 6761, section 6.3.
var localhost = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}

func isLocalhost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// judgeAny allows when one of the addresses is allowed.
func (p *Policy) judgeAny(addrs []netip.Addr, port uint16, w way) (why string) {
	for _, addr := range addrs {
		if why = p.judge(addr, port, w); why == "" {
			return ""
		}
	}
	return why
}
