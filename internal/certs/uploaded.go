package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
)

// UploadedSource is the source of a certificate that was handed to the running server.
const UploadedSource = "uploaded"

// Uploaded is a certificate that somebody has handed in, with its key and its chain.
type Uploaded struct{ cert tls.Certificate }

// maxUploaded is how many certificates a bundle may hold.
const maxUploaded = 10

// ParseUploaded reads PEM: a private key without a passphrase, its certificate, and then at least one certificate of who signed
// it, each signed by the next. The errors are for whoever handed it in, and hold nothing of the key.
func ParseUploaded(text []byte, now time.Time) (*Uploaded, error) {
	key, rest := pem.Decode(text)
	switch {
	case key == nil:
		return nil, errors.New("not PEM: send the private key, the certificate and the intermediate certificates, in this order")
	case !strings.HasSuffix(key.Type, "PRIVATE KEY"):
		return nil, fmt.Errorf("begins with a %.40q: the private key comes first", key.Type)
	case key.Type == "ENCRYPTED PRIVATE KEY" || key.Headers["DEK-Info"] != "":
		return nil, errors.New("the private key is protected by a passphrase: send it without")
	}
	chain, err := ParseCertificates(rest, now)
	if err != nil {
		return nil, err
	}
	if len(chain) < 2 {
		return nil, errors.New("one certificate: at least one intermediate certificate must follow it")
	}
	pair, err := tls.X509KeyPair(encode(chain), pem.EncodeToMemory(key))
	if err != nil {
		return nil, fmt.Errorf("the first certificate and the private key do not belong together: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	for i, c := range chain[1:] {
		if !c.IsCA {
			return nil, fmt.Errorf("certificate %d (%s) is no authority's", i+2, c.Subject)
		}
		if err := chain[i].CheckSignatureFrom(c); err != nil {
			return nil, fmt.Errorf("certificate %d is not signed by certificate %d: the order is certificate, its signer, and so on", i+1, i+2)
		}
	}
	pair.Leaf = chain[0]
	return &Uploaded{pair}, nil
}

// ParseCertificates reads a bundle of certificates in PEM, up to ten, all of them valid now.
func ParseCertificates(text []byte, now time.Time) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); len(bytes.TrimSpace(text)) > 0; block, rest = pem.Decode(text) {
		n := len(all) + 1
		switch {
		case block == nil:
			return nil, fmt.Errorf("what stands where certificate %d could begin is not PEM", n)
		case block.Type != "CERTIFICATE":
			return nil, fmt.Errorf("a %.40q stands where certificate %d should", block.Type, n)
		case n > maxUploaded:
			return nil, fmt.Errorf("more than %d certificates", maxUploaded)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d is damaged", n)
		}
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return nil, fmt.Errorf("certificate %d (%s) is valid from %s to %s only", n, c.Subject, c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly))
		}
		all, text = append(all, c), rest
	}
	if len(all) == 0 {
		return nil, errors.New("no certificate")
	}
	return all, nil
}

func encode(chain []*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range chain {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a buffer takes everything
	}
	return b.Bytes()
}

// Use takes an uploaded certificate into use at once, in the place of the one from the source that Open was told of; nil goes
// back to that one. Connections that stand keep what they have.
func (c *Certs) Use(u *Uploaded) {
	c.src.uploaded.Store(u)
	c.warn()
}

// CA returns, in PEM, what a client has to trust to trust this server: the certificates of who signed the one in use, or that
// one itself when it is self-signed; nil while there is none, or none is known.
func (c *Certs) CA() []byte {
	cert, err := c.src.certificate(&tls.ClientHelloInfo{}, c.o.Now())
	if err != nil || cert == nil {
		return nil
	}
	var chain []*x509.Certificate
	for _, der := range cert.Certificate {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			return nil
		}
		chain = append(chain, parsed)
	}
	if len(chain) > 0 && !selfIssued(chain[0]) {
		chain = chain[1:]
	}
	if len(chain) == 0 {
		return nil
	}
	return encode(chain)
}

// either is the source a program was started with, and before it the certificate that was uploaded, if there is one.
type either struct {
	source
	uploaded atomic.Pointer[Uploaded]
}

func (e *either) name() string {
	if e.uploaded.Load() != nil {
		return UploadedSource
	}
	return e.source.name()
}

// certificate answers challenges of an authority from the source: it knows their answers.
func (e *either) certificate(hello *tls.ClientHelloInfo, now time.Time) (*tls.Certificate, error) {
	if u := e.uploaded.Load(); u != nil && !slices.Contains(hello.SupportedProtos, acme.ALPNProto) {
		return &u.cert, nil
	}
	return e.source.certificate(hello, now)
}

func (e *either) leaves() []*x509.Certificate {
	if u := e.uploaded.Load(); u != nil {
		return []*x509.Certificate{u.cert.Leaf}
	}
	return e.source.leaves()
}

func (e *either) problems() []string {
	if e.uploaded.Load() != nil {
		return nil
	}
	return e.source.problems()
}
