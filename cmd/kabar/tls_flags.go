package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"kabar/internal/certs"
	"kabar/internal/web"
)

// tlsFlags say where a program's certificate comes from: files, an authority, or, without any, itself.
type tlsFlags struct {
	TLSCert         string   `name:"tls-cert" help:"File with the certificate and its chain (PEM); a changed one is taken over while running." type:"path" placeholder:"FILE"`
	TLSKey          string   `name:"tls-key" help:"File with the certificate's private key (PEM), readable by its owner only." type:"path" placeholder:"FILE"`
	ACMEDomain      []string `name:"acme-domain" help:"Domain of this server, to have a certificate issued for by ACME; may be repeated." placeholder:"NAME"`
	ACMEEmail       string   `name:"acme-email" help:"Address the certificate authority may write to." placeholder:"ADDRESS"`
	ACMEDirectory   string   `name:"acme-directory" help:"The certificate authority; Let's Encrypt when left out." placeholder:"URL"`
	ACMEAcceptTerms bool     `name:"acme-accept-terms" help:"You have read the terms of the certificate authority, and agree."`
	HSTS            string   `name:"hsts" help:"Strict-Transport-Security: auto sends it where an authority's certificate is used, off never does." default:"auto" enum:"auto,off"`
}

// open checks the flags and opens the certificate of a program with the data folder dir. It is good for hosts and, when it
// is self-signed, for localhost.
func (f *tlsFlags) open(dir string, hosts []string, log *slog.Logger) (*certs.Certs, error) {
	if err := f.check(); err != nil {
		return nil, &usageError{err}
	}
	o := certs.Options{Dir: filepath.Join(dir, "tls"), Hosts: hosts, CertFile: f.TLSCert, KeyFile: f.TLSKey, Log: log}
	if len(f.ACMEDomain) > 0 {
		o.ACME = certs.ACME{Domains: f.domains(), Email: f.ACMEEmail, Directory: f.directory(), AcceptTerms: f.ACMEAcceptTerms}
	}
	return certs.Open(o)
}

// domains are the names that certificates are issued for, in the form that certificates have. The server answers under them.
func (f *tlsFlags) domains() []string {
	out := make([]string, len(f.ACMEDomain))
	for i, domain := range f.ACMEDomain {
		out[i] = strings.TrimSuffix(strings.ToLower(domain), ".")
	}
	return out
}

// hsts puts the header of the same name on the answers of next, unless it is switched off.
func (f *tlsFlags) hsts(c *certs.Certs, next http.Handler) http.Handler {
	if f.HSTS == "off" {
		return next
	}
	return web.HSTS(c.Trusted, next)
}

func (f *tlsFlags) directory() string {
	if f.ACMEDirectory == "" {
		return certs.LetsEncrypt
	}
	return f.ACMEDirectory
}

// check names the first flag that lacks another, or does not fit one.
func (f *tlsFlags) check() error {
	switch {
	case f.TLSCert != "" && f.TLSKey == "":
		return errors.New("--tls-cert needs the private key, too: give --tls-key FILE")
	case f.TLSKey != "" && f.TLSCert == "":
		return errors.New("--tls-key needs the certificate, too: give --tls-cert FILE")
	case f.TLSCert != "" && len(f.ACMEDomain) > 0:
		return errors.New("--tls-cert and --acme-domain are two sources of one certificate: give one of them")
	case len(f.ACMEDomain) > 0:
		return f.checkACME()
	case f.ACMEEmail != "":
		return errors.New("--acme-email is of no use without --acme-domain NAME")
	case f.ACMEDirectory != "":
		return errors.New("--acme-directory is of no use without --acme-domain NAME")
	case f.ACMEAcceptTerms:
		return errors.New("--acme-accept-terms is of no use without --acme-domain NAME")
	}
	return nil
}

func (f *tlsFlags) checkACME() error {
	for _, domain := range f.domains() {
		if err := checkDomain(domain); err != nil {
			return fmt.Errorf("--acme-domain %s: %w", domain, err)
		}
	}
	if a, err := mail.ParseAddress(f.ACMEEmail); f.ACMEEmail != "" && (err != nil || a.Address != f.ACMEEmail) {
		return fmt.Errorf("--acme-email %s: want an address such as ops@shop.example", f.ACMEEmail)
	}
	if err := checkDirectory(f.directory()); err != nil {
		return fmt.Errorf("--acme-directory: %w", err) // the URL can hold a password
	}
	if !f.ACMEAcceptTerms {
		return fmt.Errorf("the authority issues certificates under its terms; %s names them (termsOfService). Read them, and if you agree, give --acme-accept-terms", f.directory())
	}
	return nil
}

// domainForm is a name of the public DNS: labels of letters, digits and hyphens, two of them at least.
var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func checkDomain(domain string) error {
	_, err := netip.ParseAddr(domain)
	switch {
	case err == nil:
		return errors.New("is an address; ACME certificates are for names")
	case strings.Contains(domain, "*"):
		return errors.New("is a wildcard, which needs a challenge by DNS; name each domain, or give files with --tls-cert")
	case len(domain) > 253 || !domainForm.MatchString(domain):
		return errors.New("want a full name in the public DNS such as api.shop.example (other letters in their xn-- form), without port")
	}
	return nil
}

// checkDirectory wants https, but for tests on this machine.
func checkDirectory(directory string) error {
	u, err := url.Parse(directory)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("want a URL such as https://acme.example/directory, without user and password")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("want https: who can change what the authority says can have certificates refused")
	}
	return nil
}

// Limits of connections to a relay, as the default client has them.
const (
	relayHandshake = 10 * time.Second
	relayIdle      = 90 * time.Second
)
