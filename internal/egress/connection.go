package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Limits of an exchange.
const (
	maxInformed = 5                // answers of 100 to 199 before the one that counts
	atOnce      = 64 << 10         // bytes of a body that are written before the answer is read; sockets take as much
	lastWrites  = time.Second / 20 // for a writer to see that it has ended, once the answer is there
)

var errTooManyHeaders = fmt.Errorf("the header of the answer has more than %d bytes", maxHeaderBytes)

// connection is one to a server: with one request at a time, or idle. Its fields belong to whoever has taken it.
type connection struct {
	t       *transport
	address string
	socket  net.Conn // without TLS
	conn    net.Conn // with it, if there is
	ear     *ear
	rules   *Policy
	in      *bufio.Reader
	out     *bufio.Writer
	left    int         // bytes that may be read before the body of the answer begins
	body    bool        // it has begun
	used    bool        // for a request before this one
	heard   bool        // something of the answer has come
	forget  *time.Timer // nil until it has been idle
	since   time.Time   // when it became that
	names   []string    // of a header, while its head is written
}

func newConnection(t *transport, address string, socket, conn net.Conn, rules *Policy) *connection {
	c := &connection{t: t, address: address, socket: socket, conn: conn, ear: newEar(socket), rules: rules}
	c.in, c.out = bufio.NewReader(c), bufio.NewWriter(conn)
	return c
}

// Read reads from the server, with the bound of a header until the body begins.
func (c *connection) Read(p []byte) (int, error) {
	if !c.body {
		if c.left <= 0 {
			return 0, errTooManyHeaders
		}
		p = p[:min(len(p), c.left)]
	}
	n, err := c.conn.Read(p)
	c.left -= n
	c.heard = c.heard || n > 0
	return n, err
}

func (c *connection) close() { _ = c.conn.Close() } // nothing is lost with it: what counts has been read

// exchange sends a request and reads its answer. The connection is closed unless there is one; then it is free again once the body has been
// read to its end, and closed if the body is closed before.
func (c *connection) exchange(req *http.Request) (*http.Response, error) {
	c.left, c.body, c.heard = maxHeaderBytes, false, false
	ctx := req.Context()
	x := &exchange{c: c, ctx: ctx, stop: context.AfterFunc(ctx, func() { _ = c.socket.SetDeadline(time.Unix(1, 0)) })} // whoever reads or writes hears of it
	x.wrote, x.failed = c.write(req)
	if _, broken := errors.AsType[*net.OpError](x.failed); x.failed != nil && !broken { // the request is at fault: there will be no answer
		x.end(false)
		return nil, x.failed
	}
	res, err := c.read(req)
	if err != nil {
		x.end(false)
		return nil, err
	}
	c.body = true
	x.last = res.Close
	if res.ContentLength == 0 || res.Body == http.NoBody {
		x.end(true)
		return res, nil
	}
	x.ReadCloser, res.Body = res.Body, x
	return res, nil
}

// write writes a request; one with a large body while the answer is read, since a server may answer, and read no more, before it has all of
// it. Then the end comes out of the channel.
func (c *connection) write(req *http.Request) (<-chan error, error) {
	if req.ContentLength >= 0 && req.ContentLength <= atOnce {
		return nil, c.send(req)
	}
	wrote := make(chan error, 1)
	go func() { wrote <- c.send(req) }()
	return wrote, nil
}

func (c *connection) send(req *http.Request) error {
	if head, ok := c.appendHead(c.out.AvailableBuffer(), req); !ok {
		if err := req.Write(c.out); err != nil {
			return err
		}
	} else if err := c.plainly(head, req); err != nil {
		return err
	}
	return c.out.Flush()
}

// plainly writes a head and the body behind it.
func (c *connection) plainly(head []byte, req *http.Request) error {
	_, err := c.out.Write(head)
	if err == nil {
		_, err = io.CopyN(c.out, req.Body, req.ContentLength)
	}
	switch {
	case errors.Is(err, io.EOF):
		err = errors.New("the body of the request is shorter than it was said to be")
	case err == nil:
		err = ends(req.Body)
	}
	return errors.Join(err, req.Body.Close())
}

// ends reports a body that is not at its end.
func ends(body io.Reader) error {
	var one [1]byte
	switch _, err := io.ReadFull(body, one[:]); {
	case err == nil:
		return errors.New("the body of the request is longer than it was said to be")
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// read reads the head of an answer.
func (c *connection) read(req *http.Request) (*http.Response, error) {
	for range maxInformed + 1 {
		res, err := http.ReadResponse(c.in, req)
		switch {
		case err != nil:
			return nil, err
		case res.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("the server has changed to another protocol")
		case res.StatusCode >= http.StatusOK:
			return res, nil
		}
	}
	return nil, errors.New("too many answers before the one that counts")
}

// exchange is a request under way, and then the body of its answer.
type exchange struct {
	io.ReadCloser

	c     *connection
	ctx   context.Context
	stop  func() bool
	wrote <-chan error // nil for a request that was written before the answer was read
	last  bool         // the server wants no more requests
	over  bool         // the connection is not ours any more

	failed error // of what was written
	closed bool
}

// Read reads the body.
func (x *exchange) Read(p []byte) (int, error) {
	if x.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := x.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	x.end(errors.Is(err, io.EOF))
	if !errors.Is(err, io.EOF) {
		err = ended(x.ctx, err)
	}
	return n, err
}

// Close gives up what has not been read, and the connection with it.
func (x *exchange) Close() error {
	x.closed = true
	x.end(false)
	return nil
}

// end lets go of the connection: for the next request if all of this one has been written, and all of its answer read.
func (x *exchange) end(whole bool) {
	if x.over {
		return
	}
	x.over = true
	free := x.stop()
	if whole && free && !x.last && x.c.in.Buffered() == 0 && x.written() {
		x.c.t.keep(x.c)
		return
	}
	x.c.close()
}

// written reports whether all of the request was written.
func (x *exchange) written() bool {
	if x.wrote == nil {
		return x.failed == nil
	}
	select {
	case err := <-x.wrote:
		return err == nil
	case <-time.After(lastWrites):
		return false
	}
}
