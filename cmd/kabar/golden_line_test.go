package main

import (
	"context"
	"encoding/hex"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	"kabar/internal/golden"
	"kabar/internal/patience"
	"kabar/internal/relayproto"
)

// goldenLine is the line between a server and its relay. It can be cut, sees what the server has taken, and speaks for the relay where
// a file wants to hear what a relay says seldom. That is of the first number alone: the others are passed on.
type goldenLine struct {
	t       *testing.T
	relay   string // its address
	address string

	mu      sync.Mutex
	calls   map[*goldenCall]bool
	silent  bool
	refusal *relayproto.Refused // of messages; nil: none
	admits  goldenAdmission
	sent    map[string]*relayproto.Send // by the ids of the messages in them
	taken   map[string]bool             // the envelopes that the server has acknowledged
}

func newGoldenLine(t *testing.T, relay string) *goldenLine {
	l := &goldenLine{t: t, relay: relay, calls: map[*goldenCall]bool{}, sent: map[string]*relayproto.Send{}, taken: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc(relayproto.Path, l.connect)
	mux.Handle("/", httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: relay}))
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		l.cut()
		s.Close()
	})
	l.address = strings.TrimPrefix(s.URL, "http://")
	return l
}

// goldenCall is one connection.
type goldenCall struct {
	line     *goldenLine
	up, down *websocket.Conn // to the relay, to the server
	end      context.CancelFunc

	account    string            // guarded by the line's mu, like the next
	deliveries map[uint64]string // envelopes that the server has not acknowledged, by seq
}

// connect joins a connection of the server with one to the relay.
func (l *goldenLine) connect(w http.ResponseWriter, r *http.Request) {
	ctx, end := context.WithCancel(context.WithoutCancel(r.Context()))
	defer end()
	c := &goldenCall{line: l, end: end, deliveries: map[uint64]string{}}
	if !l.add(c) {
		http.Error(w, "nobody answers", http.StatusBadGateway)
		return
	}
	defer l.remove(c)
	var err error
	dial, cancel := context.WithTimeout(ctx, patience.Limit)
	defer cancel()
	plain := &websocket.DialOptions{CompressionMode: websocket.CompressionDisabled}
	if c.up, _, err = websocket.Dial(dial, "ws://"+l.relay+relayproto.Path, plain); err != nil {
		http.Error(w, "the relay is away", http.StatusBadGateway)
		return
	}
	defer func() { _ = c.up.CloseNow() }() // the other end has gone
	if c.down, err = websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled}); err != nil {
		return
	}
	defer func() { _ = c.down.CloseNow() }() // the other end has gone
	var both sync.WaitGroup
	both.Go(func() { c.pass(ctx, c.down, c.up, c.asked) })
	both.Go(func() { c.pass(ctx, c.up, c.down, c.told) })
	both.Wait()
}

func (l *goldenLine) add(c *goldenCall) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.silent {
		l.calls[c] = true
	}
	return !l.silent
}

func (l *goldenLine) remove(c *goldenCall) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.calls, c)
}

// pass hands frames on, unless see has an answer of its own for who has sent one.
func (c *goldenCall) pass(ctx context.Context, from, to *websocket.Conn, see func(*relayproto.Frame) *relayproto.Refused) {
	defer c.end()
	from.SetReadLimit(relayproto.MaxFrame)
	for {
		kind, b, err := from.Read(ctx)
		if err != nil {
			return
		}
		f, err := relayproto.Decode(b)
		if err != nil {
			c.line.t.Errorf("a frame on the line: %v", err)
			return
		}
		if refused := see(f); refused != nil {
			err = c.tell(ctx, &relayproto.Frame{Id: f.Id, Body: &relayproto.Frame_Refused{Refused: refused}})
		} else {
			err = to.Write(ctx, kind, b)
		}
		if err != nil {
			return
		}
	}
}

// tell has the server hear a frame.
func (c *goldenCall) tell(ctx context.Context, f *relayproto.Frame) error {
	b, err := relayproto.Encode(f)
	if err != nil {
		return err
	}
	return c.down.Write(ctx, websocket.MessageBinary, b)
}

