package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// selfSource is the certificate that [SelfSigned] keeps.
type selfSource struct {
	dir   string
	hosts []string
	log   *slog.Logger
	cert  atomic.Pointer[tls.Certificate]
}

// localHosts are names that every server has.
func localHosts() []string { return []string{"localhost", "127.0.0.1", "::1"} }

func openSelf(o Options, hosts []string) (*selfSource, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	s := &selfSource{dir: o.Dir, hosts: append(localHosts(), hosts...), log: o.Log}
	return s, s.reload(o.Now())
}

func (s *selfSource) name() string { return SelfSignedSource }

func (s *selfSource) certificate(*tls.ClientHelloInfo, time.Time) (*tls.Certificate, error) {
	return s.cert.Load(), nil
}

func (s *selfSource) leaves() []*x509.Certificate { return []*x509.Certificate{s.cert.Load().Leaf} }

func (s *selfSource) problems() []string { return nil }

// reload renews the certificate when it is time to, and takes it from its files otherwise.
func (s *selfSource) reload(now time.Time) error {
	cert, _, err := SelfSigned(s.dir, s.hosts, now)
	if err == nil {
		s.cert.Store(&cert)
	}
	return err
}

func (s *selfSource) refresh(_ context.Context, now time.Time) time.Duration {
	if err := s.reload(now); err != nil {
		s.log.Error("the certificate could not be renewed; the old one stays", "error", err)
	}
	return 12 * time.Hour
}
