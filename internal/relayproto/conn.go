package relayproto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// ErrConnClosed is the answer of a Conn after Close or a fault.
var ErrConnClosed = errors.New("relayproto: connection closed")

const (
	fullBytes    = 1 << 20          // queued bytes above which Wait waits
	fullFrames   = 512              // the same in frames
	writeTimeout = 30 * time.Second // for a run of frames of up to fullBytes
)

// Conn sends and receives frames over a WebSocket. Frames are queued by Push and written by a goroutine that exists only
// while there are frames, so an idle connection costs none. Methods are safe for concurrent use, but for Read, which
// belongs to one goroutine.
type Conn struct {
	ws *websocket.Conn

	mu      sync.Mutex
	queue   [][]byte
	bytes   int // of queue and of what is being written
	frames  int
	writing bool
	closed  bool
	room    chan struct{} // closed when Wait may go on; nil when nobody waits
	idle    chan struct{} // closed when the writer ends; nil when nobody waits
	writer  sync.WaitGroup
}

// NewConn takes over ws. The caller closes the Conn.
func NewConn(ws *websocket.Conn) *Conn {
	ws.SetReadLimit(MaxFrame)
	return &Conn{ws: ws}
}

// buffers hold incoming frames until they are decoded.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Read returns the next frame. A frame that breaks the protocol is ErrMalformed or ErrFrameTooLarge; after any error the
// connection is of no use. Read is ended by Close or Kill.
func (c *Conn) Read() (*Frame, error) {
	kind, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return nil, c.readError(err)
	}
	if kind != websocket.MessageBinary {
		return nil, fmt.Errorf("%w: want binary messages", ErrMalformed)
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= 64<<10 { // the rare large frame must not make every buffer large
			buf.Reset()
			buffers.Put(buf)
		}
	}()
	if _, err := buf.ReadFrom(io.LimitReader(r, MaxFrame+1)); err != nil {
		return nil, c.readError(err)
	}
	return Decode(buf.Bytes())
}

func (c *Conn) readError(err error) error {
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		return ErrFrameTooLarge
	case c.isClosed():
		return ErrConnClosed
	}
	return fmt.Errorf("relayproto: read: %w", err)
}

// Push queues a frame. It never blocks; who may queue much should Wait first. The error is ErrFrameTooLarge or
// ErrConnClosed.
func (c *Conn) Push(f *Frame) error {
	b, err := Encode(f)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrConnClosed
	}
	c.queue = append(c.queue, b)
	c.bytes += len(b)
	c.frames++
	if !c.writing {
		c.writing = true
		c.writer.Go(c.write)
	}
	return nil
}

// Busy says whether Wait would wait.
func (c *Conn) Busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.full()
}

func (c *Conn) full() bool { return c.bytes > fullBytes || c.frames > fullFrames }

// Wait returns when less than about 1 MiB and 512 frames are queued, or with ctx's error or ErrConnClosed.
func (c *Conn) Wait(ctx context.Context) error {
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return ErrConnClosed
		}
		if !c.full() {
			c.mu.Unlock()
			return nil
		}
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write writes what is queued until nothing is.
func (c *Conn) write() {
	for {
		c.mu.Lock()
		batch := c.queue
		c.queue = nil
		if len(batch) == 0 || c.closed {
			c.writing = false
			release(&c.idle)
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		if !c.writeBatch(batch) {
			c.Kill()
		}
	}
}

// writeBatch reports whether all went out. One watchdog serves the whole batch: a deadline for each message would cost
// more than the message.
func (c *Conn) writeBatch(batch [][]byte) bool {
	watchdog := time.AfterFunc(writeTimeout, c.Kill)
	defer watchdog.Stop()
	for _, b := range batch {
		if c.ws.Write(context.Background(), websocket.MessageBinary, b) != nil {
			return false
		}
		c.mu.Lock()
		c.bytes -= len(b)
		c.frames--
		if !c.full() {
			release(&c.room)
		}
		c.mu.Unlock()
	}
	return true
}

// release wakes who waits on *ch. The caller holds the lock.
func release(ch *chan struct{}) {
	if *ch != nil {
		close(*ch)
		*ch = nil
	}
}

func (c *Conn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Kill cuts the connection at once. It does not wait.
func (c *Conn) Kill() {
	c.mu.Lock()
	c.closed = true
	release(&c.room)
	c.mu.Unlock()
	_ = c.ws.CloseNow() // an error means that it was closed already
}

// Close writes what is queued, for at most the given time, cuts the connection and waits for its goroutine.
func (c *Conn) Close(within time.Duration) {
	if idle := c.whenIdle(); idle != nil {
		timer := time.NewTimer(within)
		defer timer.Stop()
		select {
		case <-idle:
		case <-timer.C:
		}
	}
	c.Kill()
	c.writer.Wait()
}

// whenIdle returns a channel that is closed when the queue is written, or nil when it is.
func (c *Conn) whenIdle() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.writing {
		return nil
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	return c.idle
}
