// Package egress is the only way out to a URL that somebody gave us: webhooks, links to media.
//
// Such a URL must not reach what only this machine can reach (server-side request forgery). So every connection is
// judged by the very address it goes to, after names are resolved and right before the packet leaves
// ([net.Dialer.Control]); a name that resolves differently the next time gains nothing. Public addresses are allowed, by
// https, on web and unprivileged ports; other networks, plain http and other ports only where the operator allows the
// network. Redirects are not followed, proxies of the environment not used, answers bounded in size.
//
// What this package does not do: it signs nothing, retries nothing, and does not limit how many requests run. Time is
// bounded by the context of the request; the package bounds connecting alone (5 seconds, and 5 for the TLS handshake).
//
// A Client is safe for concurrent use. It keeps idle connections, each of which was judged when it was made.
package egress

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// Limits of a connection.
const (
	connectTimeout = 5 * time.Second
	maxHeaderBytes = 64 << 10 // of an answer
	idlePerHost    = 32       // connections kept; a webhook endpoint has at most 24 requests at once
	idleTimeout    = 90 * time.Second
)

// ErrTooLarge says that an answer is larger than the caller allows.
var ErrTooLarge = errors.New("answer too large")

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

// Client makes requests under a policy.
type Client struct {
	policy        atomic.Pointer[Policy]
	plain, secure http.RoundTripper
}

// New returns a client.
func New(p Policy) *Client {
	c := &Client{plain: p.Transport, secure: p.Transport}
	c.policy.Store(&p)
	if p.Transport == nil {
		c.plain, c.secure = c.transport(true), c.transport(false)
	}
	return c
}

// SetRules replaces the networks and addresses of the policy while the client is in use; the rest of p is ignored. Requests
// under way end under the rules they began with, connections that are idle are closed.
func (c *Client) SetRules(p Policy) {
	next := *c.policy.Load()
	next.Allow, next.Deny, next.Own = p.Allow, p.Deny, p.Own
	c.policy.Store(&next)
	c.CloseIdleConnections()
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

// transport makes the transport for one scheme. They are two because a connection is judged by its scheme, too, and the
// dialer does not know it otherwise.
func (c *Client) transport(plain bool) *http.Transport {
	policy := c.policy.Load()
	dialer := &net.Dialer{
		Timeout:  connectTimeout,
		Resolver: policy.Resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			return c.control(address, plain)
		},
	}
	return &http.Transport{
		Proxy:                  nil, // none, also not from the environment
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: policy.RootCAs},
		TLSHandshakeTimeout:    connectTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true, // bytes are counted as they come
	}
}

// control judges the address of a connection about to be made.
func (c *Client) control(address string, plain bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refused{Host: address, Reason: "not an address"}
	}
	if why := c.policy.Load().judge(ap.Addr(), ap.Port(), plain); why != "" {
		return &Refused{Host: ap.Addr().String(), Reason: why}
	}
	return nil
}

// Do sends one request and returns the answer whatever its status; a redirect is an answer, too. What the policy forbids
// is a [*Refused] (found with errors.As), and no packet has left to that address. An answer whose body is longer than
// maxBytes is cut: its Read, or Do itself when the length is announced, returns [ErrTooLarge]. The caller closes the
// body, and reads it to its end if the connection is to be used again. Errors do not repeat the URL.
func (c *Client) Do(req *http.Request, maxBytes int64) (*http.Response, error) {
	if err := c.check(req.URL); err != nil {
		return nil, closeBody(req, err)
	}
	if req.Host != "" && req.Host != req.URL.Host {
		return nil, closeBody(req, &Refused{Host: req.URL.Hostname(), Reason: "Host header of another host"})
	}
	via := c.secure
	if req.URL.Scheme == "http" {
		via = c.plain
	}
	res, err := via.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("request to %s: %w", req.URL.Host, err)
	}
	if res.ContentLength > maxBytes {
		return nil, errors.Join(ErrTooLarge, res.Body.Close())
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: maxBytes}
	return res, nil
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
	for _, via := range []http.RoundTripper{c.plain, c.secure} {
		if t, ok := via.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
}

// boundedBody is a body that may have so many bytes and no more.
type boundedBody struct {
	io.ReadCloser
	left int64 // bytes that may still come; negative: too many came
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
