package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar/internal/patience"
)

// visit is one connection at a server that a test has written out: the n-th, from 1 on.
type visit struct {
	net.Conn
	t  *testing.T
	n  int
	in *bufio.Reader
}

// asked reads a request with its body, and returns that; false if the client has gone.
func (v *visit) asked() (string, bool) {
	req, err := http.ReadRequest(v.in)
	if err != nil {
		return "", false
	}
	body, err := io.ReadAll(req.Body)
	return string(body), err == nil
}

func (v *visit) say(text string) { io.WriteString(v, text) } // who has gone does not hear it

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// served is a server on this machine that talks to each connection as serve says, and closes it then.
func served(t *testing.T, serve func(v *visit)) (url string, visits *atomic.Int32) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	visits = new(atomic.Int32)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			n := int(visits.Add(1))
			all.Go(func() {
				defer conn.Close()
				serve(&visit{conn, t, n, bufio.NewReader(conn)})
			})
		}
	})
	t.Cleanup(func() { ln.Close(); all.Wait() })
	return "http://" + ln.Addr().String() + "/", visits
}

// post makes a request with a body, which may be repeated if marked, and reads its answer.
func post(t *testing.T, c *Client, url, body string, marked bool) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(patience.Context(t), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if marked {
		req.Header["Idempotency-Key"] = nil
	}
	res, err := c.Do(req, 1000)
	if err != nil {
		return "", err
	}
	got, err := io.ReadAll(res.Body)
	return fmt.Sprint(res.StatusCode, " ", string(got)), errors.Join(err, res.Body.Close())
}

// client is one that may reach this machine, and lets go of it before the servers of the test end.
func client(t *testing.T) *Client {
	c := New(Policy{Allow: loopback})
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestKeptConnections(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		visits int32 // for three requests
	}{
		"a body":                     {fine, 1},
		"none":                       {"HTTP/1.1 204 No Content\r\n\r\n", 1},
		"in chunks":                  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1},
		"early hints":                {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + fine, 1},
		"HTTP/1.0":                   {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 3},
		"Connection: close":          {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 3},
		"more than it said":          {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nok", 3},
		"an answer nobody asked for": {fine + "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", 3},
	} {
		t.Run(name, func(t *testing.T) {
			url, visits := served(t, func(v *visit) {
				for _, ok := v.asked(); ok; _, ok = v.asked() {
					v.say(test.answer)
				}
			})
			c := client(t)
			for range 3 {
				got, err := post(t, c, url, "hello", false)
				if err != nil || got != "200 ok" && got != "204 " && got != "200 " {
					t.Errorf("%q, %v", got, err)
				}
			}
			if n := visits.Load(); n != test.visits {
				t.Errorf("%d connections, want %d", n, test.visits)
			}
		})
	}
}

// What comes after an answer, when nobody has asked, is no answer to the next request; neither is the end of the connection.
func TestWhatIdleConnectionsSay(t *testing.T) {
	const answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
	for name, test := range map[string]struct {
		more   string
		marked bool // the next request may be repeated
	}{"an answer": {answer, false}, "an answer before what may be repeated": {answer, true}, "its end": {"", false}} {
		t.Run(name, func(t *testing.T) {
			more := test.more
			next, said := make(chan bool), make(chan bool)
			url, visits := served(t, func(v *visit) {
				v.asked()
				v.say(fine)
				if v.n > 1 {
					return
				}
				<-next
				if v.say(more); more == "" {
					v.Close()
				}
				said <- true
				v.asked()
			})
			c := client(t)
			if got, err := post(t, c, url, "one", false); got != "200 ok" {
				t.Fatal(got, err)
			}
			next <- true
			<-said
			time.Sleep(2 * justUsed)
			if got, err := post(t, c, url, "two", test.marked); got != "200 ok" || visits.Load() != 2 {
				t.Errorf("%q, %v, %d connections", got, err, visits.Load())
			}
		})
	}
}

