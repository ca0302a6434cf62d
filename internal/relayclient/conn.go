package relayclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kabar/internal/relayproto"
)

// Conn is one logged-in connection. It does not reconnect: see Keep. All methods are safe for concurrent use, but
// Receive, which one goroutine calls.
type Conn struct {
	opts  Options
	info  LoginInfo
	wire  *relayproto.Conn
	blobs string

	watchdog *time.Timer // cuts a connection on which nothing is heard
	reader   sync.WaitGroup
	inbox    inbox

	mu      sync.Mutex
	next    uint64
	pending map[uint64]chan *relayproto.Frame
	err     error // the end; nil while the connection lives
	done    chan struct{}
}

// Dial connects, registers if need be, logs in, calls Options.OnLogin and asks for the mailbox. ctx bounds all of that
// and nothing after. The caller closes the Conn.
//
// Errors of note: ErrRegistration, ErrVerify and *WrongCode (registration of a business), ErrRevoked, ErrWrongKey (another key
// is registered and Reinstall is not set), *RetryAfter.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("relay dial: %w", err)
	}
	frames, blobs, err := o.urls()
	if err != nil {
		return nil, fmt.Errorf("relay dial: %w", err)
	}
	ws, _, err := websocket.Dial(ctx, frames, &websocket.DialOptions{
		HTTPClient:      o.client(),
		CompressionMode: websocket.CompressionDisabled, // ciphertext does not compress, and the buffers are large
	})
	if err != nil {
		return nil, fmt.Errorf("relay dial: %w", err)
	}
	c := &Conn{
		opts:    o,
		wire:    relayproto.NewConn(ws),
		blobs:   blobs,
		pending: make(map[uint64]chan *relayproto.Frame),
		done:    make(chan struct{}),
	}
	c.inbox.ready = make(chan struct{}, 1)
	if err := c.handshake(ctx); err != nil {
		if over := ctx.Err(); over != nil && !errors.Is(err, over) { // its end may have cut the connection before whoever waits for it was told
			err = fmt.Errorf("%w: %w", over, err)
		}
		c.fail(err)
		_ = c.Close()
		return nil, fmt.Errorf("relay dial: %w", err)
	}
	return c, nil
}

// Info returns what the relay said at the login.
func (c *Conn) Info() LoginInfo { return c.info }

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns nil while the connection lives, and then an ErrClosed that wraps the cause.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection. What was handed to Ack and Signal is written first, for at most a second. It may be called
// more than once.
func (c *Conn) Close() error {
	c.wire.Close(time.Second)
	c.reader.Wait()
	c.fail(nil)
	return nil
}

// fail ends the connection with a cause; the first one counts.
func (c *Conn) fail(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = ErrClosed
	if cause != nil && !errors.Is(cause, relayproto.ErrConnClosed) {
		c.err = fmt.Errorf("%w: %w", ErrClosed, cause)
	}
	close(c.done)
	if c.watchdog != nil {
		c.watchdog.Stop()
	}
	c.wire.Kill()
}

// read takes frames off the connection until it ends.
func (c *Conn) read() {
	for {
		f, err := c.wire.Read()
		if err == nil {
			c.watchdog.Reset(relayproto.SilentAfter)
			err = c.dispatch(f)
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// dispatch handles one frame. An error ends the connection.
func (c *Conn) dispatch(f *relayproto.Frame) error {
	switch b := f.Body.(type) {
	case *relayproto.Frame_Ping:
		return c.wire.Push(&relayproto.Frame{Body: &relayproto.Frame_Pong{Pong: &relayproto.Pong{}}})
	case *relayproto.Frame_Closing:
		return closing(b.Closing)
	case *relayproto.Frame_Deliver, *relayproto.Frame_Expired, *relayproto.Frame_Signal, *relayproto.Frame_PrekeysLow:
		return c.inbox.add(f)
	}
	c.mu.Lock()
	answer := c.pending[f.Id]
	delete(c.pending, f.Id)
	c.mu.Unlock()
	if answer != nil { // nil: who asked has gone
		answer <- f
	}
	return nil
}

// ask sends a request and waits for its answer; a Refused comes back as an error.
func (c *Conn) ask(ctx context.Context, f *relayproto.Frame) (*relayproto.Frame, error) {
	answer, err := c.begin(f)
	if err != nil {
		return nil, err
	}
	defer c.forget(f.Id)
	if err := c.send(ctx, f); err != nil {
		return nil, err
	}
	select {
	case a := <-answer:
		if r := a.GetRefused(); r != nil {
			return nil, refusal(r)
		}
		return a, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.done:
		return nil, c.Err()
	}
}

// order asks for something whose only answer is Done.
func (c *Conn) order(ctx context.Context, f *relayproto.Frame) error {
	a, err := c.ask(ctx, f)
	if err == nil && a.GetDone() == nil {
		return fmt.Errorf("%w: the relay answered with something else", ErrMalformed)
	}
	return err
}

// begin gives f an id and a place for its answer.
func (c *Conn) begin(f *relayproto.Frame) (<-chan *relayproto.Frame, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	c.next++
	f.Id = c.next
	answer := make(chan *relayproto.Frame, 1)
	c.pending[f.Id] = answer
	return answer, nil
}

func (c *Conn) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// send queues a frame as soon as there is room.
func (c *Conn) send(ctx context.Context, f *relayproto.Frame) error {
	err := c.wire.Wait(ctx)
	if err == nil {
		err = c.wire.Push(f)
	}
	switch {
	case errors.Is(err, relayproto.ErrFrameTooLarge):
		return ErrTooLarge
	case errors.Is(err, relayproto.ErrConnClosed):
		<-c.done // the reader is about to say why
		return c.Err()
	}
	return err
}
