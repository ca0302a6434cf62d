package portshare

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection whose first byte may have been read ahead, and that gives its slot back when closed.
type conn struct {
	net.Conn
	first   []byte // read ahead and not yet read
	release func()
	ending  *atomic.Bool // of the server
	idle    atomic.Bool  // an answer was complete: what is read now begins a request
	asked   atomic.Bool  // it was idle, and something was read since the last write
}

// state follows what the server makes of a connection.
func state(c net.Conn, s http.ConnState) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if own, ok := c.(*conn); ok && s == http.StateIdle {
		own.asked.Store(false)
		own.idle.Store(true)
	}
}

// peek waits for the first byte, which the next Read returns again.
func (c *conn) peek(ctx context.Context, timeout time.Duration) (byte, error) {
	if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return 0, err
	}
	// At the end of ctx the connection is closed, and not only its deadline moved: nothing else could be done with it.
	stop := context.AfterFunc(ctx, func() { _ = c.Conn.Close() })
	var b [1]byte
	_, err := c.Conn.Read(b[:])
	if !stop() { // it is being closed, or will be in a moment: in the middle of a request, if one were read from it now
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, err
	}
	c.first = b[:]
	return b[0], c.SetReadDeadline(time.Time{})
}

// Read returns the byte that was read ahead, then what follows.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.first) > 0 && len(p) > 0 {
		n := copy(p, c.first)
		c.first = nil
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if n > 0 && c.idle.Load() {
		c.asked.Store(true)
	}
	return n, err
}

// Write answers.
func (c *conn) Write(p []byte) (int, error) {
	c.asked.Store(false)
	return c.Conn.Write(p)
}

// answerTime is how long a connection that was to be closed stays open for an answer.
const answerTime = 10 * time.Second

// Close closes the connection and frees its slot. While the server ends, a connection that was idle and on which something is
// asked by now stays open until it is closed again, by whoever answers, or for a while.
func (c *conn) Close() error {
	if c.ending.Load() && c.asked.Swap(false) {
		time.AfterFunc(answerTime, func() { _ = c.shut() }) // nobody has answered, and nobody waits for its error
		return nil
	}
	return c.shut()
}

func (c *conn) shut() error {
	defer c.release()
	return c.Conn.Close()
}

// handoff is a listener whose connections come from give.
type handoff struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	addr   net.Addr
}

func newHandoff(addr net.Addr) *handoff {
	return &handoff{conns: make(chan net.Conn), closed: make(chan struct{}), addr: addr}
}

// give passes c to Accept, or closes it when the listener or ctx has ended.
func (h *handoff) give(ctx context.Context, c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		_ = c.Close()
	case <-ctx.Done():
		_ = c.Close()
	}
}

func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *handoff) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func (h *handoff) Addr() net.Addr { return h.addr }
