// Package egress is the only way out to a URL that somebody gave us: webhooks, links to media, pages that are previewed.
//
// Such a URL must not reach what only this machine can reach (server-side request forgery). So every connection is
// judged by the very address it goes to, after names are resolved and right before the packet leaves
// ([net.Dialer.Control]); a name that resolves differently the next time gains nothing. Public addresses are allowed, by
// https, on web and unprivileged ports; other networks, plain http and other ports only where the operator allows the
// network. What is fetched without credentials ([Client.Fetch]) may come by plain http from public addresses, too, as links
// to media and pages do. A connection that is not for HTTP ([Client.DialContext]) is under the rules for https. Redirects are not followed, proxies of the environment not used, answers bounded in size and time.
//
// What this package does not do: it signs nothing, retries nothing, and does not limit how many requests run. Connecting may
// take 5 seconds, and 5 for the TLS handshake, a whole request with its answer ten minutes; callers set shorter bounds by
// the context of the request.
//
// A Client is safe for concurrent use. It keeps idle connections, each of which was judged when it was made.
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// Limits of a connection.
const (
	connectTimeout = 5 * time.Second
	maxHeaderBytes = 64 << 10 // of an answer
	idlePerHost    = 128      // connections kept; a webhook endpoint has at most 64 requests at once, and endpoints may share a host
	idleTimeout    = 90 * time.Second
	justUsed       = time.Millisecond // since a connection was in use, for it not to be asked whether it is silent
	longest        = 10 * time.Minute // for a request and its whole answer, whatever its context allows
)

// ErrTooLarge says that an answer is larger than the caller allows.
var ErrTooLarge error = tooLarge{}

type tooLarge struct{}

// Error says it.
func (tooLarge) Error() string { return "answer too large" }

// Final tells that asking again does not help.
func (tooLarge) Final() bool { return true }

// Policy says where requests may go. Deny goes before Allow, and Allow before the built-in rules.
type Policy struct {
	Allow []netip.Prefix // networks allowed by the operator, with any port and plain http
	Deny  []netip.Prefix // networks denied by the operator
	Own   []netip.Addr   // addresses of this server, denied unless allowed; see OwnAddresses

	RootCAs  *x509.CertPool // nil: those of the system
	Resolver *net.Resolver  // nil: that of the system

	// Transport replaces the network, for tests that have none. Requests are then judged by their URL alone.
	Transport http.RoundTripper
}

// way is how a connection is made. It decides what is asked of the address it leads to.
type way int

const (
	secure way = iota // https
	plain             // http, which needs the operator's leave
	open              // http to fetch what is for everybody
)

// Client makes requests under a policy.
type Client struct {
	policy *atomic.Pointer[Policy]
	by     [open + 1]http.RoundTripper
	leave  func(address string) error // of tests: asked for every address right before a packet leaves; may be nil
}

// New returns a client.
func New(p Policy) *Client {
	c := &Client{policy: new(atomic.Pointer[Policy])}
	c.policy.Store(&p)
	for w := range c.by {
		if c.by[w] = p.Transport; p.Transport == nil {
			c.by[w] = c.transport(way(w))
		}
	}
	return c
}

// SetRules replaces the networks and addresses of the policy while the client is in use; the rest of p is ignored. Requests
// under way end under the rules they began with; connections made before are not used again, those of WithTLS included.
func (c *Client) SetRules(p Policy) {
	next := *c.policy.Load()
	next.Allow, next.Deny, next.Own = p.Allow, p.Deny, p.Own
	c.policy.Store(&next)
	c.CloseIdleConnections()
}

// WithTLS returns a client under the same rules, now and after every SetRules of either, that takes the certificates of these
// authorities by https, and shows one of its own to a server that asks for it. What is nil stays as it is in c. The client has
// connections of its own.
func (c *Client) WithTLS(roots *x509.CertPool, own []tls.Certificate) *Client {
	other := &Client{policy: c.policy, by: c.by, leave: c.leave}
	t, ok := c.by[secure].(*transport)
	if !ok {
		return other
	}
	config := t.tls.Clone()
	if roots != nil {
		config.RootCAs = roots
	}
	if own != nil {
		config.Certificates = own
	}
	other.by[secure] = t.withTLS(config)
	return other
}

