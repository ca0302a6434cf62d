package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// LetsEncrypt is the directory of the best-known authority, whose certificates cost nothing.
const LetsEncrypt = autocert.DefaultACMEDirectory

// acmeSource has an authority issue a certificate for each domain. Only Run asks for one, at its own pace: a handshake must
// not, since anybody can begin one, and authorities count failures. The library renews what it has, by timers of its own.
type acmeSource struct {
	manager  *autocert.Manager
	domains  []string
	fallback *selfSource // until a certificate is there, and for names that are no domain of ours
	log      *slog.Logger
	complain complaints

	mu     sync.Mutex
	issued map[string]*x509.Certificate // by domain
	failed map[string]error             // the last attempt of those that have none
	tries  int                          // in a row that left some domain without a certificate
}

// openACME prepares everything and asks nobody. The end of ctx is the end of every request, the library's renewals among them.
func openACME(ctx context.Context, o Options, cache string) (*acmeSource, error) {
	if !o.ACME.AcceptTerms {
		return nil, errors.New("certificate: the terms of the authority have not been accepted")
	}
	fallback, err := openSelf(o, slices.Concat(o.Hosts, o.ACME.Domains))
	if err != nil {
		return nil, err
	}
	s := &acmeSource{domains: o.ACME.Domains, fallback: fallback, log: o.Log,
		issued: map[string]*x509.Certificate{}, failed: map[string]error{}}
	s.manager = &autocert.Manager{
		Prompt:     s.accept,
		Cache:      autocert.DirCache(cache),
		HostPolicy: autocert.HostWhitelist(o.ACME.Domains...),
		Email:      o.ACME.Email,
		Client:     &acme.Client{DirectoryURL: o.ACME.Directory, HTTPClient: client(ctx, &s.complain), UserAgent: "kabar"},
	}
	for _, domain := range s.domains {
		if leaf := s.cached(ctx, domain, o.Now()); leaf != nil {
			s.issued[domain] = leaf
		}
	}
	return s, nil
}

// accept notes what the operator has agreed to, when an account is made.
func (s *acmeSource) accept(terms string) bool {
	s.log.Info("the terms of the certificate authority are accepted, as configured", "terms", terms)
	return true
}

// cached returns the certificate of an earlier run, if it can still be used.
func (s *acmeSource) cached(ctx context.Context, domain string, now time.Time) *x509.Certificate {
	text, err := s.manager.Cache.Get(ctx, domain)
	if err != nil {
		return nil
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue // the key, which stands first
		}
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err != nil || leaf.VerifyHostname(domain) != nil || now.Before(leaf.NotBefore) || !now.Before(leaf.NotAfter) {
			return nil
		}
		return leaf
	}
	return nil
}

func (s *acmeSource) name() string { return ACMESource }

func (s *acmeSource) certificate(hello *tls.ClientHelloInfo, now time.Time) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return s.manager.GetCertificate(hello) // the authority, with its challenge
	}
	domain := strings.TrimSuffix(strings.ToLower(hello.ServerName), ".")
	s.mu.Lock()
	issued := s.issued[domain] != nil
	s.mu.Unlock()
	if !issued {
		return s.fallback.certificate(hello, now)
	}
	return s.obtain(domain)
}

// obtain returns the certificate of a domain, from memory or the folder, else from the authority.
func (s *acmeSource) obtain(domain string) (*tls.Certificate, error) {
	cert, err := s.manager.GetCertificate(modern(domain))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed[domain] = s.complain.explain(err)
		return nil, s.failed[domain]
	}
	delete(s.failed, domain)
	s.issued[domain] = cert.Leaf
	return cert, nil
}

// modern is the handshake of a client that takes ECDSA. The library looks for that in the cipher suites of TLS 1.2 and would
// have a second certificate, with RSA, issued for every client that speaks TLS 1.3 only.
func modern(domain string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: domain, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
}

func (s *acmeSource) leaves() (all []*x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, domain := range s.domains {
		if leaf := s.issued[domain]; leaf != nil {
			all = append(all, leaf)
		}
	}
	return all
}

func (s *acmeSource) problems() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, domain := range s.domains {
		switch {
		case s.issued[domain] != nil:
		case s.failed[domain] == nil:
			all = append(all, domain+" has no certificate yet: it is being asked for")
		default:
			all = append(all, fmt.Sprintf("%s has no certificate: %v", domain, s.failed[domain]))
		}
	}
	return all
}

func (s *acmeSource) reload(now time.Time) error { return s.fallback.reload(now) }

// Between attempts, so that an authority's limit on failures (five an hour and name, of the best-known one) is rarely
// reached, and the library has forgotten the attempt before.
const (
	firstRetry = 2 * time.Minute
	lastRetry  = time.Hour
)

// refresh asks for what is missing. Once all is there it looks hourly at what the library has renewed.
func (s *acmeSource) refresh(ctx context.Context, now time.Time) time.Duration {
	s.fallback.refresh(ctx, now)
	complete := true
	for _, domain := range s.domains {
		if ctx.Err() != nil {
			return 0
		}
		if _, err := s.obtain(domain); err != nil {
			complete = false
			s.log.Error("no certificate from the authority; it is tried again", "domain", domain, "error", err)
		}
	}
	if complete {
		s.tries = 0
		return lastRetry
	}
	s.tries++
	return min(firstRetry<<min(s.tries-1, 10), lastRetry)
}