// Servers close connections that have been idle for long at any moment, also while a request is on its way to them.
func TestRepeatedRequests(t *testing.T) {
	for name, test := range map[string]struct {
		marked bool
		last   string // what is said to the second request before the end
		want   string
		asked  int32
	}{
		"may be repeated":             {true, "", "200 ok", 3},
		"may not":                     {false, "", "", 2},
		"the answer has begun":        {true, "HTTP/1.1 200 OK\r\nX: ", "", 2},
		"the body has begun":          {true, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", "200 o", 2},
		"an answer that is not final": {true, "HTTP/1.1 100 Continue\r\n\r\n", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			url, _ := served(t, func(v *visit) {
				for body, ok := v.asked(); ok; body, ok = v.asked() {
					n := asked.Add(1)
					if body != "hello" {
						t.Errorf("request %d has %q", n, body)
					}
					if n == 2 {
						v.say(test.last)
						return
					}
					v.say(fine)
				}
			})
			c := client(t)
			if got, err := post(t, c, url, "hello", test.marked); got != "200 ok" {
				t.Fatal(got, err)
			}
			got, err := post(t, c, url, "hello", test.marked)
			if got != test.want || (err == nil) != (test.want == "200 ok") || asked.Load() != test.asked {
				t.Errorf("%q, %v, after %d requests", got, err, asked.Load())
			}
		})
	}
}

// A connection that has just been made is not tried again: its server has had the request, or is not there.
func TestNewConnectionsAreNotRepeated(t *testing.T) {
	url, visits := served(t, func(v *visit) { v.asked() })
	if got, err := post(t, client(t), url, "hello", true); err == nil || visits.Load() != 1 {
		t.Errorf("%q, %v, %d connections", got, err, visits.Load())
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, answer := range map[string]string{
		"another protocol": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"many hints":       strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 7) + fine,
		"a long header":    "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHeaderBytes) + "\r\n\r\n",
		"two lengths":      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
	} {
		url, _ := served(t, func(v *visit) { v.asked(); v.say(answer) })
		if got, err := post(t, client(t), url, "hello", false); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A server may refuse a large body before it has all of it, and read no more: the rest of it is nothing for the next request.
func TestAnswerBeforeTheWholeBody(t *testing.T) {
	done := make(chan bool)
	url, visits := served(t, func(v *visit) {
		v.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
		<-done
	})
	defer close(done)
	c := client(t)
	for range 2 {
		if got, err := post(t, c, url, strings.Repeat("x", 20<<20), false); got != "413 no" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if visits.Load() != 2 {
		t.Errorf("%d connections", visits.Load())
	}
}

func TestLargeBodiesKeepTheirConnection(t *testing.T) {
	body := strings.Repeat("x", 3<<20)
	url, visits := served(t, func(v *visit) {
		for got, ok := v.asked(); ok; got, ok = v.asked() {
			if got != body {
				t.Errorf("%d bytes have come", len(got))
			}
			v.say(fine)
		}
	})
	c := client(t)
	for range 3 {
		if got, err := post(t, c, url, body, false); got != "200 ok" {
			t.Fatal(got, err)
		}
	}
	if visits.Load() != 1 {
		t.Errorf("%d connections", visits.Load())
	}
}

// Whoever does not read an answer to its end gives up its connection.
func TestUnreadAnswers(t *testing.T) {
	url, visits := served(t, func(v *visit) {
		for _, ok := v.asked(); ok; _, ok = v.asked() {
			v.say(fine)
		}
	})
	c := client(t)
	for range 2 {
		req, _ := http.NewRequestWithContext(patience.Context(t), http.MethodGet, url, nil)
		res, err := c.Do(req, 1000)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		res.Body.Close()
		if _, err := res.Body.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("read after close: %v", err)
		}
	}
	if visits.Load() != 2 {
		t.Errorf("%d connections", visits.Load())
	}
}

func TestCancelledRequests(t *testing.T) {
	for name, said := range map[string]string{"before the answer": "", "within it": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"} {
		t.Run(name, func(t *testing.T) {
			heard := make(chan bool)
			url, _ := served(t, func(v *visit) { v.asked(); v.say(said); heard <- true; v.asked() })
			ctx, cancel := context.WithCancel(t.Context())
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("hello"))
			go func() { <-heard; cancel() }()
			res, err := client(t).Do(req, 1000)
			if err == nil {
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
}
