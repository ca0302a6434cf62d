package egress

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestDialContext(t *testing.T) {
	rec := &recorder{}
	answers := map[string][]netip.Addr{"inside.test.": {netip.MustParseAddr("10.0.0.1")}, "public.test.": {netip.MustParseAddr("1.1.1.1")}}
	c := New(Policy{
		Allow:    []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
		Deny:     []netip.Prefix{netip.MustParsePrefix("9.9.9.9/32")},
		Resolver: fakeResolver(func(name string) []netip.Addr { return answers[name] }),
	})
	c.leave = rec.leave
	for address, want := range map[string]string{ // where a packet leaves for; else a piece of what is said
		"1.1.1.1:4222": "1.1.1.1:4222", "public.test:443": "1.1.1.1:443", "10.1.2.3:22": "10.1.2.3:22", "[2606:4700:4700::1111]:4222": "",
		"10.0.0.1:4222": "not public", "inside.test:4222": "not public", "9.9.9.9:4222": "denied", "1.1.1.1:22": "port is not allowed", "127.1:4222": "usual form",
		"localhost:4222": "not public", "public.test:nats": "not a port", "public.test:0": "not a port", "public.test": "not a host and a port",
		":4222": "no host", "[]:4222": "no host", "[fe80::1%lo]:4222": "zone", "exämple.test:4222": "host name", "a b:4222": "not a host and a port",
	} {
		_, err := c.DialContext(t.Context(), "tcp", address)
		left := rec.take()
		if _, parse := netip.ParseAddrPort(want); parse == nil {
			if len(left) != 1 || left[0].String() != want {
				t.Errorf("%s: packets for %v, %v, want %s", address, left, err, want)
			}
			continue
		}
		if want == "" {
			continue // the machine may have no IPv6
		}
		isRefused(t, address, err)
		if len(left) > 0 || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: packets for %v, %v, want %q", address, left, err, want)
		}
	}
	for _, network := range []string{"udp", "unix", "ip", "", "tcp:"} {
		_, err := c.DialContext(t.Context(), network, "1.1.1.1:4222")
		isRefused(t, "network "+network, err)
	}
	_, err := New(Policy{Transport: roundTripper(nil)}).DialContext(t.Context(), "tcp", "1.1.1.1:4222")
	isRefused(t, "without a network", err)
}

// What is allowed is connected, and rules that are set later hold from then on.
func TestDialContextConnects(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		conn, err := ln.Accept()
		if err == nil {
			io.WriteString(conn, "INFO\r\n")
			conn.Close()
		}
	}()
	c := New(Policy{Allow: loopback})
	conn, err := c.DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c.SetRules(Policy{})
	if text, err := io.ReadAll(conn); err != nil || string(text) != "INFO\r\n" {
		t.Errorf("%q, %v", text, err)
	}
	_, err = c.DialContext(t.Context(), "tcp", ln.Addr().String())
	isRefused(t, "under the later rules", err)
}

// A name that leads to no address is known not to lead anywhere the next moment, for a connection, too.
func TestDialContextToNowhere(t *testing.T) {
	c := New(Policy{Resolver: fakeResolver(func(string) []netip.Addr { return nil })})
	_, err := c.DialContext(t.Context(), "tcp", "nowhere.test:4222")
	if final, ok := errors.AsType[noHost](err); !ok || !final.Final() {
		t.Errorf("%v", err)
	}
}

// identity returns a certificate that signs itself, of a client or a server at 127.0.0.1.
func identity(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mould := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, mould, mould, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func poolOf(certs ...tls.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c.Leaf)
	}
	return pool
}

// demanding is a server that takes nobody without a certificate of a known client.
func demanding(t *testing.T, own, known tls.Certificate) (url string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that must fail
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: poolOf(known)}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestWithTLS(t *testing.T) {
	server, client, other := identity(t, "server"), identity(t, "client"), identity(t, "other")
	url := demanding(t, server, client)
	base := New(Policy{Allow: loopback})
	own, foreign := []tls.Certificate{client}, []tls.Certificate{other}
	for name, c := range map[string]struct {
		client *Client
		want   string // the name that the server has read; empty: no answer
	}{
		"both":                     {base.WithTLS(poolOf(server), own), "client"},
		"one after the other":      {base.WithTLS(poolOf(server), nil).WithTLS(nil, own), "client"},
		"the other way round":      {base.WithTLS(nil, own).WithTLS(poolOf(server), nil), "client"},
		"roots of the policy":      {New(Policy{Allow: loopback, RootCAs: poolOf(server)}).WithTLS(nil, own), "client"},
		"neither":                  {base, ""},
		"no certificate":           {base.WithTLS(poolOf(server), nil), ""},
		"certificate of another":   {base.WithTLS(poolOf(server), foreign), ""},
		"server of another":        {base.WithTLS(poolOf(other), own), ""},
		"taken away again":         {base.WithTLS(poolOf(server), own).WithTLS(nil, []tls.Certificate{}), ""},
		"replaced by the first's":  {base.WithTLS(poolOf(other), foreign).WithTLS(poolOf(server), own), "client"},
		"a client beside, with it": {base.WithTLS(poolOf(server, other), own), "client"},
	} {
		body, err := fetch(t, c.client, url, 100)
		if string(body) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, body, err, c.want)
		}
		c.client.CloseIdleConnections()
	}
}

// The rules are those of the client that it was made of, whichever is told of others.
func TestWithTLSHasTheSameRules(t *testing.T) {
	server, client := identity(t, "server"), identity(t, "client")
	url := demanding(t, server, client)
	base := New(Policy{Resolver: fakeResolver(func(string) []netip.Addr { return loopbacks() })})
	c := base.WithTLS(poolOf(server), []tls.Certificate{client})
	defer c.CloseIdleConnections()
	isRefused(t, "at first", get(c, url))
	isRefused(t, "behind a name", get(c, "https://name.test:8443/"))
	base.SetRules(Policy{Allow: loopback})
	if err := get(c, url); err != nil {
		t.Errorf("allowed: %v", err)
	}
	c.SetRules(Policy{})
	isRefused(t, "afterwards", get(base, url))
	isRefused(t, "afterwards", get(c, url))
	hook := New(Policy{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return &http.Response{Body: http.NoBody}, nil })})
	if err := get(hook.WithTLS(nil, []tls.Certificate{client}), "https://hook.test/"); err != nil {
		t.Errorf("without a network: %v", err)
	}
}
