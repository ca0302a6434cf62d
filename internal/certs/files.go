package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"kabar/internal/secrets"
)

const (
	checkEvery = 5 * time.Second // at most, a handshake looks whether the files have changed
	tick       = 2 * time.Second // a file that was written within it may be written again without a trace in its times
	maxChain   = 1 << 20         // bytes of a certificate file
)

// fileSource is a pair of files of the operator's. A handshake never waits for another one that looks at them.
type fileSource struct {
	certFile, keyFile string
	log               *slog.Logger
	cert              atomic.Pointer[tls.Certificate]

	mu      sync.Mutex // guards what follows
	checked time.Time
	seen    stamp
	failure string // of the last attempt, which has been logged; empty when it went well
}

func openFiles(o Options) (*fileSource, error) {
	s := &fileSource{certFile: o.CertFile, keyFile: o.KeyFile, log: o.Log}
	return s, s.reload(o.Now())
}

func (s *fileSource) name() string { return FileSource }

func (s *fileSource) leaves() []*x509.Certificate { return []*x509.Certificate{s.cert.Load().Leaf} }

func (s *fileSource) certificate(_ *tls.ClientHelloInfo, now time.Time) (*tls.Certificate, error) {
	if s.mu.TryLock() {
		s.check(now)
		s.mu.Unlock()
	}
	return s.cert.Load(), nil
}

func (s *fileSource) refresh(_ context.Context, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.check(now)
	return time.Minute
}

func (s *fileSource) reload(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.load(now, look(s.certFile, s.keyFile, now))
}

func (s *fileSource) problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == "" {
		return nil
	}
	return []string{"the files have changed and cannot be used, so the old certificate stays: " + s.failure}
}

// check loads the files when they have changed since they were looked at. A failure is logged once.
func (s *fileSource) check(now time.Time) {
	if since := now.Sub(s.checked); since >= 0 && since < checkEvery {
		return
	}
	s.checked = now
	seen, before := look(s.certFile, s.keyFile, now), s.failure
	if seen.same(s.seen) {
		return
	}
	if err := s.load(now, seen); err != nil && s.failure != before {
		s.log.Error("the changed certificate cannot be used; the old one stays", "error", err)
	}
}

// load takes the files into use, if they fit. What is remembered of them is from before they were read, so a change in
// between is noticed next time.
func (s *fileSource) load(now time.Time, seen stamp) error {
	s.checked, s.seen, s.failure = now, seen, ""
	cert, err := readPair(s.certFile, s.keyFile)
	if err != nil {
		s.failure = err.Error()
		return fmt.Errorf("certificate: %w", err)
	}
	old := s.cert.Swap(&cert)
	if old != nil && !bytes.Equal(old.Certificate[0], cert.Certificate[0]) {
		s.log.Info("a new certificate is in use", "sha256", Fingerprint(cert.Leaf), "not_after", cert.Leaf.NotAfter)
	}
	return nil
}

// stamp is what tells that files have changed, without reading them. Links are followed: a link that points elsewhere
// is a change.
type stamp struct {
	files   [2]os.FileInfo // nil: missing
	settled bool           // all were written a while before
}

func look(certFile, keyFile string, now time.Time) stamp {
	s := stamp{settled: true}
	for i, path := range []string{certFile, keyFile} {
		info, err := os.Stat(path)
		if err == nil {
			s.files[i] = info
			s.settled = s.settled && now.Sub(info.ModTime()) > tick
		}
	}
	return s
}

// same says whether the files are surely those that an earlier stamp was taken of.
func (s stamp) same(earlier stamp) bool {
	for i, f := range s.files {
		e := earlier.files[i]
		if (f == nil) != (e == nil) {
			return false
		}
		if f != nil && (!os.SameFile(f, e) || f.Size() != e.Size() || f.Mode() != e.Mode() || !f.ModTime().Equal(e.ModTime())) {
			return false
		}
	}
	return earlier.settled
}

// readPair reads a certificate with its chain, and the key that belongs to it.
func readPair(certFile, keyFile string) (tls.Certificate, error) {
	chain, err := readChain(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := secrets.ReadPrivate(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	if block, _ := pem.Decode([]byte(key)); block != nil && (block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "") {
		return tls.Certificate{}, fmt.Errorf("%s is protected by a passphrase, and a server has nobody to ask; openssl pkey writes it without", keyFile)
	}
	cert, err := tls.X509KeyPair(chain, []byte(key))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("%s and %s: %w%s", certFile, keyFile, err, advice(chain, []byte(key)))
	}
	return cert, nil
}

func readChain(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	chain, err := io.ReadAll(io.LimitReader(f, maxChain+1))
	if err == nil && len(chain) > maxChain {
		err = errors.New("more than 1 MiB: not a certificate")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return chain, nil
}

// advice is for a file that holds its chain in the wrong order.
func advice(chain, key []byte) string {
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		if _, err := tls.X509KeyPair(pem.EncodeToMemory(block), key); err == nil {
			return "; the certificate of this key must stand first in its file, the chain after it"
		}
	}
	return ""
}
