package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"kabar/internal/relayproto"
)

// Relay says hello to a relay: name, connection, TLS and WebSocket, up to the relay's first word. It does not log in, so it
// disturbs no device.
func Relay(base string, client *http.Client) Check {
	return Check{"relay", func(ctx context.Context) Result {
		if base == "" {
			return Skipped("not asked: give --relay")
		}
		start := time.Now()
		hello, err := greet(ctx, base, client)
		if err != nil {
			return unreachable(base, err)
		}
		return Fine("%s answers, %s, in %d ms", host(base), hello, time.Since(start).Milliseconds())
	}}
}

// greet returns the protocol that the relay speaks.
func greet(ctx context.Context, base string, client *http.Client) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return "", errors.New("want ws://HOST or wss://HOST")
	}
	ws, _, err := websocket.Dial(ctx, u.JoinPath(relayproto.Path).String(), //nolint:bodyclose // the library says: never close it
		&websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return "", err
	}
	defer func() { _ = ws.CloseNow() }() // it expects a login, and gets none
	ws.SetReadLimit(relayproto.MaxFrame)
	_, text, err := ws.Read(ctx)
	if err != nil {
		return "", fmt.Errorf("it closed the connection without a word: %w", err)
	}
	frame, err := relayproto.Decode(text)
	if err != nil || frame.GetHello() == nil {
		return "", errors.New("it speaks something else than " + relayproto.Protocol)
	}
	return frame.GetHello().GetProtocol(), nil
}

// RelayTime returns what asks a relay for its time: the Date of its answer to /livez, which counts whole seconds.
func RelayTime(base string, client *http.Client) func(ctx context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		u, err := url.Parse(base)
		if err != nil || base == "" {
			return time.Time{}, errors.New("give --relay")
		}
		u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath("livez").String(), http.NoBody)
		if err != nil {
			return time.Time{}, err
		}
		res, err := client.Do(req)
		if err != nil {
			return time.Time{}, plainly(err)
		}
		defer func() { _ = res.Body.Close() }() // nothing of it is wanted
		t, err := http.ParseTime(res.Header.Get("Date"))
		if err != nil {
			return t, errors.New("its answer has no date")
		}
		return t.Add(500 * time.Millisecond), nil // the middle of the second
	}
}

// unreachable says at which step it ended, and what to do about that.
func unreachable(base string, err error) Result {
	name := host(base)
	detail, fix := name+" cannot be reached: "+plainly(err).Error(), ""
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		fix = "getent hosts " + quote(dns.Name) + "; is the name in --relay right?"
	case errors.Is(err, syscall.ECONNREFUSED):
		fix = "start it: kabar relay --data …; or is another port in front of it?"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		fix = "a firewall or a wrong address: nc -vz " + strings.Replace(name, ":", " ", 1)
	case errors.As(err, &authority), errors.As(err, &cert):
		fix = "its certificate is not trusted here: openssl s_client -connect " + quote(name) + "; one of your own authority goes into the system's store"
	case errors.As(err, &record):
		fix = "it does not speak TLS: put a proxy with TLS in front of it, or use ws:// where nobody else can listen"
	default:
		fix = "is it a kabar relay? curl -i " + quote(strings.Replace(base, "ws", "http", 1)+"/livez")
	}
	return Result{Fail, detail, fix}
}

// host returns the host and port of a URL, never what else is in it.
func host(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return "the relay"
	}
	return u.Host
}

// plainly takes the URL out of an error of an HTTP client: it may hold secrets.
func plainly(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
