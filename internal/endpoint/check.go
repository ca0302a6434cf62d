package endpoint

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kabar"
	"kabar/internal/signature"
)

// Limits of what can be configured of an endpoint.
const (
	maxEndpointURL     = 2048 // characters
	maxEndpointHeaders = 20
	maxEndpointHeader  = 4096 // bytes of a value
	maxEndpointText    = 256  // characters of a description
	maxEndpointTimeout = 30 * time.Second
	minEndpointTimeout = time.Second
	maxConcurrency     = 64
	maxEndpointBatch   = 1000
)

// check refuses what cannot be configured. was is the URL that it had: another one is judged, and has to prove itself.
func (es *Endpoints) check(ctx context.Context, d kabar.Dialect, c *kabar.EndpointConfig, was string) error {
	switch d {
	case kabar.OnPrem, kabar.Cloud, kabar.Kabar:
	default:
		return kabar.Refuse(kabar.ReasonInvalid, "dialect", "%q is unknown; there are kabar, cloud and onprem", string(d))
	}
	if err := checkConfig(c); err != nil {
		return err
	}
	if c.URL == "" && c.Origin == kabar.FromAPI {
		return kabar.Refuse(kabar.ReasonMissing, "url", "say where the events go, such as https://app.example/hook")
	}
	for field, u := range map[string]string{"url": c.URL, "notify_url": c.Notify} {
		if u == "" {
			continue
		}
		if err := es.o.CheckURL(u); err != nil {
			return kabar.Refuse(kabar.ReasonInvalid, field, "%s", err.Error())
		}
	}
	for _, s := range c.Secrets {
		if err := signature.Check(s.Value); err != nil {
			return kabar.Refuse(kabar.ReasonInvalid, "secret", "%s", err.Error())
		}
	}
	if d != kabar.Cloud || c.URL == was || es.o.Prove == nil || c.Origin != kabar.FromAPI {
		return nil
	}
	c.Token = cmp.Or(c.Token, signature.New()[len("whsec_"):])
	return es.o.Prove(ctx, c.URL, c.Token)
}

// Reachable refuses an endpoint to whose URL nothing may be sent: it has none yet, or the operator's rules are other ones than when it was set.
func (es *Endpoints) Reachable(e *kabar.Endpoint) error {
	if e.URL == "" {
		return kabar.Refuse(kabar.ReasonEndpointState, "url", "is not set yet: there is nothing to send to")
	}
	if err := es.o.CheckURL(e.URL); err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, "url", "%s", err.Error())
	}
	return nil
}

// checkConfig refuses what cannot be configured, whatever the URLs lead to.
func checkConfig(c *kabar.EndpointConfig) error {
	switch {
	case utf8.RuneCountInString(c.URL) > maxEndpointURL:
		return kabar.Refuse(kabar.ReasonInvalid, "url", "has more than %d characters", maxEndpointURL)
	case utf8.RuneCountInString(c.Notify) > maxEndpointURL:
		return kabar.Refuse(kabar.ReasonInvalid, "notify_url", "has more than %d characters", maxEndpointURL)
	case utf8.RuneCountInString(c.Description) > maxEndpointText:
		return kabar.Refuse(kabar.ReasonInvalid, "description", "has more than %d characters", maxEndpointText)
	case c.Timeout != 0 && (c.Timeout < minEndpointTimeout || c.Timeout > maxEndpointTimeout):
		return kabar.Refuse(kabar.ReasonInvalid, "timeout_seconds", "may be 1 to %d, or 0 for what the dialect has", int(maxEndpointTimeout.Seconds()))
	case c.Concurrency < 0 || c.Concurrency > maxConcurrency:
		return kabar.Refuse(kabar.ReasonInvalid, "concurrency", "may be 1 to %d, or 0 for what the number has", maxConcurrency)
	case c.Batch < 0 || c.Batch > maxEndpointBatch:
		return kabar.Refuse(kabar.ReasonInvalid, "batch", "may be 1 to %d, or 0 for what the dialect has", maxEndpointBatch)
	}
	if err := c.Filter.Check(); err != nil {
		return err
	}
	if err := checkHeaders(c.Headers); err != nil {
		return err
	}
	return checkCertificates(c)
}

// tidy has a filter name customers as events do, each once, or refuses what is no customer.
func (es *Endpoints) tidy(f *kabar.EventFilter) error {
	if err := f.Check(); err != nil {
		return err
	}
	var all []string
	seen := map[string]bool{}
	for _, written := range f.Customers {
		c, err := es.o.Customer(written)
		if err != nil {
			return kabar.Refuse(kabar.ReasonInvalid, "customers", "%.40q is neither a wa_id, which is a phone number with its country code, nor a user id", written)
		}
		if id := c.Handle(); !seen[id] {
			seen[id] = true
			all = append(all, id)
		}
	}
	f.Customers = all
	return nil
}

// ownHeaders are those that are not an endpoint's to set: Kabar's, and those of the connection.
func ownHeaders() []string {
	return []string{"Content-Type", "Content-Length", "User-Agent", "Transfer-Encoding", "Host", "Connection", "Upgrade", "Te", "Trailer", "Keep-Alive", "Proxy-Connection",
		"Expect", "X-Hub-Signature", "X-Hub-Signature-256", "Idempotency-Key"}
}

func checkHeaders(headers map[string]string) error {
	if len(headers) > maxEndpointHeaders {
		return kabar.Refuse(kabar.ReasonInvalid, "headers", "there may be %d of them", maxEndpointHeaders)
	}
	known := map[string]bool{}
	for name, value := range headers {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case known[canonical]:
			return kabar.Refuse(kabar.ReasonInvalid, "headers", "%s is there twice, in two spellings", canonical)
		case name == "" || strings.ContainsFunc(name, notOfToken):
			return kabar.Refuse(kabar.ReasonInvalid, "headers", "%q is no name of a header", name)
		case slices.Contains(ownHeaders(), canonical) || strings.HasPrefix(canonical, "Webhook-") || strings.HasPrefix(canonical, "Kabar-"):
			return kabar.Refuse(kabar.ReasonInvalid, "headers", "%s is set by Kabar itself", canonical)
		case len(value) > maxEndpointHeader || strings.ContainsFunc(value, notOfValue):
			return kabar.Refuse(kabar.ReasonInvalid, "headers", "the value of %s has more than %d bytes, or characters that a header cannot have", canonical, maxEndpointHeader)
		}
		known[canonical] = true
	}
	return nil
}

// notOfToken tells what a name of a header cannot have (RFC 9110, section 5.6.2).
func notOfToken(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

func notOfValue(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func checkCertificates(c *kabar.EndpointConfig) error {
	if (c.Certificate == "") != (c.CertificateKey == "") {
		return kabar.Refuse(kabar.ReasonInvalid, "certificate", "a client certificate needs its certificate_key, and the other way round")
	}
	if c.Certificate != "" {
		if _, err := tls.X509KeyPair([]byte(c.Certificate), []byte(c.CertificateKey)); err != nil {
			return kabar.Refuse(kabar.ReasonInvalid, "certificate", "certificate and certificate_key are not a certificate in PEM with its key")
		}
	}
	if u, err := url.Parse(c.URL); c.Certificate != "" && err == nil && u.Scheme != "https" && u.Scheme != "http" {
		return kabar.Refuse(kabar.ReasonInvalid, "certificate", "is for https: what is behind %s:// knows no client certificates of ours", u.Scheme)
	}
	if c.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(c.CA)) {
		return kabar.Refuse(kabar.ReasonInvalid, "ca", "holds no certificate in PEM")
	}
	return nil
}
