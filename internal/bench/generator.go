package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// target is a server under load.
type target struct {
	addr     string
	requests [][]byte // whole HTTP requests, sent in turn
	process  *process // whose processor time is counted
}

// client is one kept connection that sends prepared requests. It shares the processors with what it measures, so it builds
// nothing and looks at an answer only as far as it must.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte // of the last answer
}

func dial(ctx context.Context, addr string) (*client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReader(conn)}, nil
}

// do sends a request and reads the answer, which must be a 201.
func (c *client) do(request []byte) error {
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	status, length, err := readHead(c.in)
	if err != nil {
		return err
	}
	if length < 0 {
		return errors.New("the answer has no Content-Length")
	}
	if c.body = c.body[:0]; cap(c.body) < length {
		c.body = make([]byte, 0, length)
	}
	c.body = c.body[:length]
	if _, err := io.ReadFull(c.in, c.body); err != nil {
		return err
	}
	if !bytes.HasSuffix(status, []byte(" 201 Created")) {
		return fmt.Errorf("answered %s: %s", status, c.body)
	}
	return nil
}

// readHead reads the head of a request or an answer: its first line, and the length of its body; -1 without one.
func readHead(in *bufio.Reader) (first []byte, length int, err error) {
	length = -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch name, value, _ := bytes.Cut(line, []byte(":")); {
		case len(line) == 0:
			return first, length, nil
		case first == nil:
			first = bytes.Clone(line)
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 {
				return nil, 0, fmt.Errorf("Content-Length %q", value)
			}
		}
	}
}

// timing is how a round goes: a lead that is not counted, then the span that is.
type timing struct{ lead, span time.Duration }

// press sends requests to a target from so many clients, each as fast as it is answered, and counts what is answered within
// the span.
func press(ctx context.Context, t *target, clients int, when timing) (window, error) {
	l := &load{target: t, times: make([][]time.Duration, clients)}
	var w window
	err := l.apply(ctx, func(ctx context.Context) { w = l.observe(ctx, when) })
	for _, times := range l.times {
		w.times = append(w.times, times...)
	}
	w.count = int64(len(w.times))
	return w, err
}

// apply has the clients send as long as something lasts.
func (l *load) apply(ctx context.Context, lasts func(context.Context)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clients := len(l.times)
	var wg sync.WaitGroup
	for i := range clients {
		c, err := dial(ctx, l.target.addr)
		if err != nil {
			cancel(err)
			break
		}
		wg.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() }) // ends what it waits for
			defer stop()
			defer func() { _ = c.conn.Close() }() // nobody waits any more
			if err := l.run(c, i, clients); err != nil {
				cancel(fmt.Errorf("%s: %w", l.target.process.name, err))
			}
		})
	}
	lasts(ctx)
	l.done.Store(true)
	wg.Wait()
	return context.Cause(ctx)
}

// load is one press at work.
type load struct {
	target    *target
	measuring atomic.Bool
	done      atomic.Bool
	count     atomic.Int64
	times     [][]time.Duration // by client
}

// run sends until the load is done. Clients begin at different requests.
func (l *load) run(c *client, i, clients int) error {
	for n := i; !l.done.Load(); n += clients {
		began := time.Now()
		if err := c.do(l.target.requests[n%len(l.target.requests)]); err != nil {
			return err
		}
		if l.measuring.Load() {
			l.count.Add(1)
			l.times[i] = append(l.times[i], time.Since(began))
		}
	}
	return nil
}

func (l *load) observe(ctx context.Context, when timing) window {
	wait(ctx, when.lead)
	cpu, began := l.target.process.cpu(), time.Now()
	l.measuring.Store(true)
	wait(ctx, when.span)
	l.measuring.Store(false)
	return window{took: time.Since(began), cpu: l.target.process.cpu() - cpu}
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
