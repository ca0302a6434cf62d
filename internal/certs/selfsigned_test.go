package certs

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
	"time"
)

var day0 = time.Date(2031, 5, 2, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func fingerprint(t *testing.T, dir string, hosts []string, now time.Time) string {
	t.Helper()
	cert, print, err := SelfSigned(dir, hosts, now)
	if err != nil {
		t.Fatal(err)
	}
	if now.Before(cert.Leaf.NotBefore) || now.Add(renewBefore).After(cert.Leaf.NotAfter) {
		t.Errorf("at %v: valid from %v to %v", now, cert.Leaf.NotBefore, cert.Leaf.NotAfter)
	}
	return print
}

func TestSelfSigned(t *testing.T) {
	dir := t.TempDir()
	hosts := []string{"localhost", "kabar.example", "127.0.0.1", "::1"}
	cert, print, err := SelfSigned(dir, hosts, day0)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^([0-9A-F]{2}:){31}[0-9A-F]{2}$`).MatchString(print) || print != Fingerprint(cert.Leaf) {
		t.Errorf("fingerprint %q", print)
	}
	if key, ok := cert.PrivateKey.(*ecdsa.PrivateKey); !ok || key.Curve.Params().Name != "P-256" {
		t.Errorf("key %T", cert.PrivateKey)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	for _, host := range hosts {
		if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: day0}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if cert.Leaf.IsCA || cert.Leaf.VerifyHostname("other.example") == nil {
		t.Error("the certificate vouches for more than this server")
	}
	for name, want := range map[string]os.FileMode{keyFile: 0o600, certFile: 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 2 {
		t.Errorf("files: %v", names)
	}
}

func TestSelfSignedIsKeptAndRenewed(t *testing.T) {
	dir, hosts := t.TempDir(), []string{"localhost"}
	first := fingerprint(t, dir, hosts, day0)
	key, _ := os.ReadFile(filepath.Join(dir, keyFile))
	for _, days := range []time.Duration{0, 1, 365, 699} {
		if fingerprint(t, dir, hosts, day0.Add(days*day)) != first {
			t.Errorf("another certificate after %d days", days)
		}
	}
	if fingerprint(t, dir, nil, day0) != first {
		t.Error("another certificate for fewer hosts")
	}
	renewed := fingerprint(t, dir, hosts, day0.Add(701*day))
	if renewed == first {
		t.Error("not renewed 29 days before its end")
	}
	wider := fingerprint(t, dir, []string{"localhost", "10.0.0.7"}, day0.Add(701*day))
	if wider == renewed {
		t.Error("not renewed for a new host")
	}
	if fingerprint(t, dir, hosts, day0) == wider {
		t.Error("not renewed when it is not valid yet")
	}
	if now, _ := os.ReadFile(filepath.Join(dir, keyFile)); string(now) != string(key) {
		t.Error("the key has changed")
	}
}

// A start that was interrupted between the two files goes on from there.
func TestSelfSignedAfterACrash(t *testing.T) {
	dir := t.TempDir()
	first := fingerprint(t, dir, nil, day0)
	for _, name := range []string{certFile, keyFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		again := fingerprint(t, dir, nil, day0)
		if again == first {
			t.Errorf("the same certificate without %s", name)
		}
		first = again
	}
}

func TestSelfSignedReplacesNothingForeign(t *testing.T) {
	foreign := func(dir string) []byte {
		cert, _, err := SelfSigned(dir, nil, day0)
		if err != nil {
			t.Fatal(err)
		}
		template := *cert.Leaf
		template.RawSubject, template.Subject = nil, pkix.Name{CommonName: "shop.example"}
		key := cert.PrivateKey.(*ecdsa.PrivateKey)
		der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	bad := func(kind, content string) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte(content)})
	}
	for name, test := range map[string]struct {
		file    string
		content func(dir string) []byte
	}{
		"a foreign certificate that has ended": {certFile, foreign},
		"an empty certificate":                 {certFile, func(string) []byte { return nil }},
		"a damaged certificate":                {certFile, func(string) []byte { return bad("CERTIFICATE", "x") }},
		"a chain":                              {certFile, func(dir string) []byte { return append(foreign(dir), foreign(dir)...) }},
		"an empty key":                         {keyFile, func(string) []byte { return []byte("\n") }},
		"a damaged key":                        {keyFile, func(string) []byte { return bad("PRIVATE KEY", "x") }},
		"a key of another kind":                {keyFile, func(string) []byte { return bad("RSA PRIVATE KEY", "x") }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			content := test.content(dir)
			path := filepath.Join(dir, test.file)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err := SelfSigned(dir, nil, day0.Add(3*365*day)); err == nil {
				t.Error("no error")
			}
			if now, _ := os.ReadFile(path); string(now) != string(content) {
				t.Error("the file was replaced")
			}
		})
	}
	if _, _, err := SelfSigned(filepath.Join(t.TempDir(), "missing"), nil, day0); err == nil {
		t.Error("no error without the folder")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, certFile), foreign(dir), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := SelfSigned(dir, nil, day0); err != nil {
		t.Errorf("a foreign certificate that fits its key: %v", err)
	}
}