// asked sees what the server sends.
func (c *goldenCall) asked(f *relayproto.Frame) *relayproto.Refused {
	l := c.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if login := f.GetLogin(); login != nil {
		c.account = login.Address.Account
	}
	if c.account != golden.Ours {
		return nil
	}
	switch b := f.Body.(type) {
	case *relayproto.Frame_Login:
		return l.admits.login()
	case *relayproto.Frame_Register:
		return l.admits.register(b.Register.Code)
	case *relayproto.Frame_Send:
		if b.Send.MsgId[0] == 0 { // a receipt, or the like
			return nil
		}
		l.sent[hex.EncodeToString(b.Send.MsgId[:messageID])] = b.Send
		return l.refusal
	case *relayproto.Frame_Ack:
		for _, seq := range b.Ack.Seqs {
			l.taken[c.deliveries[seq]] = true
		}
	default: // it is passed on
	}
	return nil
}

// messageID is the length of a message's id at the beginning of its envelope's.
const messageID = 9

// told sees what the relay sends.
func (c *goldenCall) told(f *relayproto.Frame) *relayproto.Refused {
	if d := f.GetDeliver(); d != nil {
		c.line.mu.Lock()
		defer c.line.mu.Unlock()
		c.deliveries[d.Seq] = hex.EncodeToString(d.MsgId)
	}
	return nil
}

// cut ends all connections, and lets none be made until admit.
func (l *goldenLine) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = true
	l.hangUp()
}

// hangUp ends all connections. The caller holds the lock.
func (l *goldenLine) hangUp() {
	for c := range l.calls {
		c.end()
	}
}

// waits reports whether nothing is sent for now: there is no line, or messages are put off.
func (l *goldenLine) waits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.silent || l.refusal.GetRetryAfterMs() > 0
}

// saw reports whether the server has tried to send a message.
func (l *goldenLine) saw(message string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent[message] != nil
}

// refuse has every message refused, until it is called with nil.
func (l *goldenLine) refuse(r *relayproto.Refused) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusal = r
}

// admit has the number hear from now on that it is unverified or refused.
func (l *goldenLine) admit(state string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent, l.admits = false, goldenAdmission{state: state}
	l.hangUp()
}

// has reports whether the server has acknowledged an envelope.
func (l *goldenLine) has(envelope string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken[envelope]
}

// expire tells the server that nobody has fetched a message in time.
func (l *goldenLine) expire(message string) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.sent[message]
	calls := slices.DeleteFunc(slices.Collect(maps.Keys(l.calls)), func(c *goldenCall) bool { return c.account != golden.Ours })
	if sent == nil || len(calls) != 1 {
		l.t.Fatalf("nothing to expire: message %s, %d connections", message, len(calls))
	}
	const never = 1 << 62 // a seq that the relay does not have: it ignores that it is acknowledged
	notice := &relayproto.Expired{Seq: never, MsgId: sent.MsgId, To: proto.CloneOf(sent.To)}
	if err := calls[0].tell(l.t.Context(), &relayproto.Frame{Body: &relayproto.Frame_Expired{Expired: notice}}); err != nil {
		l.t.Fatal(err)
	}
}

// goldenAdmission is how a relay stands towards a number. Its code is 316089; after two wrong ones it has none for an hour and a half.
type goldenAdmission struct {
	state string // unverified, refused, or empty: it is as the relay says
	wrong int
}

func (a *goldenAdmission) login() *relayproto.Refused {
	if a.state == "" {
		return nil
	}
	return &relayproto.Refused{Code: relayproto.Refused_UNKNOWN_DEVICE}
}

func (a *goldenAdmission) register(code string) *relayproto.Refused {
	const void = 90 * 60 * 1000 // milliseconds
	switch {
	case a.state == "":
		return nil
	case a.state == "refused":
		return &relayproto.Refused{Code: relayproto.Refused_REGISTRATION, Detail: "this network admits by invite"}
	case code == "316089" && a.wrong < 2:
		a.state = "" // the relay knows the key already, and has nothing against it
		return nil
	case code == "" && a.wrong < 2:
		return &relayproto.Refused{Code: relayproto.Refused_VERIFY}
	case code != "":
		a.wrong++
	}
	if a.wrong >= 2 {
		return &relayproto.Refused{Code: relayproto.Refused_WRONG_CODE, RetryAfterMs: void}
	}
	return &relayproto.Refused{Code: relayproto.Refused_WRONG_CODE, AttemptsLeft: uint32(2 - a.wrong)}
}
