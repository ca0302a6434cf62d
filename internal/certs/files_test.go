package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
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
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is the time as certificates see it in a test.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) sleep(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// pair is a certificate with its key and chain, in PEM.
type pair struct{ cert, key, issuer []byte }

func (p pair) chain() []byte { return append(bytes.Clone(p.cert), p.issuer...) }

// issue makes a certificate of a, for hosts and a time.
func issue(t *testing.T, a *authority, from, until time.Time, hosts ...string) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<60))
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "a server"}, NotBefore: from, NotAfter: until}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.ca, key.Public(), a.caKey)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	return pair{block("CERTIFICATE", der), block("PRIVATE KEY", pkcs8), block("CERTIFICATE", a.ca.Raw)}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// bench is a server with certificate files, a clock, and what it logs.
type bench struct {
	*Certs
	clock             *clock
	log               *bytes.Buffer
	certFile, keyFile string
}

func openBench(t *testing.T, certFile, keyFile string, hosts ...string) *bench {
	t.Helper()
	b := &bench{clock: &clock{t: time.Now().Add(time.Minute)}, log: &bytes.Buffer{}, certFile: certFile, keyFile: keyFile}
	b.Certs = mustOpen(t, Options{Dir: t.TempDir(), Hosts: hosts, CertFile: certFile, KeyFile: keyFile, Now: b.clock.now, Log: slog.New(slog.NewTextHandler(b.log, nil))})
	return b
}

