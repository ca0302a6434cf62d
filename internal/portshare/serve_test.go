package portshare

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar/internal/certs"
	"kabar/internal/patience"
)

// newServer returns a server that answers with the scheme, protocol and path of a request, and a client that trusts it.
func newServer(t testing.TB) (*Server, *http.Client) {
	t.Helper()
	cert, _, err := certs.SelfSigned(t.TempDir(), []string{"127.0.0.1", "localhost"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	handler := func(scheme string) *http.Server {
		return &http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, "%s %s %s %v", scheme, r.Proto, r.URL.Path, r.TLS != nil)
			}),
			ErrorLog: log.New(io.Discard, "", 0),
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	t.Cleanup(client.CloseIdleConnections)
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	return &Server{TLS: config, Secure: handler("secure"), Plain: handler("plain")}, client
}

// start runs s on a loopback port and stops it at the end of the test.
func start(t testing.TB, s *Server) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

func fetch(client *http.Client, url string) (string, error) {
	res, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func TestBothOnOnePort(t *testing.T) {
	s, client := newServer(t)
	address := start(t, s)
	h1 := &http.Client{Transport: &http.Transport{TLSClientConfig: client.Transport.(*http.Transport).TLSClientConfig.Clone()}}
	defer h1.CloseIdleConnections()
	for range 3 {
		for _, test := range []struct {
			client    *http.Client
			url, want string
		}{
			{client, "http://" + address + "/a", "plain HTTP/1.1 /a false"},
			{client, "https://" + address + "/b", "secure HTTP/2.0 /b true"},
			{h1, "https://" + address + "/c", "secure HTTP/1.1 /c true"},
		} {
			if got, err := fetch(test.client, test.url); err != nil || got != test.want {
				t.Errorf("%s: %q, %v; want %q", test.url, got, err, test.want)
			}
		}
	}
}

func TestWhateverComesFirst(t *testing.T) {
	s, _ := newServer(t)
	address := start(t, s)
	for _, test := range []struct{ send, want string }{
		{"GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK"},
		{"\r\nGET / HTTP/1.0\r\n\r\n", "HTTP/1.1 400"},
		{"\x00\x00\x00\x00\r\n\r\n", "HTTP/1.1 400"},
		{"\x80\x2e\x01\x03\x01\r\n\r\n", "HTTP/1.1 400"}, // hello of SSL 2
		{"\x15\x03\x01\x00\x02\x01\x00\r\n\r\n", "HTTP/1.1 400"},
		{"\x16GET / HTTP/1.0\r\n\r\n", ""}, // what follows is no handshake
		{"\x16", ""},
	} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, test.send)
		_ = c.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(c)
		c.Close()
		if !strings.HasPrefix(string(got), test.want) || strings.HasPrefix(string(got), "HTTP") != (test.want != "") {
			t.Errorf("%q is answered %q, want %q", test.send, got, test.want)
		}
	}
}

// silence opens n connections that say nothing.
func silence(t testing.TB, address string, n int) {
	t.Helper()
	for range n {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
}

func TestSilentConnectionsDelayNobody(t *testing.T) {
	s, client := newServer(t)
	s.PeekTimeout = 100 * patience.Limit // so that all stay silent during the test
	address := start(t, s)
	silence(t, address, 1000)
	ctx := patience.Context(t) // the silent ones hold out longer
	for i := range 100 {
		scheme := []string{"http", "https"}[i%2]
		if _, err := fetch(client, scheme+"://"+address+"/"); err != nil {
			t.Fatal(err)
		}
		if ctx.Err() != nil {
			t.Fatalf("after %d requests: they wait for the silent ones", i)
		}
		if i%10 == 0 {
			client.CloseIdleConnections() // new connections, too
		}
	}
}

func TestServeWithoutCertificate(t *testing.T) {
	for _, config := range []*tls.Config{nil, {}} {
		s, _ := newServer(t)
		s.TLS = config
		ln := newPipes()
		if err := s.Serve(t.Context(), ln); err == nil {
			t.Error("served without a certificate")
		}
		if _, err := ln.Accept(); err == nil {
			t.Error("the listener is still open")
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s, _ := newServer(t)
	s.TLS.MinVersion = tls.VersionTLS10
	address := start(t, s)
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", address, &tls.Config{MinVersion: version, MaxVersion: version, InsecureSkipVerify: true})
		if (err == nil) != want {
			t.Errorf("version %#x: %v, want accepted: %v", version, err, want)
		}
		if err == nil {
			c.Close()
		}
	}
}

// A server that ends while clients come and go leaves no goroutine and hangs nobody.
func TestEndUnderLoad(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("load", func(t *testing.T) {
		s, _ := newServer(t)
		s.Drain = 200 * time.Millisecond
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		var clients sync.WaitGroup
		for i := range 20 {
			clients.Go(func() {
				for ctx.Err() == nil {
					c, err := net.DialTimeout("tcp", ln.Addr().String(), time.Second)
					if err != nil {
						continue
					}
					if i%2 == 0 {
						fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
						bufio.NewReader(c).ReadString('\n')
					}
					c.Close()
				}
			})
		}
		if err := s.Serve(ctx, ln); err != nil {
			t.Error(err)
		}
		clients.Wait()
	})
	patience.Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}

// BenchmarkRequest gives the time of a request on a new plain connection, beside silent ones.
func BenchmarkRequest(b *testing.B) {
	for _, silent := range []int{0, 1000} {
		b.Run(fmt.Sprintf("silent=%d", silent), func(b *testing.B) {
			s, _ := newServer(b)
			s.PeekTimeout = time.Hour
			address := start(b, s)
			silence(b, address, silent)
			var times []time.Duration
			for b.Loop() {
				began := time.Now()
				c, err := net.Dial("tcp", address)
				if err != nil {
					b.Fatal(err)
				}
				if got := ask(c); !strings.Contains(got, "200 OK") {
					b.Fatalf("answer %q", got)
				}
				c.Close()
				times = append(times, time.Since(began))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
		})
	}
}
