// Package certs gives a server its TLS certificate, from one of three sources: a self-signed one that it makes and renews
// itself, files of the operator's that it reads anew when they change, or an authority that speaks ACME (RFC 8555). One that is
// handed to the running program ([Certs.Use]) comes before them.
//
// A [Certs] is open from start to end of a program. Its [tls.Config] answers each handshake with the certificate of that
// moment, so nothing is restarted for a new one. [Certs.Run] does what must not wait for a handshake: it asks the authority,
// renews, and says in the log what is about to go wrong.
//
// What this package does not do: it listens nowhere (the challenges of ACME arrive on the server's own listeners), knows
// no route, and sets no header. Certificates live in real time: the clock that a test of the product shifts is not theirs.
//
// Everything here is safe for concurrent use. Sources: RFC 8555, RFC 8737 (tls-alpn-01), RFC 6125 through crypto/x509.
package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
)

// Options say where the certificate comes from. At most one of CertFile and ACME.Domains is given; with neither it is
// self-signed.
type Options struct {
	Dir      string   // folder for what is made here, mode 0700; made when it is missing
	Hosts    []string // names and addresses the server is reached under, beside localhost
	CertFile string   // PEM: the certificate, then the chain that is sent with it
	KeyFile  string   // PEM: its private key, without a passphrase
	ACME     ACME
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now
}

// ACME says who issues the certificates, and for what.
type ACME struct {
	Domains     []string // names of this server in the public DNS, each with a certificate of its own
	Email       string   // where the authority writes to; may be empty
	Directory   string   // URL of the authority, whose own certificate the system must trust
	AcceptTerms bool     // the operator has agreed to the authority's terms; without it nothing is asked
}

// The sources of a certificate, as [Info] names them.
const (
	SelfSignedSource = "self-signed"
	FileSource       = "file"
	ACMESource       = "acme"
)

// source is one of the three.
type source interface {
	name() string
	// certificate answers a handshake.
	certificate(hello *tls.ClientHelloInfo, now time.Time) (*tls.Certificate, error)
	// leaves are the certificates in use, one or, for ACME, one a domain that has one by now.
	leaves() []*x509.Certificate
	// reload looks at the files again, at once and whether or not they seem to have changed.
	reload(now time.Time) error
	// refresh does what is due and returns in how long to come back. It logs its own failures.
	refresh(ctx context.Context, now time.Time) time.Duration
	// problems are those that leaves do not show. The source has logged them.
	problems() []string
}

// Certs is a server's certificate.
type Certs struct {
	o    Options
	src  either
	stop context.CancelFunc // ends every request to an authority

	mu     sync.Mutex           // guards warned
	warned map[string]time.Time // when a problem was logged last
}

// Open prepares the source. Files of the operator's must be there and fit each other; what is merely wrong with the
// certificate (its dates, its names) is logged and does not keep a server from starting. ACME asks nobody before
// [Certs.Run]; until then, and for names that are not its domains, a self-signed certificate answers.
func Open(o Options) (*Certs, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CertFile != "" && len(o.ACME.Domains) > 0 {
		return nil, errors.New("certificate: from files or by ACME, not both")
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Certs{o: o, stop: stop, warned: map[string]time.Time{}}
	var err error
	switch {
	case o.CertFile != "":
		c.src.source, err = openFiles(o)
	case len(o.ACME.Domains) > 0:
		c.src.source, err = openACME(ctx, o, filepath.Join(o.Dir, "acme"))
	default:
		c.src.source, err = openSelf(o, o.Hosts)
	}
	if err != nil {
		stop()
		return nil, err
	}
	c.warn()
	return c, nil
}

// TLS returns a configuration for a server: TLS 1.2 or later, HTTP/2 and HTTP/1.1, and the challenges of ACME where they
// are used. It may be changed; the certificate stays this one.
func (c *Certs) TLS() *tls.Config {
	config := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return c.src.certificate(h, c.o.Now()) },
	}
	if c.src.source.name() == ACMESource {
		config.NextProtos = append(config.NextProtos, acme.ALPNProto)
	}
	return config
}

// Handler answers the authority's http-01 challenges and passes everything else on to fallback. It is for port 80, in plain
// HTTP; once it has been asked for, http-01 is tried where tls-alpn-01 fails, so ask for it before Run, and only if that
// port is listened on. Without ACME it is fallback itself.
func (c *Certs) Handler(fallback http.Handler) http.Handler {
	if a, ok := c.src.source.(*acmeSource); ok {
		return a.manager.HTTPHandler(fallback)
	}
	return fallback
}

// Reload reads files again that may have changed, at once: when the operator asks for it. An error means that the
// certificate stays what it was. Of ACME it renews nothing.
func (c *Certs) Reload() error {
	err := c.src.reload(c.o.Now())
	c.warn()
	return err
}

// Run keeps the certificate fresh until ctx ends, and returns nil then: it has ACME certificates issued and renewed, renews
// a self-signed one, notices changed files although nobody connects, and logs once a day what is wrong. Requests to the
// authority end with ctx, for good. It runs once.
func (c *Certs) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, c.stop)()
	for {
		wait := c.src.refresh(ctx, c.o.Now())
		c.warn()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// Trusted says whether the certificate in use is signed by somebody else than itself: presumably by an authority that
// clients know. With ACME it is true once a certificate has been issued.
func (c *Certs) Trusted() bool {
	leaves := c.src.leaves()
	return len(leaves) > 0 && !slices.ContainsFunc(leaves, selfIssued)
}

func selfIssued(leaf *x509.Certificate) bool { return bytes.Equal(leaf.RawIssuer, leaf.RawSubject) }

// warn logs what is wrong with the certificate in use, each fault once a day.
func (c *Certs) warn() {
	now := c.o.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, problem := range c.faults(now) {
		if last, ok := c.warned[problem]; !ok || now.Sub(last) >= 24*time.Hour {
			c.warned[problem] = now
			c.o.Log.Warn("certificate", "source", c.src.name(), "problem", problem)
		}
	}
}
