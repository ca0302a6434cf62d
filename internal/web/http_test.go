package web

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// serve runs Server(h) on a pipe and returns a function that opens a connection to it.
func serve(t *testing.T, h http.Handler) (dial func() net.Conn) {
	t.Helper()
	ln := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := Server(h, quiet())
	stopped := make(chan error)
	go func() { stopped <- srv.Serve(ln) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-stopped; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return func() net.Conn {
		ours, theirs := net.Pipe()
		ln.conns <- theirs
		return ours
	}
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func readAnswer(t *testing.T, c net.Conn) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// TestFault: whoever reads a body as a stream learns of its end what ReadBody says.
func TestFault(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("12345"))
	_, err := io.ReadAll(Body(httptest.NewRecorder(), r, 4))
	if fault := Fault(fmt.Errorf("store: %w", err)); fault == nil || *fault != *tooLarge(4) {
		t.Errorf("Fault(%v) = %v, want %v", err, fault, tooLarge(4))
	}
	if fault := Fault(io.ErrUnexpectedEOF); fault != nil {
		t.Errorf("a body that breaks off has the fault %v", fault)
	}
}

func TestReadBody(t *testing.T) {
	for _, test := range []struct {
		name   string
		body   io.Reader
		length int64
		want   string
	}{
		{"fits", strings.NewReader("12345"), 5, "12345"},
		{"fits, length unknown", strings.NewReader("12345"), -1, "12345"},
		{"announced too large", iotestNeverRead{t}, 6, ""},
		{"too large, length unknown", strings.NewReader("123456"), -1, ""},
	} {
		r := httptest.NewRequest("POST", "/", test.body)
		r.ContentLength = test.length
		got, err := ReadBody(httptest.NewRecorder(), r, 5)
		var e *Error
		if test.want != "" && (err != nil || string(got) != test.want) {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
		if test.want == "" && (!errors.As(err, &e) || e.Kind != TooLarge) {
			t.Errorf("%s: %v, want TooLarge", test.name, err)
		}
	}
}

type iotestNeverRead struct{ t *testing.T }

func (r iotestNeverRead) Read([]byte) (int, error) {
	r.t.Error("a body announced as too large was read")
	return 0, io.EOF
}

func TestDecodeRequest(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(`{"to":"x"}`))
	var m message
	if err := DecodeRequest(httptest.NewRecorder(), r, &m, Options{}); err != nil || m.To != "x" {
		t.Fatalf("%v, %+v", err, m)
	}
	r = httptest.NewRequest("POST", "/", strings.NewReader(`{"to":"x"}`))
	var e *Error
	if err := DecodeRequest(httptest.NewRecorder(), r, &m, Options{MaxBytes: 3}); !errors.As(err, &e) || e.Kind != TooLarge {
		t.Fatalf("%v, want TooLarge", err)
	}
}

// A body that comes a byte at a time ends after the grace; a slow but honest one may take its time.
func TestBodyPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := make(chan error, 1)
		dial := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := ReadBody(w, r, 64<<20)
			read <- err
		}))
		var feeders sync.WaitGroup
		c := dial()
		start := time.Now()
		feeders.Go(func() {
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
			for {
				if _, err := fmt.Fprint(c, "1\r\nx\r\n"); err != nil {
					return
				}
				time.Sleep(10 * time.Second)
			}
		})
		if err := <-read; err == nil {
			t.Error("the endless body was read to its end")
		}
		if d := time.Since(start); d > 30*time.Second {
			t.Errorf("cut after %v", d)
		}
		c.Close()
		feeders.Wait()

		c = dial()
		feeders.Go(func() {
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 50*32<<10)
			for range 50 {
				time.Sleep(time.Second)
				c.Write(make([]byte, 32<<10))
			}
			io.Copy(io.Discard, c)
		})
		if err := <-read; err != nil {
			t.Errorf("32 KiB a second: %v", err)
		}
		c.Close()
		feeders.Wait()
	})
}

