package relayserver

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	"kabar/internal/commit"
	"kabar/internal/relayproto"
)

const (
	maxQueued     = 256                    // requests of a connection that wait for the worker
	queuedBytes   = 1 << 20                // and about how many bytes
	maxFresh      = 32                     // envelopes that are handed over without being read from the mailbox
	freshBytes    = 16 << 10               // and how long each may be
	goodbyeWithin = time.Second            // for the last frame to go out
	storeRetry    = time.Second            // when to ask again after a fault of the store
	fullRetry     = 200 * time.Millisecond // when to ask again while the write queue is full
)

// session is one connection. Requests are executed by a worker, in order and as many as wait in one operation of the
// store; the worker is a goroutine that exists only while there is something to do, so an idle connection costs one
// goroutine, its reader.
type session struct {
	server *Server
	wire   *relayproto.Conn
	device *device // nil until login; not changed after hub.enter
	paces  *paces
	known  func()       // called when it is no stranger any more
	heard  atomic.Int64 // since the server's start
	pinged atomic.Int64

	mu      sync.Mutex
	room    sync.Cond // signalled when the queue was taken
	queue   []*relayproto.Frame
	bytes   int
	stirred [lanes]bool // the lane may have something to deliver
	fresh   []*entry    // envelopes that have just been stored; few, since the mailbox has them, too
	working bool
	ended   bool
	worker  sync.WaitGroup

	lanes [lanes]lane // the worker's
	acks  []acked     // the worker's: to be stored
}

// connect is the handler of relayproto.Path.
func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	if n := s.strangers.Add(1); s.limits.Strangers >= 0 && n > int64(s.limits.Strangers) {
		s.strangers.Add(-1)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many connections that have not logged in", http.StatusServiceUnavailable)
		return
	}
	known := sync.OnceFunc(func() { s.strangers.Add(-1) })
	defer known()
	ws, err := websocket.Accept(slim{w}, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	x := &session{server: s, wire: relayproto.NewConn(ws), known: known}
	x.room.L = &x.mu
	if !s.hub.add(x) {
		x.wire.Kill()
		return
	}
	if err := x.handshake(); err != nil {
		x.end(err)
		return
	}
	go func() { x.end(x.read()) }() // apart from the handler, whose stack and request need not outlive the login
}

// end closes the connection after its reader has ended.
func (x *session) end(err error) {
	if errors.Is(err, relayproto.ErrMalformed) || errors.Is(err, relayproto.ErrFrameTooLarge) {
		x.hangUp(relayproto.Closing_PROTOCOL, err.Error())
	}
	x.mu.Lock()
	x.ended = true // nobody hires from here on
	x.mu.Unlock()
	x.wire.Close(goodbyeWithin)
	x.worker.Wait()
	x.server.hub.leave(x)
}

// hangUp says why and cuts the connection a little later. It does not wait. The first reason counts.
func (x *session) hangUp(why relayproto.Closing_Reason, detail string) {
	x.mu.Lock()
	ended := x.ended
	x.ended = true
	x.mu.Unlock()
	if ended {
		return
	}
	_ = x.wire.Push(&relayproto.Frame{Body: &relayproto.Frame_Closing{Closing: &relayproto.Closing{Reason: why, Detail: detail}}})
	time.AfterFunc(goodbyeWithin, x.wire.Kill) // the device hangs up when it reads the frame, most often
}

// read takes requests until the connection ends.
func (x *session) read() error {
	for {
		if err := x.wire.Wait(context.Background()); err != nil { // a device that does not read is not read from
			return err
		}
		f, err := x.wire.Read()
		if err != nil {
			return err
		}
		x.heard.Store(int64(x.server.since()))
		if err := x.take(f); err != nil {
			return err
		}
	}
}

