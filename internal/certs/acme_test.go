package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"kabar/internal/patience"
)

// listen serves TLS with a certificate until the test ends: enough for handshakes.
func listen(t *testing.T, c *Certs) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{TLSConfig: c.TLS(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn), ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Proto)) })}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ServeTLS(ln, "", "")
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return ln.Addr().String()
}

// shake connects and returns what the server has shown.
func shake(t *testing.T, address string, config *tls.Config) tls.ConnectionState {
	t.Helper()
	config.InsecureSkipVerify = true // what is shown is looked at by the test
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState()
}

func verify(state tls.ConnectionState, roots *x509.CertPool, name string) error {
	o := x509.VerifyOptions{Roots: roots, DNSName: name, Intermediates: x509.NewCertPool()}
	for _, cert := range state.PeerCertificates[1:] {
		o.Intermediates.AddCert(cert)
	}
	_, err := state.PeerCertificates[0].Verify(o)
	return err
}

func acmeOptions(a *authority, dir string, domains ...string) Options {
	return Options{Dir: dir, Hosts: domains[:1], Log: slog.New(slog.DiscardHandler),
		ACME: ACME{Domains: domains, Email: "ops@shop.example", Directory: a.url + "/dir", AcceptTerms: true}}
}

func mustOpen(t *testing.T, o Options) *Certs {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run runs c until the test ends, or stop is called.
func run(t *testing.T, c *Certs) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	var once bool
	stop = func() {
		cancel()
		if !once {
			once = true
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

func TestACME(t *testing.T) {
	a, dir := newAuthority(t), filepath.Join(t.TempDir(), "tls")
	c := mustOpen(t, acmeOptions(a, dir, "api.shop.example", "www.shop.example"))
	a.leadTo(listen(t, c))
	if a.count() != 0 || c.Trusted() || c.Info().Source != ACMESource || !c.Info().NotAfter.IsZero() {
		t.Errorf("before Run: %d requests, %+v", a.count(), c.Info())
	}
	if cert := shake(t, a.alpnAddr, &tls.Config{ServerName: "api.shop.example"}).PeerCertificates[0]; !selfIssued(cert) {
		t.Error("before Run another certificate than the self-signed one")
	}
	stop := run(t, c)
	patience.Until(t, "both are issued", func() bool { return len(c.Info().Names) == 2 })
	for _, name := range []string{"api.shop.example", "WWW.Shop.Example."} {
		config := &tls.Config{ServerName: name, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS13}
		state := shake(t, a.alpnAddr, config)
		if err := verify(state, a.roots, strings.TrimSuffix(name, ".")); err != nil || state.NegotiatedProtocol != "h2" || len(state.PeerCertificates) != 2 {
			t.Errorf("%s: %v, %q, %d certificates", name, err, state.NegotiatedProtocol, len(state.PeerCertificates))
		}
	}
	for _, name := range []string{"", "localhost", "other.example"} {
		if cert := shake(t, a.alpnAddr, &tls.Config{ServerName: name}).PeerCertificates[0]; !selfIssued(cert) {
			t.Errorf("%q gets a certificate of the authority", name)
		}
	}
	info := c.Info()
	if !c.Trusted() || info.Issuer != "CN=Test authority" || len(info.Problems) > 0 || time.Until(info.NotAfter) < 89*day {
		t.Errorf("%+v", info)
	}
	var account struct {
		Agreed  bool `json:"termsOfServiceAgreed"`
		Contact []string
	}
	if err := json.Unmarshal(a.account, &account); err != nil || !account.Agreed || len(account.Contact) != 1 || account.Contact[0] != "mailto:ops@shop.example" {
		t.Errorf("account %s, %v", a.account, err)
	}
	checkModes(t, filepath.Join(dir, "acme"))
	stop()
	secondStart(t, a, dir)
}

func checkModes(t *testing.T, dir string) {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 && runtime.GOOS != "windows" {
		t.Errorf("%s has mode %v", dir, info.Mode())
	}
}

// secondStart finds everything in the folder.
func secondStart(t *testing.T, a *authority, dir string) {
	before := a.count()
	c := mustOpen(t, acmeOptions(a, dir, "api.shop.example", "www.shop.example"))
	a.leadTo(listen(t, c))
	if !c.Trusted() {
		t.Error("a second start does not know that it has certificates")
	}
	if err := verify(shake(t, a.alpnAddr, &tls.Config{ServerName: "api.shop.example"}), a.roots, "api.shop.example"); err != nil {
		t.Errorf("before Run: %v", err)
	}
	run(t, c)
	if err := verify(shake(t, a.alpnAddr, &tls.Config{ServerName: "www.shop.example"}), a.roots, "www.shop.example"); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	if n := a.count() - before; n != 0 {
		t.Errorf("the second start sent %d requests to the authority", n)
	}
}

// A certificate of an earlier run that has ended is not shown, and another one is asked for.
func TestACMEAfterALongPause(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	c := mustOpen(t, acmeOptions(a, dir, "api.shop.example"))
	a.leadTo(listen(t, c))
	stop := run(t, c)
	patience.Until(t, "the first is issued", func() bool { return !c.Info().NotAfter.IsZero() })
	first := c.Info().Fingerprint
	stop()
	a.replace(t, dir, "api.shop.example", time.Now().Add(-time.Hour))

	again := mustOpen(t, acmeOptions(a, dir, "api.shop.example"))
	a.leadTo(listen(t, again))
	if again.Trusted() || !selfIssued(shake(t, a.alpnAddr, &tls.Config{ServerName: "api.shop.example"}).PeerCertificates[0]) {
		t.Error("an expired certificate is shown")
	}
	run(t, again)
	patience.Until(t, "another one is issued", func() bool { return again.Trusted() && again.Info().Fingerprint != first })
}

func TestACMEOverHTTP(t *testing.T) {
	a := newAuthority(t)
	c := mustOpen(t, acmeOptions(a, t.TempDir(), "api.shop.example"))
	plain := httptest.NewServer(c.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ours")) })))
	defer plain.Close()
	a.leadTo("127.0.0.1:1") // nobody is there
	a.set(func() { a.httpAddr = plain.Listener.Addr().String() })
	run(t, c)
	patience.Until(t, "it is issued", c.Trusted)
	answer, err := http.Get(plain.URL + "/other")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body := make([]byte, 4); func() bool { _, err := answer.Body.Read(body); return err != nil && string(body) != "ours" }() {
		t.Errorf("the fallback answers %q", body)
	}
}

// A domain that does not lead here: the reason is told, the server goes on, and nobody is asked again at once.
func TestACMERefused(t *testing.T) {
	a := newAuthority(t)
	c := mustOpen(t, acmeOptions(a, t.TempDir(), "api.shop.example"))
	address := listen(t, c)
	a.leadTo("127.0.0.1:1")
	run(t, c)
	patience.Until(t, "it is refused", func() bool { return strings.Contains(strings.Join(c.Info().Problems, ""), "127.0.0.1:1") })
	if c.Trusted() {
		t.Error("trusted without a certificate")
	}
	before := a.ordered()
	for range 20 {
		if cert := shake(t, address, &tls.Config{ServerName: "api.shop.example"}).PeerCertificates[0]; !selfIssued(cert) {
			t.Fatal("another certificate than the self-signed one")
		}
	}
	if n := a.ordered() - before; n > 0 {
		t.Errorf("20 handshakes caused %d orders", n)
	}
}

// The end does not wait for an authority that does not answer.
func TestACMEEndsWithRun(t *testing.T) {
	asked := make(chan struct{}, 10)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer silent.Close()
	c := mustOpen(t, acmeOptions(&authority{url: silent.URL}, t.TempDir(), "api.shop.example"))
	stop := run(t, c)
	patience.Next(t, "it is asked", asked)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		stop()
	}()
	patience.Next(t, "Run ends", ended)
}

func TestACMENeedsTerms(t *testing.T) {
	o := acmeOptions(&authority{url: "http://127.0.0.1:1"}, t.TempDir(), "api.shop.example")
	o.ACME.AcceptTerms = false
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "terms") {
		t.Errorf("%v", err)
	}
}
