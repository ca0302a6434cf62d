package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// sink is an application that takes webhooks. It costs as little as it can: what it uses, the product cannot. It answers 200,
// or 503 while it is down.
type sink struct {
	ln     net.Listener
	taken  func(body []byte) // may be nil; called by several goroutines, and must not keep body
	down   atomic.Bool
	events atomic.Int64
	posts  atomic.Int64
	wg     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool // nil when closed
}

// openSink listens on a free port. The caller closes it.
func openSink(ctx context.Context, taken func(body []byte)) (*sink, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for webhooks: %w", err)
	}
	s := &sink{ln: ln, taken: taken, conns: map[net.Conn]bool{}}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *sink) url() string { return "http://" + s.ln.Addr().String() + "/hook" }

func (s *sink) accept() {
	for {
		conn, err := s.ln.Accept()
		if err != nil {
			return // closed
		}
		s.mu.Lock()
		if s.conns == nil {
			_ = conn.Close() // it has come too late
		} else {
			s.conns[conn] = true
			s.wg.Go(func() { s.serve(conn) })
		}
		s.mu.Unlock()
	}
}

var (
	answerOK   = []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	answerDown = []byte("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
)

// eventMark is in every event of a body once.
var eventMark = []byte(`"timestamp":`)

// serve answers the requests of a connection until it ends.
func (s *sink) serve(conn net.Conn) {
	defer func() {
		_ = conn.Close() // whoever is there has gone
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	in := bufio.NewReaderSize(conn, 16<<10)
	var body []byte
	for {
		_, length, err := readHead(in)
		if err != nil || length < 0 {
			return
		}
		if cap(body) < length {
			body = make([]byte, length)
		}
		body = body[:length]
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		if _, err := conn.Write(s.answer(body)); err != nil {
			return
		}
	}
}

func (s *sink) answer(body []byte) []byte {
	if s.down.Load() {
		return answerDown
	}
	if s.taken != nil {
		s.taken(body)
	}
	s.posts.Add(1)
	s.events.Add(int64(bytes.Count(body, eventMark)))
	return answerOK
}

func (s *sink) close() error {
	err := s.ln.Close()
	s.mu.Lock()
	for conn := range s.conns {
		err = errors.Join(err, conn.Close())
	}
	s.conns = nil
	s.mu.Unlock()
	s.wg.Wait()
	return err
}
