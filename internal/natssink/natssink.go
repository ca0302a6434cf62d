// Package natssink publishes events to a stream of NATS JetStream: at least once, under the ids of webhooks.
//
// The subject of an event is the prefix in the path of the URL and the event's topic, so a stream that is to have them takes "kabar.>", say;
// somebody has to create it. The message has the headers of a webhook, in lower case, since case counts in NATS, and Nats-Msg-Id, which
// is the webhook-id: what is published again within the stream's window (duplicate_window, two minutes unless the operator says otherwise) is
// kept once. Who reads a stream days later verifies signatures without looking at their time.
//
// A NATS server confirms before its file is synchronised, unless its configuration says sync_interval: always. That is the operator's to choose:
// with the default a power cut may take what was confirmed; replicas are the other answer.
//
// What this package does not do: it creates no streams, tries nothing again, and sees to no order; see package sink. Of a cluster it learns the
// other servers, and reaches each by the dialer that it was given.
package natssink

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Limits of a connection.
const (
	connectTimeout = 5 * time.Second  // to connect, and again to be admitted
	publishTimeout = 15 * time.Second // for an acknowledgement, if the caller's context allows it
	reconnectWait  = time.Second      // between attempts, with a tenth of chance
	pingInterval   = 10 * time.Second // so a silent connection is given up within half a minute
)

// Options say where events go, and by which way.
type Options struct {
	// URL is nats:// or tls://, perhaps a user with password or a token and @, host, perhaps a port (4222), perhaps a path, which is the
	// prefix of subjects (kabar). By nats:// nothing is encrypted unless the server asks for it. [Check] says what is wrong with one.
	URL string
	// Dial makes connections: that of package egress, since somebody gave us the URL.
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	RootCAs *x509.CertPool // nil: those of the system
	Name    string         // by which the server's operator sees us
}

// Sink publishes over one connection, which it makes again when it breaks. It is safe for concurrent use.
type Sink struct {
	at     address
	dialer *dialer
	conn   *nats.Conn
	stream jetstream.JetStream
	line   atomic.Pointer[line]
	end    context.CancelFunc // of the dialer's life
}

// line is the life of one connection. It ends when that breaks, and whoever waits for an acknowledgement on it need not wait longer.
type line struct {
	context.Context
	end context.CancelFunc
}

// Open connects. The connection has to be closed by [Sink.Close]. It takes ten seconds at most, and five at most after ctx has ended.
func Open(ctx context.Context, o Options) (*Sink, error) {
	at, err := parse(o.URL)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	s := &Sink{at: at, dialer: &dialer{dial: o.Dial, life: life}, end: end}
	s.begin(nil)
	given := context.AfterFunc(ctx, end)
	s.conn, err = s.options(o).Connect()
	if !given() {
		err = cmp.Or(ctx.Err(), err)
	}
	if err != nil {
		_ = s.Close() // it does not fail
		return nil, s.whyNotConnected(err)
	}
	if s.stream, err = jetstream.New(s.conn); err != nil {
		_ = s.Close() // as above
		return nil, fmt.Errorf("nats: %w", err)
	}
	return s, nil
}

func (s *Sink) options(o Options) nats.Options {
	c := nats.GetDefaultOptions()
	c.Servers = []string{s.at.scheme + "://" + s.at.host}
	c.Name = o.Name
	c.User, c.Password, c.Token = s.at.user, s.at.password, s.at.token
	c.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs}
	c.CustomDialer = s.dialer
	c.SkipHostLookup = true // the dialer resolves names, and judges what they resolve to
	c.Timeout = connectTimeout
	c.MaxReconnect = -1 // for ever: how long events wait is the caller's to decide
	c.ReconnectWait, c.ReconnectJitter, c.ReconnectJitterTLS = reconnectWait, reconnectWait/10, reconnectWait/10
	c.ReconnectBufSize = -1       // what is published without a connection fails, and is not kept for later
	c.IgnoreAuthErrorAbort = true // a password may be set right again
	c.DisconnectedErrCB = func(*nats.Conn, error) { s.line.Load().end() }
	c.ReconnectedCB = s.begin
	c.PingInterval = pingInterval
	c.NoEcho = true
	c.AsyncErrorCB = func(*nats.Conn, *nats.Subscription, error) {} // whoever publishes hears of it; the default prints it
	return c
}

// begin puts a new line in the place of one that has ended.
func (s *Sink) begin(*nats.Conn) {
	ctx, end := context.WithCancel(context.Background())
	s.line.Store(&line{ctx, end})
}

// Close ends the connection. What is being published fails.
func (s *Sink) Close() error {
	s.end()
	if s.conn != nil { // it has connected
		s.conn.Close()
	}
	return nil
}

// whyNotConnected says in a sentence why there is no connection.
func (s *Sink) whyNotConnected(err error) error {
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return fmt.Errorf("nats: %s does not admit this user, password or token: %w", s.at.host, err)
	case errors.Is(err, nats.ErrSecureConnWanted):
		return fmt.Errorf("nats: %s does not speak TLS, so it is nats:// and not tls://: %w", s.at.host, err)
	}
	if failed := s.dialer.failed.Load(); failed != nil && *failed != nil { // the client says no more than that there is no server
		err = *failed
	}
	return fmt.Errorf("nats: no connection to %s: %w", s.at.host, err)
}

// dialer is the caller's way to connect, as the client wants it. It remembers what became of the last attempt.
type dialer struct {
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	life   context.Context // that of the Sink: the client has none for it
	failed atomic.Pointer[error]
}

// Dial implements nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.life, connectTimeout)
	defer cancel()
	conn, err := d.dial(ctx, network, address)
	d.failed.Store(&err)
	return conn, err
}
