package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kabar/internal/certs"
	"kabar/internal/patience"
)

// proveCertificate has a program answer with a certificate that another one has signed, as an authority does.
func proveCertificate(p *prover) {
	signed := signedFiles(p.T, "auto")
	c := minimal(p.T, p.program).with(conf{"tls-cert": signed.TLSCert, "tls-key": signed.TLSKey, "host": []string{"api.shop.example"}})
	r := launch(p.T, p.program, c)
	const host = "Host: api.shop.example" // the header is for names only
	got := r.get("https", host)
	served, want := certs.Fingerprint(got.tls.PeerCertificates[0]), fingerprintOf(p.T, signed.TLSCert)
	p.shows("tls-cert", served == want, "the certificate is %s, that of the file %s", served, want)
	p.shows("hsts", got.header.Get("Strict-Transport-Security") != "", "auto: no header")
	p.shows("hsts", r.get("http", host).header.Get("Strict-Transport-Security") == "", "auto: a header on plain HTTP")
	r.end()
	other := signedFiles(p.T, "auto")
	says := rejected(p.T, p.program, c.with(conf{"tls-key": other.TLSKey}))
	p.shows("tls-key", strings.Contains(says, "private key"), "of another certificate: %s", says)
	off := launch(p.T, p.program, c.with(conf{"hsts": "off"}))
	p.shows("hsts", off.get("https", host).header.Get("Strict-Transport-Security") == "", "off: a header")
}

func fingerprintOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certs.Fingerprint(cert)
}

// proveACME has a program ask an authority that takes the account and refuses the order.
func proveACME(p *prover) {
	a := newAskedAuthority(p.T)
	c := minimal(p.T, p.program).with(conf{"acme-domain": []string{"api.shop.example"}, "acme-email": "ops@shop.example", "acme-directory": a.url + "/dir"})
	says := rejected(p.T, p.program, c)
	p.shows("acme-accept-terms", strings.Contains(says, "give --acme-accept-terms") && a.heard() == "", "without it: %s; asked: %s", says, a.heard())
	r := launch(p.T, p.program, c.with(conf{"acme-accept-terms": true}))
	patience.Until(p.T, "order at the authority", func() bool { return strings.Contains(a.heard(), "identifiers") })
	r.end()
	heard := a.heard()
	p.shows("acme-directory", strings.Contains(heard, "GET /dir"), "asked: %s", heard)
	p.shows("acme-email", strings.Contains(heard, "mailto:ops@shop.example"), "asked: %s", heard)
	p.shows("acme-accept-terms", strings.Contains(heard, `"termsOfServiceAgreed":true`), "asked: %s", heard)
	p.shows("acme-domain", strings.Contains(heard, `"value":"api.shop.example"`), "asked: %s", heard)
}

// askedAuthority is as much of an ACME server as it takes to be asked for a certificate.
type askedAuthority struct {
	url string

	mu   sync.Mutex
	asks strings.Builder // requests, and what their bodies hold
}

func newAskedAuthority(t *testing.T) *askedAuthority {
	t.Helper()
	a := &askedAuthority{}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *askedAuthority) heard() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asks.String()
}

func (a *askedAuthority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ Payload string }
	_ = json.NewDecoder(r.Body).Decode(&body) // requests without a body hold nothing
	payload, _ := base64.RawURLEncoding.DecodeString(body.Payload)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asks.WriteString(r.Method + " " + r.URL.Path + " " + string(payload) + "\n")
	w.Header().Set("Replay-Nonce", "bm9uY2U")
	switch r.URL.Path {
	case "/dir":
		directory := map[string]any{"newNonce": a.url + "/nonce", "newAccount": a.url + "/account", "newOrder": a.url + "/order",
			"revokeCert": a.url + "/revoke", "keyChange": a.url + "/key", "meta": map[string]string{"termsOfService": a.url + "/terms"}}
		_ = json.NewEncoder(w).Encode(directory)
	case "/nonce":
	case "/account":
		w.Header().Set("Location", a.url+"/account/1")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"status":"valid"}`))
	default:
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"not today"}`))
	}
}

// proveRelayCA leads a program to a relay with a certificate of its own.
func proveRelayCA(p *prover) {
	r := launch(p.T, "relay", minimal(p.T, "relay").with(conf{"open-registration": true}))
	c := minimal(p.T, p.program).with(conf{"relay": "wss://" + r.addr, "log-level": "debug"})
	if p.program == "serve" {
		c["number"] = "628111000200"
	}
	without := launch(p.T, p.program, c)
	p.shows("relay-ca", !arrives(p, without, r), "without it the relay is trusted")
	without.end()
	with := launch(p.T, p.program, c.with(conf{"relay-ca": filepath.Join(r.data, "tls", "tls.crt")}))
	p.shows("relay-ca", arrives(p, with, r), "the relay is not reached: %s", with.log.String())
}

// provePlainRelay leads a program to a relay by an address that is none of loopback's, without TLS.
func provePlainRelay(p *prover) {
	r := launch(p.T, "relay", minimal(p.T, "relay").with(conf{"open-registration": true}))
	_, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		p.Fatal(err)
	}
	c := minimal(p.T, p.program).with(conf{"relay": "ws://0.0.0.0:" + port}) // which leads here
	if p.program == "serve" {
		c["number"] = "628111000200"
	}
	says := rejected(p.T, p.program, c)
	p.shows("allow-plain-relay", strings.Contains(says, "clear text") && strings.Contains(says, "--allow-plain-relay"), "without it: %s", says)
	with := launch(p.T, p.program, c.with(conf{"allow-plain-relay": true}))
	p.shows("allow-plain-relay", arrives(p, with, r), "the relay is not reached: %s", with.log.String())
}

// arrives has a program connect to a relay, which it does by itself or for a customer, and says whether the relay then knows it.
func arrives(p *prover, r, at *running) bool {
	p.Helper()
	if r.name == "phone" {
		if made := ask(p.T, http.MethodPost, "http://"+r.addr+"/api/customers", `{"name":"Ana"}`); made.status != http.StatusCreated {
			p.Fatalf("%d %s", made.status, made.body)
		}
	}
	known := func() bool { return len(accounts(p.T, at)) > 0 }
	patience.Until(p.T, "attempt to connect", func() bool {
		return known() || strings.Contains(r.log.String(), "certificate signed by unknown authority")
	})
	return known()
}

// account is what the relay's operator sees of one.
type account struct {
	Account, Class string
	Online         bool
}

func accounts(t *testing.T, relay *running) []account {
	t.Helper()
	return printed[[]account](t, "relay", "accounts", "--data", relay.data)
}
