//go:build unix

package recorders

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kabar/internal/relayproto"
	"kabar/internal/torture/history"
)

// Wire stands between devices and the relay and records the frames that pass. It changes nothing.
type Wire struct {
	Addr    string
	Relay   string // HOST:PORT
	History string
	Frames  string // file to which every frame is written as it passed; empty: none
}

const byWire = "wire"

// Run serves until ctx ends.
func (w *Wire) Run(ctx context.Context) error {
	rec, err := history.Open(w.History, byWire)
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", w.Addr)
	if err != nil {
		return err
	}
	frames := io.Discard
	if w.Frames != "" {
		f, err := os.OpenFile(w.Frames, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // every frame has been written with a call of its own
		frames = f
	}
	blobs := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: w.Relay})
	t := &tap{relay: w.Relay, rec: rec, frames: frames}
	srv := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == relayproto.Path {
			t.connect(rw, r)
			return
		}
		blobs.ServeHTTP(rw, r)
	})}
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// tap records for all connections.
type tap struct {
	relay  string
	mu     sync.Mutex // of the others
	rec    *history.Recorder
	frames io.Writer
}

// keep writes a frame as it passed.
func (t *tap) keep(frame []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.frames.Write(frame); err != nil {
		panic(err) // as in the sink
	}
}

func (t *tap) write(r history.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.rec.Write(r); err != nil {
		panic(err) // as in the sink
	}
}

// connect joins a device's connection with one to the relay.
func (t *tap) connect(rw http.ResponseWriter, r *http.Request) {
	dial, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	up, res, err := websocket.Dial(dial, "ws://"+t.relay+relayproto.Path, &websocket.DialOptions{CompressionMode: websocket.CompressionDisabled})
	if res != nil && res.Body != nil {
		defer func() { _ = res.Body.Close() }() // of a refusal
	}
	if err != nil {
		http.Error(rw, "the relay is away", http.StatusBadGateway)
		return
	}
	defer func() { _ = up.CloseNow() }() // the other end has gone
	down, err := websocket.Accept(rw, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return
	}
	defer func() { _ = down.CloseNow() }() // the other end has gone
	up.SetReadLimit(relayproto.MaxFrame)
	down.SetReadLimit(relayproto.MaxFrame)
	c := &conversation{tap: t, sends: map[uint64]string{}, fetches: map[uint64]string{}}
	ctx, stop := context.WithCancel(context.WithoutCancel(r.Context()))
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { t.pass(ctx, stop, down, up, c.asked) })
	both.Go(func() { t.pass(ctx, stop, up, down, c.told) })
	both.Wait()
}

// pass hands messages on, each seen before it goes.
func (t *tap) pass(ctx context.Context, stop func(), from, to *websocket.Conn, see func(*relayproto.Frame)) {
	defer stop()
	for {
		kind, b, err := from.Read(ctx)
		if err != nil {
			return
		}
		t.keep(b)
		if f, err := relayproto.Decode(b); err == nil {
			see(f)
		}
		write, cancel := context.WithTimeout(ctx, 30*time.Second)
		err = to.Write(write, kind, b)
		cancel()
		if err != nil {
			return
		}
	}
}

// conversation is what the two directions of a connection know together.
type conversation struct {
	tap *tap

	mu      sync.Mutex
	device  string
	sends   map[uint64]string // envelope by the id of the request
	fetches map[uint64]string // target by the id of the request
}

// asked sees what a device sends.
func (c *conversation) asked(f *relayproto.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch b := f.Body.(type) {
	case *relayproto.Frame_Login:
		c.device = b.Login.Address.GetAccount()
	case *relayproto.Frame_Send:
		id := hex.EncodeToString(b.Send.MsgId)
		c.sends[f.Id] = id
		c.tap.write(history.Record{Op: history.Send, Device: c.device, To: b.Send.To.GetAccount(), Envelope: id, Hash: hash(b.Send.Ciphertext),
			Header: headerOf(b.Send.Ciphertext)})
	case *relayproto.Frame_Fetch:
		c.fetches[f.Id] = b.Fetch.Target.GetAccount()
	case *relayproto.Frame_Ack:
		c.tap.write(history.Record{Op: history.Ack, Device: c.device, Seqs: b.Ack.Seqs})
	default: // says nothing of envelopes and keys
	}
}

// told sees what the relay sends.
func (c *conversation) told(f *relayproto.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch b := f.Body.(type) {
	case *relayproto.Frame_Done:
		if id, ok := c.sends[f.Id]; ok {
			c.tap.write(history.Record{Op: history.Stored, Device: c.device, Envelope: id})
		}
		delete(c.sends, f.Id)
	case *relayproto.Frame_Refused:
		if id, ok := c.sends[f.Id]; ok {
			c.tap.write(history.Record{Op: history.Refused, Device: c.device, Envelope: id, Detail: b.Refused.Code.String()})
		}
		delete(c.sends, f.Id)
	case *relayproto.Frame_Deliver:
		c.tap.write(history.Record{Op: history.Deliver, Device: c.device, From: b.Deliver.From.GetAccount(), Envelope: hex.EncodeToString(b.Deliver.MsgId),
			Seq: b.Deliver.Seq, Hash: hash(b.Deliver.Ciphertext)})
	case *relayproto.Frame_Bundle:
		r := history.Record{Op: history.Bundle, Device: c.device, To: c.fetches[f.Id]}
		if k := b.Bundle.OneTime; k != nil {
			r.OneTime, r.Hash = k.Id, hash(k.Key)
		}
		c.tap.write(r)
	default:
	}
}
