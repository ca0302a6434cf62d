package egress

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"kabar/internal/patience"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// watched is a listener that counts the connections that reach it.
func watched(t *testing.T, network, address string) (port string, count *atomic.Int32) {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Logf("CANNOT LISTEN ON %s %s, that part is not tried: %v", network, address, err)
		return "1", new(atomic.Int32)
	}
	count = new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			c.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	_, port, _ = net.SplitHostPort(ln.Addr().String())
	return port, count
}

// However the loopback address is written or hidden, no packet reaches a listener there.
func TestNoPacketArrives(t *testing.T) {
	port4, count4 := watched(t, "tcp4", "127.0.0.1:0")
	port6, count6 := watched(t, "tcp6", "[::1]:0")
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()
	var asked atomic.Int32
	resolver := fakeResolver(func(name string) []netip.Addr {
		asked.Add(1)
		return map[string][]netip.Addr{
			"v4.test.": {v4}, "v6.test.": {v6}, "both.test.": {v4, v6}, "alias.test.": {v4, v6}, "mapped.test.": {netip.AddrFrom16(v4.As16())},
			"zero.test.": {netip.IPv4Unspecified(), netip.IPv6Unspecified()},
		}[name]
	})
	hosts := strings.Fields(`127.0.0.1 localhost localhost. LOCALHOST x.localhost 0.0.0.0 0 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1
		127.0.0.1. [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [64:ff9b::127.0.0.1] [2002:7f00:1::1]
		v4.test v6.test both.test alias.test mapped.test zero.test v4.test.`)
	for _, c := range []*Client{
		New(Policy{Resolver: resolver}),
		New(Policy{Resolver: resolver, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}),
		New(Policy{Resolver: resolver, Allow: loopback, Deny: append([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/8")}, loopback...)}),
	} {
		for _, host := range hosts {
			for _, url := range []string{"http://" + host + ":" + port4, "https://" + host + ":" + port4, "http://" + host + ":" + port6} {
				if err := get(c, url); err == nil {
					t.Errorf("%s was answered", url)
				}
			}
		}
	}
	if n := count4.Load() + count6.Load(); n != 0 {
		t.Errorf("%d connections arrived", n)
	}
	if asked.Load() == 0 {
		t.Error("no name was resolved: the test tests nothing")
	}
	if err := get(New(Policy{Resolver: resolver, Allow: loopback}), "http://v4.test:"+port4); err == nil || count4.Load() != 1 {
		t.Errorf("the listener does not listen: %v, %d connections", err, count4.Load())
	}
}

// A name that was harmless when it was checked is judged again when it is dialled.
func TestRebinding(t *testing.T) {
	port, count := watched(t, "tcp4", "127.0.0.1:0")
	answer := netip.MustParseAddr("8.8.8.8")
	c := New(Policy{Resolver: fakeResolver(func(string) []netip.Addr { return []netip.Addr{answer} })})
	url := "https://rebind.test:" + port + "/"
	if err := c.CheckURL(url); err != nil {
		t.Fatal(err)
	}
	answer = netip.MustParseAddr("127.0.0.1")
	isRefused(t, "after the name moved", get(c, url))
	if count.Load() != 0 {
		t.Error("a connection arrived")
	}
}

func TestLoopbackByPolicy(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Method, " ", r.URL.Path)
	}))
	defer srv.Close()
	c := New(Policy{Allow: loopback})
	defer c.CloseIdleConnections()
	for range 2 {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/hook", strings.NewReader("x"))
		res, err := c.Do(req, 100)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || string(body) != "POST /hook" || res.StatusCode != 200 {
			t.Errorf("%d %q, %v", res.StatusCode, body, err)
		}
		res.Body.Close()
	}
	isRefused(t, "without the policy", get(New(Policy{}), srv.URL))
}

func TestRedirectIsNotFollowed(t *testing.T) {
	port, count := watched(t, "tcp4", "127.0.0.1:0")
	for _, status := range []int{301, 302, 303, 307, 308} {
		srv := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:"+port+"/", status))
		c := New(Policy{Allow: loopback})
		req, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL, nil)
		res, err := c.Do(req, 1000)
		if err != nil || res.StatusCode != status {
			t.Fatalf("%d: %v, %v", status, res, err)
		}
		res.Body.Close()
		c.CloseIdleConnections()
		srv.Close()
	}
	if count.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// raw serves what answer writes, once a request has come, without the care of net/http.
func raw(t *testing.T, answer func(w io.Writer)) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.Read(make([]byte, 4096))
		answer(c)
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return "http://" + ln.Addr().String()
}

