package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// How long a certificate should still be good.
const (
	certWarn     = 14 * 24 * time.Hour
	certSelfWarn = 7 * 24 * time.Hour // ours are renewed by themselves 30 days before their end
)

// Certificate looks at the certificate in use: who it is for, and until when. get returns it; Presented does for a server that
// runs. hosts are the names under which the server is reached.
func Certificate(get func(ctx context.Context) (*x509.Certificate, error), hosts []string, now time.Time) Check {
	return Check{"certificate", func(ctx context.Context) Result {
		leaf, err := get(ctx)
		if err != nil {
			return Result{Fail, "no certificate: " + err.Error(), "is the server running, and --addr right? kabar status --data …"}
		}
		return judgeCertificate(leaf, hosts, now)
	}}
}

func judgeCertificate(leaf *x509.Certificate, hosts []string, now time.Time) Result {
	self := leaf.Issuer.String() == leaf.Subject.String()
	left, fix := leaf.NotAfter.Sub(now), "put the new certificate in the place of the old one; the server takes it over by itself"
	limit := certWarn
	if self {
		limit, fix = certSelfWarn, "restart the server: it renews its own certificate"
	}
	var missing []string
	for _, h := range hosts {
		if leaf.VerifyHostname(h) != nil {
			missing = append(missing, h)
		}
	}
	switch {
	case left <= 0:
		return Result{Fail, "it ended on " + leaf.NotAfter.UTC().Format(time.DateOnly), fix}
	case now.Before(leaf.NotBefore):
		return Result{Fail, "it begins on " + leaf.NotBefore.UTC().Format(time.DateOnly) + ": it is too new, or the clock is wrong", "date; " + clockFix}
	case len(missing) > 0:
		return Result{Fail, fmt.Sprintf("it is not for %s (only for %s)", strings.Join(missing, ", "), strings.Join(names(leaf), ", ")),
			"get one for all names, or leave out --host " + missing[0]}
	case left < limit:
		return Result{Warn, "it ends in " + age(left), fix}
	case self && len(hosts) > 0:
		return Result{Warn, fmt.Sprintf("made by this server, good for %s: clients on other machines trust it only by its fingerprint", age(left)),
			"--tls-cert and --tls-key with a certificate for " + hosts[0]}
	}
	return Fine("for %s, good for %s", strings.Join(names(leaf), ", "), age(left))
}

func names(leaf *x509.Certificate) []string {
	all := append([]string{}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

// Presented returns what asks a server that listens on addr for its certificate, as a client that wants host (may be empty)
// would. A server that listens everywhere is asked on loopback.
func Presented(addr, host string) func(ctx context.Context) (*x509.Certificate, error) {
	return func(ctx context.Context) (*x509.Certificate, error) {
		// What is presented is what is looked at; judgeCertificate verifies it.
		d := tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true}} //nolint:gosec // nothing is sent over this connection
		c, err := d.DialContext(ctx, "tcp", local(addr))
		if err != nil {
			return nil, err
		}
		defer func() { _ = c.Close() }() // nothing was sent
		return c.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
	}
}

// local turns an address that listens everywhere into one that can be dialled.
func local(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
