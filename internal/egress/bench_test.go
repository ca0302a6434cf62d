package egress

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// BenchmarkPost makes requests as webhooks do, one after another, beside net/http: what a request costs both sides of a connection.
func BenchmarkPost(b *testing.B) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go answerAll(conn)
		}
	}()
	body := bytes.Repeat([]byte("x"), 500)
	c := New(Policy{Allow: loopback})
	defer c.CloseIdleConnections()
	plainly := &http.Transport{}
	defer plainly.CloseIdleConnections()
	for name, do := range map[string]func(*http.Request) (*http.Response, error){
		"egress": func(r *http.Request) (*http.Response, error) { return c.Do(r, 1000) }, "net-http": plainly.RoundTrip,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
				req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+ln.Addr().String()+"/", bytes.NewReader(body))
				res, err := do(req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					b.Fatal(err)
				}
				res.Body.Close()
				cancel()
			}
		})
	}
}

// answerAll answers the requests of a connection with as little as there is to do.
func answerAll(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		io.WriteString(conn, fine)
	}
}

// BenchmarkHead writes a webhook's request, body included, beside net/http.
func BenchmarkHead(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 500)
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://app.example/hooks/kabar?from=1", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	req.ContentLength = int64(len(body))
	req.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Kabar/1"}, "Webhook-Id": {"evt_o3lfqp5pjhbtgjfonutn7dzz5e"},
		"Webhook-Timestamp": {"1796130796"}, "Webhook-Signature": {"v1,R3JpbW0gZ3JpbW0gZ3JpbW0gZ3JpbW0gZ3JpbW0gZ3I="}, "Idempotency-Key": nil}
	c := &connection{out: bufio.NewWriter(io.Discard)}
	for name, write := range map[string]func() error{"egress": func() error { return c.send(req) }, "net-http": func() error {
		return errors.Join(req.Write(c.out), c.out.Flush())
	}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				req.Body = io.NopCloser(bytes.NewReader(body))
				if err := write(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