// serial is that of the certificate that a handshake gets, after a while.
func (b *bench) serial(t *testing.T) *big.Int {
	t.Helper()
	b.clock.sleep(checkEvery)
	cert, err := b.TLS().GetCertificate(&tls.ClientHelloInfo{ServerName: "api.shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf.SerialNumber
}

func serialOf(t *testing.T, p pair) *big.Int {
	t.Helper()
	block, _ := pem.Decode(p.cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert.SerialNumber
}

func TestFiles(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	certFile, keyFile := filepath.Join(dir, "fullchain.pem"), filepath.Join(dir, "key.pem")
	p := issue(t, a, time.Now().Add(-time.Hour), time.Now().Add(90*day), "api.shop.example", "192.0.2.7")
	write(t, certFile, p.chain())
	write(t, keyFile, p.key)
	b := openBench(t, certFile, keyFile, "api.shop.example")
	address := listen(t, b.Certs)
	state := shake(t, address, &tls.Config{ServerName: "api.shop.example", NextProtos: []string{"h2"}})
	if err := verify(state, a.roots, "api.shop.example"); err != nil || len(state.PeerCertificates) != 2 || state.NegotiatedProtocol != "h2" {
		t.Errorf("%v, %d certificates, %q", err, len(state.PeerCertificates), state.NegotiatedProtocol)
	}
	if _, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("speaks TLS 1.1")
	}
	info := b.Info()
	if info.Source != FileSource || !slices.Equal(info.Names, []string{"api.shop.example", "192.0.2.7"}) || info.Issuer != "CN=Test authority" ||
		info.Fingerprint != Fingerprint(state.PeerCertificates[0]) || len(info.Problems) > 0 || !b.Trusted() || b.log.Len() > 0 {
		t.Errorf("%+v, log %q", info, b.log)
	}
	answer := httptest.NewRecorder()
	b.Handler(http.NotFoundHandler()).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/.well-known/acme-challenge/x", nil))
	if answer.Code != http.StatusNotFound {
		t.Errorf("without ACME, port 80 answers %d", answer.Code)
	}
}

func TestFilesReload(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	fresh := func() pair {
		return issue(t, a, time.Now().Add(-time.Hour), time.Now().Add(90*day), "api.shop.example")
	}
	one, two, three := fresh(), fresh(), fresh()
	write(t, certFile, one.cert)
	write(t, keyFile, one.key)
	b := openBench(t, certFile, keyFile, "api.shop.example")
	want := func(what string, p pair) {
		t.Helper()
		if b.serial(t).Cmp(serialOf(t, p)) != 0 {
			t.Errorf("%s: another certificate is shown", what)
		}
	}
	want("at first", one)
	write(t, certFile, two.cert)
	for range 3 {
		want("with half of the new pair", one)
	}
	if n := strings.Count(b.log.String(), "level=ERROR"); n != 1 || !strings.Contains(b.log.String(), "private key does not match") {
		t.Errorf("%d errors in %q", n, b.log)
	}
	if p := b.Info().Problems; len(p) != 1 || !strings.Contains(p[0], "the old certificate stays") {
		t.Errorf("problems %q", p)
	}
	write(t, keyFile, two.key)
	want("with the whole pair", two)
	if len(b.Info().Problems) > 0 || strings.Count(b.log.String(), "a new certificate is in use") != 1 {
		t.Errorf("%q, log %q", b.Info().Problems, b.log)
	}
	for what, damage := range map[string]func(){
		"a damaged certificate": func() { write(t, certFile, []byte("-----BEGIN CERTIFICATE-----\nx")) },
		"an empty key":          func() { write(t, keyFile, nil) },
		"no certificate":        func() { _ = os.Remove(certFile) },
	} {
		damage()
		want(what, two)
		if err := b.Reload(); err == nil {
			t.Errorf("%s: Reload says nothing", what)
		}
		write(t, certFile, two.cert)
		write(t, keyFile, two.key)
		want("mended", two)
	}
	write(t, certFile, three.cert)
	write(t, keyFile, three.key)
	if err := b.Reload(); err != nil || b.Info().Fingerprint == "" {
		t.Error(err)
	}
	cert, _ := b.TLS().GetCertificate(&tls.ClientHelloInfo{}) // no time has passed
	if cert.Leaf.SerialNumber.Cmp(serialOf(t, three)) != 0 {
		t.Error("Reload has changed nothing")
	}
}

// A change within the resolution of file times, of the same size, is found nevertheless.
func TestFilesChangedWithinATick(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	one := issue(t, a, time.Now(), time.Now().Add(90*day), "api.shop.example")
	two := one
	for len(two.cert) != len(one.cert) || bytes.Equal(two.cert, one.cert) {
		two = issue(t, a, time.Now(), time.Now().Add(90*day), "api.shop.example")
	}
	stamp := time.Now()
	put := func(p pair) {
		write(t, certFile, p.cert)
		write(t, keyFile, p.key)
		if err := errors.Join(os.Chtimes(certFile, stamp, stamp), os.Chtimes(keyFile, stamp, stamp)); err != nil {
			t.Fatal(err)
		}
	}
	put(one)
	b := &bench{clock: &clock{t: stamp.Add(time.Second)}, log: &bytes.Buffer{}}
	b.Certs = mustOpen(t, Options{Dir: dir, CertFile: certFile, KeyFile: keyFile, Now: b.clock.now})
	put(two)
	if b.serial(t).Cmp(serialOf(t, two)) != 0 {
		t.Error("the change was not noticed")
	}
}

// Kubernetes keeps a secret in a folder that a link points to, and lets the link point to another one.
func TestFilesBehindALink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights on Windows that a test does not have")
	}
	a, dir := newAuthority(t), t.TempDir()
	pairs := map[string]pair{}
	for _, version := range []string{"..1", "..2"} {
		p := issue(t, a, time.Now().Add(-time.Hour), time.Now().Add(90*day), "api.shop.example")
		pairs[version] = p
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, version, "tls.crt"), p.cert)
		write(t, filepath.Join(dir, version, "tls.key"), p.key)
	}
	for link, to := range map[string]string{"..data": "..1", "tls.crt": "..data/tls.crt", "tls.key": "..data/tls.key"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	b := openBench(t, filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	if b.serial(t).Cmp(serialOf(t, pairs["..1"])) != 0 {
		t.Error("not the first certificate")
	}
	if err := errors.Join(os.Symlink("..2", filepath.Join(dir, "..tmp")), os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data"))); err != nil {
		t.Fatal(err)
	}
	if b.serial(t).Cmp(serialOf(t, pairs["..2"])) != 0 {
		t.Error("the swap was not noticed")
	}
}

func TestOpenRefuses(t *testing.T) {
	a := newAuthority(t)
	p, other := issue(t, a, day0, day0.Add(day), "x.example"), issue(t, a, day0, day0.Add(day), "x.example")
	for _, test := range []struct {
		name      string
		cert, key []byte
		mode      os.FileMode
		want      string
	}{
		{"a key others can read", p.cert, p.key, 0o640, "chmod 600"},
		{"the key of another", p.cert, other.key, 0o600, "does not match"},
		{"the chain first", append(bytes.Clone(p.issuer), p.cert...), p.key, 0o600, "must stand first"},
		{"the files exchanged", p.key, p.cert, 0o600, "certificate"},
		{"no certificate", []byte("\n"), p.key, 0o600, "PEM"},
		{"no key", p.cert, nil, 0o600, "is empty"},
		{"a key with a passphrase", p.cert, bytes.ReplaceAll(p.key, []byte(" PRIVATE KEY"), []byte(" ENCRYPTED PRIVATE KEY")), 0o600, "passphrase"},
		{"not a certificate", make([]byte, maxChain+1), p.key, 0o600, "1 MiB"},
	} {
		if runtime.GOOS == "windows" && test.mode != 0o600 {
			continue // it has no such modes
		}
		dir := t.TempDir()
		o := Options{Dir: dir, CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key"), Log: slog.New(slog.DiscardHandler)}
		write(t, o.CertFile, test.cert)
		write(t, o.KeyFile, test.key)
		if err := os.Chmod(o.KeyFile, test.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	o := Options{Dir: t.TempDir(), CertFile: "none", KeyFile: "none", Log: slog.New(slog.DiscardHandler)}
	if _, err := Open(o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing files: %v", err)
	}
	o.ACME.Domains = []string{"x.example"}
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "not both") {
		t.Errorf("two sources: %v", err)
	}
}