func TestAnswersAreBounded(t *testing.T) {
	forever := func(w io.Writer, line string) {
		for {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
		}
	}
	c := New(Policy{Allow: loopback})
	answers := map[string]func(w io.Writer){
		"announced": func(w io.Writer) { io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\nx") },
		"chunked": func(w io.Writer) {
			io.WriteString(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			forever(w, "5\r\nhello\r\n")
		},
		"until the end": func(w io.Writer) { io.WriteString(w, "HTTP/1.0 200 OK\r\n\r\n"); forever(w, "hello") },
	}
	for name, answer := range answers {
		body, err := fetch(t, c, raw(t, answer), 1000)
		if !errors.Is(err, ErrTooLarge) || len(body) > 1000 {
			t.Errorf("%s: %d bytes, %v; want ErrTooLarge", name, len(body), err)
		}
	}
	for name, answer := range map[string]func(w io.Writer){
		"one endless header":  func(w io.Writer) { io.WriteString(w, "HTTP/1.1 200 OK\r\nX: "); forever(w, "hello") },
		"headers for ever":    func(w io.Writer) { io.WriteString(w, "HTTP/1.1 200 OK\r\n"); forever(w, "X: hello\r\n") },
		"early hints forever": func(w io.Writer) { forever(w, "HTTP/1.1 103 Early Hints\r\n\r\n") },
		"no HTTP":             func(w io.Writer) { forever(w, "hello") },
		"nothing":             func(io.Writer) {},
	} {
		if _, err := fetch(t, c, raw(t, answer), 1000); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want an error before time is up", name, err)
		}
	}
	if body, err := fetch(t, c, raw(t, func(w io.Writer) {
		io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")
	}), 1000); err != nil || string(body) != "abc" {
		t.Errorf("an answer was unpacked: %q, %v", body, err)
	}
}

func fetch(t *testing.T, c *Client, url string, max int64) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req, max)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

func TestBoundedBody(t *testing.T) {
	for size := range 20 {
		for limit := range 20 {
			for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader, iotest.HalfReader} {
				content := bytes.Repeat([]byte("x"), size)
				b := &boundedBody{io.NopCloser(wrap(bytes.NewReader(content))), int64(limit), nil}
				got, err := io.ReadAll(b)
				if size <= limit && (err != nil || len(got) != size) || size > limit && (!errors.Is(err, ErrTooLarge) || len(got) != limit) {
					t.Errorf("%d bytes, %d allowed: %d, %v", size, limit, len(got), err)
				}
			}
		}
	}
	b := &boundedBody{io.NopCloser(strings.NewReader("hello")), math.MaxInt64, nil}
	if got, err := io.ReadAll(b); err != nil || string(got) != "hello" {
		t.Errorf("no bound: %q, %v", got, err)
	}
}

func TestSlowAnswerEndsWithItsContext(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	c := New(Policy{Allow: loopback})
	for name, start := range map[string]string{"header": "HTTP/1.1 200 OK\r\nX", "body": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "nothing": ""} {
		url := raw(t, func(w io.Writer) { io.WriteString(w, start); <-hold })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		res, err := c.Do(req, 1000)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the end of the context", name, err)
		}
		cancel()
	}
}

func TestTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that must fail
	srv.StartTLS()
	defer srv.Close()
	old := httptest.NewUnstartedServer(srv.Config.Handler)
	old.Config.ErrorLog = srv.Config.ErrorLog
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	resolver := fakeResolver(func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} })
	c := New(Policy{Allow: loopback, RootCAs: roots, Resolver: resolver})
	defer c.CloseIdleConnections()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	if err := get(c, "https://example.com:"+port); err != nil { // a name in the certificate
		t.Error(err)
	}
	if err := get(c, "https://other.test:"+port); err == nil {
		t.Error("a certificate for another host was accepted")
	}
	if err := get(c, old.URL); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	if err := get(New(Policy{Allow: loopback}), srv.URL); err == nil {
		t.Error("a certificate of an unknown authority was accepted")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// In a bubble there is no network: the hook answers, and URLs are judged all the same.
func TestTransportHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		c := New(Policy{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			sent++
			time.Sleep(time.Hour)
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(r.URL.Path)), ContentLength: -1}, nil
		})})
		if body, err := fetch(t, c, "https://hook.test/abc", 4); err != nil || string(body) != "/abc" {
			t.Errorf("%q, %v", body, err)
		}
		if _, err := fetch(t, c, "https://hook.test/abc", 3); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v, want ErrTooLarge", err)
		}
		isRefused(t, "loopback", get(c, "https://127.0.0.1/"))
		if sent != 2 {
			t.Errorf("%d requests were sent", sent)
		}
	})
}

type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

func TestRefusedRequestIsClosed(t *testing.T) {
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.URL.Host = "127.0.0.1" },
		func(r *http.Request) { r.Host = "internal.test" },
	} {
		body := &closeCounter{Reader: strings.NewReader("x")}
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "https://hook.test/", body)
		change(req)
		_, err := New(Policy{}).Do(req, 1)
		isRefused(t, "Do", err)
		if body.closed != 1 {
			t.Errorf("the body was closed %d times", body.closed)
		}
	}
}

func TestErrorsDoNotRepeatTheURL(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close() // nobody listens there now
	err = get(New(Policy{Allow: loopback}), "http://"+ln.Addr().String()+"/SECRET?SECRET")
	if err == nil || strings.Contains(err.Error(), "SECRET") || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("error %v", err)
	}
}

func TestOwnAddresses(t *testing.T) {
	own, err := OwnAddresses()
	if err != nil || len(own) == 0 {
		t.Fatalf("%v, %v", own, err)
	}
	for _, addr := range own {
		if !addr.IsValid() {
			t.Errorf("%v", own)
		}
	}
}

// The rules can be replaced while the client is in use.
func TestSetRules(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	c := New(Policy{})
	isRefused(t, "before", get(c, srv.URL))
	c.SetRules(Policy{Allow: loopback})
	if err := get(c, srv.URL); err != nil {
		t.Errorf("allowed: %v", err)
	}
	c.SetRules(Policy{})
	isRefused(t, "after", get(c, srv.URL))
}