// take handles a frame at once, refuses it or queues it. An error is a breach of the protocol.
func (x *session) take(f *relayproto.Frame) error {
	if p := x.paces.of(f); p != nil {
		if wait := p.take(x.server.now()); wait > 0 {
			if f.GetSignal() == nil {
				x.answer(f.Id, nil, later(relayproto.Refused_LIMITED, wait, ""))
			}
			return nil
		}
	}
	switch b := f.Body.(type) {
	case *relayproto.Frame_Pong:
	case *relayproto.Frame_Signal:
		x.pass(b.Signal)
	case *relayproto.Frame_Send, *relayproto.Frame_Ack, *relayproto.Frame_Publish, *relayproto.Frame_Fetch,
		*relayproto.Frame_Lookup, *relayproto.Frame_AskTicket:
		x.enqueue(f)
	default:
		return relayproto.ErrMalformed
	}
	return nil
}

// pass hands a signal on if its recipient is connected and keeps up.
func (x *session) pass(sig *relayproto.Signal) {
	to := x.server.hub.at(sig.To.Addr())
	if to == nil || to.wire.Busy() {
		return
	}
	// An error means that the recipient has just gone: signals may get lost.
	_ = to.wire.Push(&relayproto.Frame{Body: &relayproto.Frame_Signal{Signal: &relayproto.Signal{
		From: x.device.addr.Proto(), Ciphertext: sig.Ciphertext,
	}}})
}

// enqueue waits for room and hands a request to the worker.
func (x *session) enqueue(f *relayproto.Frame) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.queue) >= maxQueued || x.bytes >= queuedBytes {
		x.room.Wait()
	}
	if x.ended {
		return
	}
	x.queue = append(x.queue, f)
	x.bytes += proto.Size(f)
	x.hire()
}

// stir lets the worker look into a lane of the mailbox.
func (x *session) stir(lane int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return
	}
	x.stirred[lane] = true
	x.hire()
}

// hand gives the worker an envelope that has just been stored, which need not be read then. One too many is left to be read.
func (x *session) hand(e *entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return
	}
	if len(x.fresh) < maxFresh && len(e.text) <= freshBytes {
		x.fresh = append(x.fresh, e)
	} else {
		x.stirred[laneEnvelopes] = true
	}
	x.hire()
}

// hire starts the worker unless there is one. The caller holds the lock.
func (x *session) hire() {
	if !x.working {
		x.working = true
		x.worker.Go(x.work)
	}
}

// work does what there is to do.
func (x *session) work() {
	for {
		x.mu.Lock()
		batch, stirred, fresh := x.queue, x.stirred, x.fresh
		x.queue, x.bytes, x.stirred, x.fresh = nil, 0, [lanes]bool{}, nil
		x.room.Signal()
		if len(batch) == 0 && len(fresh) == 0 && stirred == [lanes]bool{} {
			x.working = false
			x.mu.Unlock()
			return
		}
		x.mu.Unlock()
		x.execute(batch)
		stirred[laneEnvelopes] = !x.deliverFresh(fresh) || stirred[laneEnvelopes]
		x.deliver(stirred)
	}
}

// answer sends the body, or says what the error means to a device.
func (x *session) answer(id uint64, f *relayproto.Frame, err error) {
	var r *refusal
	switch {
	case err == nil:
	case errors.As(err, &r):
		f = &relayproto.Frame{Body: &relayproto.Frame_Refused{Refused: r.Refused}}
	case errors.Is(err, commit.ErrFull):
		x.answer(id, nil, later(relayproto.Refused_OVERLOADED, fullRetry, "the write queue is full"))
		return
	default:
		x.server.log.Error("relay store", "err", err)
		x.answer(id, nil, later(relayproto.Refused_OVERLOADED, storeRetry, "the relay cannot store now"))
		return
	}
	f.Id = id
	if err := x.wire.Push(f); errors.Is(err, relayproto.ErrFrameTooLarge) {
		x.server.log.Error("relay answer too large", "err", err) // the limits of what is stored exclude it
	}
}

func done() *relayproto.Frame {
	return &relayproto.Frame{Body: &relayproto.Frame_Done{Done: &relayproto.Done{}}}
}
