package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/coder/websocket"

	"kabar/internal/certs"
	"kabar/internal/portshare"
)

func TestTLSFlags(t *testing.T) {
	acme := "--acme-domain api.shop.example --acme-accept-terms "
	for _, c := range []struct{ args, want string }{
		{"", ""},
		{"--hsts off", ""},
		{"--hsts always", "hsts"},
		{"--tls-cert c", "give --tls-key FILE"},
		{"--tls-key k", "give --tls-cert FILE"},
		{"--tls-cert c --tls-key k", ""},
		{"--tls-cert c --tls-key k " + acme, "two sources"},
		{"--acme-email a@b.example", "without --acme-domain"},
		{"--acme-directory https://a.example", "without --acme-domain"},
		{"--acme-accept-terms", "without --acme-domain"},
		{"--acme-domain api.shop.example", "give --acme-accept-terms"},
		{acme, ""},
		{acme + "--acme-domain WWW.Shop.Example. --acme-domain xn--bcher-kva.example", ""},
		{acme + "--acme-email ops@shop.example --acme-directory https://ca.shop.example/dir", ""},
		{acme + "--acme-directory http://127.0.0.1:14000/dir", ""},
		{acme + "--acme-directory http://ca.shop.example/dir", "want https"},
		{acme + "--acme-directory ca.shop.example", "want a URL"},
		{acme + "--acme-email ops", "want an address"},
		{acme + "--acme-domain *.shop.example", "wildcard"},
		{acme + "--acme-domain 192.0.2.7", "is an address"},
		{acme + "--acme-domain localhost", "full name"},
		{acme + "--acme-domain shop.example:443", "without port"},
		{acme + "--acme-domain https://shop.example", "full name"},
		{acme + "--acme-domain bücher.example", "xn--"},
		{acme + "--acme-domain " + strings.Repeat("a.", 130) + "example", "full name"},
	} {
		var f tlsFlags
		parser, err := kong.New(&f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = parser.Parse(strings.Fields(c.args)); err == nil {
			err = f.check()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
}

// Every flag changes what is opened.
func TestTLSFlagsOpen(t *testing.T) {
	log, dir := slog.New(slog.DiscardHandler), t.TempDir()
	self, err := (&tlsFlags{}).open(dir, []string{"api.shop.example"}, log)
	if err != nil {
		t.Fatal(err)
	}
	if info := self.Info(); info.Source != certs.SelfSignedSource || !slices.Contains(info.Names, "api.shop.example") || !slices.Contains(info.Names, "127.0.0.1") {
		t.Errorf("%+v", info)
	}
	files, err := (&tlsFlags{TLSCert: filepath.Join(dir, "tls", "tls.crt"), TLSKey: filepath.Join(dir, "tls", "tls.key")}).open(dir, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	if info := files.Info(); info.Source != certs.FileSource || info.Fingerprint != self.Info().Fingerprint || files.Trusted() {
		t.Errorf("%+v", info)
	}
	f := tlsFlags{ACMEDomain: []string{"API.Shop.Example"}, ACMEAcceptTerms: true}
	authority, err := f.open(dir, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	if authority.Info().Source != certs.ACMESource || !slices.Equal(f.domains(), []string{"api.shop.example"}) || f.directory() != certs.LetsEncrypt {
		t.Errorf("%+v, %q, %q", authority.Info(), f.domains(), f.directory())
	}
	_, err = (&tlsFlags{TLSCert: "c"}).open(dir, nil, log)
	if _, ok := errors.AsType[*usageError](err); !ok {
		t.Errorf("%v is no mistake of the command line", err)
	}
}

func TestHSTSFlag(t *testing.T) {
	log, dir := slog.New(slog.DiscardHandler), t.TempDir()
	for name, c := range map[string]struct {
		flags tlsFlags
		want  bool
	}{
		"self-signed":                  {tlsFlags{HSTS: "auto"}, false},
		"an authority's":               {signedFiles(t, "auto"), true},
		"an authority's, switched off": {signedFiles(t, "off"), false},
	} {
		open, err := c.flags.open(dir, nil, log)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		c.flags.hsts(open, http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://api.shop.example/", nil))
		if got := w.Header().Get("Strict-Transport-Security"); (got != "") != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// signedFiles makes a certificate that another one has signed.
func signedFiles(t *testing.T, hsts string) tlsFlags {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := func(name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}}
	}
	der, err := x509.CreateCertificate(rand.Reader, of("api.shop.example"), of("An authority"), key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	f := tlsFlags{TLSCert: filepath.Join(t.TempDir(), "c"), TLSKey: filepath.Join(t.TempDir(), "k"), HSTS: hsts}
	if err := errors.Join(os.WriteFile(f.TLSCert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(f.TLSKey, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return f
}

// A relay with its own certificate is reached by a WebSocket over TLS with --relay-ca, and not without.
func TestRelayTrust(t *testing.T) {
	log, dir := slog.New(slog.DiscardHandler), t.TempDir()
	c, err := (&tlsFlags{}).open(dir, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, err := websocket.Accept(w, r, nil); err == nil {
			_ = conn.Close(websocket.StatusNormalClosure, "")
		}
	})
	address := serveTLS(t, c, handler)
	dial := func(f relayTrust) error {
		client, err := f.httpClient()
		if err != nil {
			return err
		}
		conn, answer, err := websocket.Dial(t.Context(), "wss://"+address, &websocket.DialOptions{HTTPClient: client})
		if err != nil {
			return err
		}
		_ = conn.CloseNow()
		if answer.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("status %d", answer.StatusCode)
		}
		return nil
	}
	if err := dial(relayTrust{RelayCA: filepath.Join(dir, "tls", "tls.crt")}); err != nil {
		t.Errorf("with --relay-ca: %v", err)
	}
	if err := dial(relayTrust{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without --relay-ca: %v", err)
	}
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{empty: "no certificate", filepath.Join(dir, "none.pem"): "none.pem", filepath.Join(dir, "tls", "tls.key"): "no certificate"} {
		if err := dial(relayTrust{RelayCA: file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
}

// A relay on another machine is reached in clear text only by whoever wants that.
func TestRelayAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"wss://relay.example": "", "wss://relay.example:9092/net": "", "ws://127.0.0.1:9092": "", "ws://127.8.9.1": "", "ws://[::1]:9092": "",
		"ws://localhost:9092": "", "ws://[::ffff:127.0.0.1]:9092": "",
		"ws://relay:9092": "plain", "ws://relay.example": "plain", "ws://10.0.0.5:9092": "plain", "ws://0.0.0.0:9092": "plain", "ws://[fd00::1]:9092": "plain",
		"ws://localhost.example": "plain", "ws://127.0.0.1.example": "plain",
		"": "never", "relay.example:9092": "never", "https://relay.example": "never", "ws://": "never", "ws://:9092": "never",
		"wss://user:secret@relay.example": "never",
	} {
		closed, open := (&relayTrust{}).checkRelay(address), (&relayTrust{AllowPlainRelay: true}).checkRelay(address)
		switch {
		case (closed == nil) != (want == "") || (open == nil) != (want != "never"):
			t.Errorf("%q: %v, and with --allow-plain-relay %v; want %q", address, closed, open, want)
		case want == "plain" && !strings.Contains(closed.Error(), "--allow-plain-relay"):
			t.Errorf("%q: the setting is not named: %v", address, closed)
		case want == "never" && strings.Contains(closed.Error(), "secret"):
			t.Errorf("%q: %v", address, closed)
		}
	}
}

// serveTLS serves a handler with a certificate until the test ends.
func serveTLS(t *testing.T, c *certs.Certs, handler http.Handler) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn)
	newServer := func() *http.Server {
		return &http.Server{Handler: handler, ErrorLog: quiet, ReadHeaderTimeout: 5 * time.Second}
	}
	share := portshare.Server{TLS: c.TLS(), Secure: newServer(), Plain: newServer(), Drain: time.Second}
	done := make(chan error, 1)
	go func() { done <- share.Serve(t.Context(), ln) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}