// OwnAddresses returns the addresses of this machine's network interfaces, for [Policy.Own].
func OwnAddresses() ([]netip.Addr, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list own addresses: %w", err)
	}
	var own []netip.Addr
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, p.Addr())
		}
	}
	return own, nil
}

// transport makes the transport for one way. Each has its own because a connection is judged by its way, too, and the dialer
// does not know it otherwise.
func (c *Client) transport(w way) *transport {
	base := &transport{dial: c.dialer(w).DialContext, rules: c.policy.Load}
	return base.withTLS(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.policy.Load().RootCAs})
}

// Do sends one request and returns the answer whatever its status; a redirect is an answer, too. What the policy forbids
// is a [*Refused] (found with errors.As), and no packet has left to that address. An answer whose body is longer than
// maxBytes is cut: its Read, or Do itself when the length is announced, returns [ErrTooLarge]. The caller closes the
// body, and reads it to its end if the connection is to be used again. Errors do not repeat the URL.
func (c *Client) Do(req *http.Request, maxBytes int64) (*http.Response, error) {
	return c.do(req, maxBytes, plain)
}

// Fetch is [Client.Do] for what is there for everybody: plain http reaches public addresses, too, unless the request brings
// credentials.
func (c *Client) Fetch(req *http.Request, maxBytes int64) (*http.Response, error) {
	if req.Header.Get("Authorization") != "" {
		return c.do(req, maxBytes, plain)
	}
	return c.do(req, maxBytes, open)
}

// do sends a request; http says which way one of that scheme goes.
func (c *Client) do(req *http.Request, maxBytes int64, http way) (*http.Response, error) {
	w := secure
	if req.URL.Scheme == "http" {
		w = http
	}
	if err := c.check(req.URL, w); err != nil {
		return nil, closeBody(req, err)
	}
	if req.Host != "" && req.Host != req.URL.Host {
		return nil, closeBody(req, &Refused{Host: req.URL.Hostname(), Reason: "Host header of another host"})
	}
	req, cancel := bounded(req)
	res, err := c.by[w].RoundTrip(req)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("request to %s: %w", req.URL.Host, nowhere(err))
	}
	if res.ContentLength > maxBytes {
		cancel()
		return nil, errors.Join(ErrTooLarge, res.Body.Close())
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: maxBytes, end: cancel}
	return res, nil
}

// bounded is the request with an end, as it is if it has one that is sooner.
func bounded(req *http.Request) (*http.Request, context.CancelFunc) {
	ctx := req.Context()
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= longest {
		return req, func() {} // whoever has set the end lets go of it
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	return req.WithContext(ctx), cancel
}

// noHost says that a name leads to no address. Asking again does not help, unlike when no name server answers.
type noHost struct{ error }

func (noHost) Final() bool { return true }

func (e noHost) Unwrap() error { return e.error }

// nowhere marks the error of a name that leads to no address.
func nowhere(err error) error {
	if lookup, ok := errors.AsType[*net.DNSError](err); ok && lookup.IsNotFound {
		return noHost{err}
	}
	return err
}

// closeBody closes the body of a request that is not sent, as a RoundTripper would.
func closeBody(req *http.Request, err error) error {
	if req.Body == nil {
		return err
	}
	return errors.Join(err, req.Body.Close())
}

// CloseIdleConnections closes the connections that no request uses.
func (c *Client) CloseIdleConnections() {
	for _, via := range c.by {
		if t, ok := via.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
}

// boundedBody is a body that may have so many bytes and no more.
type boundedBody struct {
	io.ReadCloser
	left int64 // bytes that may still come; negative: too many came
	end  func()
}

// Close ends the request as well.
func (b *boundedBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p))-1 > b.left { // one more, to tell an end from an excess
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}