// The deadline of a body does not outlive it: the handler may take longer, and its context stays alive.
func TestBodyDeadlineIsLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := ReadBody(w, r, 100); err != nil {
				t.Error(err)
			}
			select {
			case <-r.Context().Done():
				t.Error("the request was cancelled by the deadline of its body")
			case <-time.After(5 * time.Minute):
			}
		}))
		c := dial()
		defer c.Close()
		fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok")
		if res, _ := readAnswer(t, c); res.StatusCode != 200 {
			t.Errorf("status %d", res.StatusCode)
		}
	})
}

func TestServerLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))

		slow := dial()
		start := time.Now()
		fmt.Fprint(slow, "GET / HTTP/1.1\r\nHo")
		slow.Read(make([]byte, 1))
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("slow headers were cut after %v, want 5s", d)
		}

		idle := dial()
		fmt.Fprint(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		readAnswer(t, idle)
		start = time.Now()
		idle.Read(make([]byte, 1))
		if d := time.Since(start); d != 60*time.Second {
			t.Errorf("the idle connection was cut after %v, want 60s", d)
		}

		fat := dial()
		go func() { fmt.Fprintf(fat, "GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 64<<10)) }()
		if res, _ := readAnswer(t, fat); res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("64 KiB of headers: status %d", res.StatusCode)
		}
		fat.Close()
	})
}

func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrote := make(chan error, 1)
		dial := serve(t, WriteDeadline(time.Minute, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			wrote <- err
		})))
		c := dial()
		defer c.Close()
		start := time.Now()
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if err := <-wrote; err == nil || time.Since(start) != time.Minute {
			t.Errorf("a client that reads nothing: %v after %v", err, time.Since(start))
		}
	})
}

func TestWriteJSON(t *testing.T) {
	w := httptest.NewRecorder()
	v := map[string]any{"z": "<a href=\"x\">&", "a": nil, "bad": "\xff", "list": []string(nil), "line": "\u2028"}
	if err := WriteJSON(w, 201, v); err != nil {
		t.Fatal(err)
	}
	const want = `{"a":null,"bad":"` + "\ufffd" + `","line":"` + "\u2028" + `","list":[],"z":"<a href=\"x\">&"}`
	if w.Code != 201 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v\ngot  %s\nwant %s", w.Code, w.Header(), w.Body, want)
	}
	w = httptest.NewRecorder()
	if err := WriteJSON(w, 200, make(chan int)); err == nil || w.Body.Len() > 0 {
		t.Errorf("a channel: %v, %q", err, w.Body)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	if err := WriteJSON(w, 400, 1); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v, %v", err, w.Header())
	}
}

func TestRequestID(t *testing.T) {
	form, seen := regexp.MustCompile(`^[0-9a-f]{32}$`), map[string]bool{}
	for range 1000 {
		id := RequestID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("id %q, seen before: %v", id, seen[id])
		}
		seen[id] = true
	}
}

// discard is a writer of answers that keeps nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

func BenchmarkWriteJSON(b *testing.B) {
	v := map[string]any{"messages": []map[string]string{{"id": "gBEGkYiEB1VXAglK1ZEqA1YKPrU"}}}
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteJSON(discard{http.Header{}}, 201, v); err != nil {
			b.Fatal(err)
		}
	}
}

// A client that sends a large body to its end before it reads must see the refusal, not a reset.
func TestARefusedBodyIsDrained(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := ReadBody(w, r, 1<<20); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	for name, length := range map[string]int64{"announced": 20 << 20, "chunked": -1} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPost, server.URL, io.LimitReader(zeros{}, 20<<20))
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		if err := req.Write(conn); err != nil {
			t.Errorf("%s: the connection was cut while sending: %v", name, err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), req)
		if err != nil || res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %v %v, want 400", name, res, err)
		}
		_ = conn.Close()
	}
}

// A client that asks before it sends a large body is answered at once, and not asked to send what is refused.
func TestABodyThatIsAskedForIsNotDrained(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := ReadBody(w, r, 1<<20); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 400 ") {
		t.Errorf("the first answer is %q %v, want 400", line, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
