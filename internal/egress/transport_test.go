package egress

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Connections end with the rules they were made under, those of clients with certificates of their own included.
func TestRulesEndConnections(t *testing.T) {
	url, visits := served(t, func(v *visit) {
		for _, ok := v.asked(); ok; _, ok = v.asked() {
			v.say(fine)
		}
	})
	c := client(t)
	other := c.WithTLS(nil, []tls.Certificate{identity(t, "own")})
	other.by[plain] = other.by[plain].(*transport).withTLS(nil) // so that it has connections of its own by plain http as well
	t.Cleanup(other.CloseIdleConnections)
	for range 2 {
		for _, c := range []*Client{c, other} {
			if got, err := post(t, c, url, "hello", false); got != "200 ok" {
				t.Fatal(got, err)
			}
		}
		c.SetRules(Policy{Allow: loopback})
	}
	if visits.Load() != 4 {
		t.Errorf("%d connections, want 4", visits.Load())
	}
	c.SetRules(Policy{})
	_, err := post(t, other, url, "hello", false)
	isRefused(t, "under other rules", err)
}

// pipes is a transport to servers in this process, each of which answers every request of its connection.
func pipes(all *sync.WaitGroup) (*transport, *atomic.Int32) {
	made, rules := new(atomic.Int32), new(Policy)
	t := &transport{rules: func() *Policy { return rules }, dial: func(context.Context, string, string) (net.Conn, error) {
		made.Add(1)
		here, there := net.Pipe()
		all.Go(func() {
			in := bufio.NewReader(there)
			for req, err := http.ReadRequest(in); err == nil; req, err = http.ReadRequest(in) {
				io.Copy(io.Discard, req.Body)
				io.WriteString(there, fine)
			}
			there.Close()
		})
		return here, nil
	}}
	return t.withTLS(nil), made
}

func ask(t *testing.T, via http.RoundTripper) *http.Response {
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://app.example/", nil)
	res, err := via.RoundTrip(req)
	if err != nil {
		t.Error(err)
	}
	return res
}

func finish(t *testing.T, res *http.Response) {
	if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, []byte("ok")) {
		t.Errorf("%q, %v", got, err)
	}
	res.Body.Close()
}

func TestIdleConnectionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		via, made := pipes(&all)
		for _, after := range []struct {
			time.Duration
			made int32
		}{{0, 1}, {idleTimeout - time.Second, 1}, {idleTimeout - time.Second, 1}, {idleTimeout + time.Second, 2}} {
			time.Sleep(after.Duration)
			finish(t, ask(t, via))
			if n := made.Load(); n != after.made {
				t.Errorf("after %v: %d connections, want %d", after.Duration, n, after.made)
			}
		}
		time.Sleep(idleTimeout + time.Second)
		all.Wait() // the servers have seen their ends
		via.mu.Lock()
		defer via.mu.Unlock()
		if len(via.idle) != 0 {
			t.Errorf("idle: %v", via.idle)
		}
	})
}

func TestIdleConnectionsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		via, made := pipes(&all)
		for range 2 { // the second time with those that were kept
			var under []*http.Response
			for range idlePerHost + 8 {
				under = append(under, ask(t, via))
			}
			for _, res := range under {
				finish(t, res)
			}
		}
		if n := made.Load(); n != idlePerHost+16 {
			t.Errorf("%d connections", n)
		}
		via.CloseIdleConnections()
		all.Wait()
	})
}

// Many at once, of which some give up.
func TestRequestsAtOnce(t *testing.T) {
	url, visits := served(t, func(v *visit) {
		for body, ok := v.asked(); ok; body, ok = v.asked() {
			v.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		}
	})
	c := client(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 100 {
				body := fmt.Sprint(i, "-", k)
				if k%10 == 9 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(k)*time.Microsecond)
					req, _ := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("given up"))
					if res, err := c.Do(req, 1000); err == nil {
						res.Body.Close()
					}
					cancel()
					continue
				}
				if got, err := post(t, c, url, body, false); got != "200 "+body {
					t.Errorf("%s: %q, %v", body, got, err)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d connections", visits.Load())
}
