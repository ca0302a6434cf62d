//go:build unix

package recorders

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"kabar/internal/torture/history"
)

// Mood is how a sink behaves.
type Mood string

// The moods of a Moody.
const (
	Good     Mood = "good"     // 200 at once
	Hang     Mood = "hang"     // takes the request, and says nothing
	Drip     Mood = "drip"     // 200, and a byte of its body a second
	Broken   Mood = "broken"   // 500
	Busy     Mood = "busy"     // 429 with Retry-After
	Reset    Mood = "reset"    // cuts the connection
	Redirect Mood = "redirect" // to where it redirects to again
	Torn     Mood = "torn"     // 200, and cuts the connection in the middle of the body
	Endless  Mood = "endless"  // 200, and a body without an end
	Expired  Mood = "expired"  // TLS whose certificate has expired: the URL says https
	Nameless Mood = "nameless" // there is nobody: the URL has a name that leads to no address
)

// Moody is a sink whose mood is set from outside.
type Moody struct {
	Name    string // in the history: begins with sink
	Addr    string
	TLSAddr string // with an expired certificate
	History string

	mu      sync.Mutex
	mood    Mood
	changed chan struct{} // closed when the mood is another one
}

// Set changes the mood. Requests under way end as they would have, only sooner.
func (m *Moody) Set(mood Mood) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changed != nil {
		close(m.changed)
	}
	m.mood, m.changed = mood, make(chan struct{})
}

func (m *Moody) now() (mood Mood, changed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mood, m.changed
}

// Run serves until ctx ends, or something has come that must not: through an expired certificate, or after a redirect.
func (m *Moody) Run(ctx context.Context) error {
	m.Set(Good)
	rec, err := history.Open(m.History, m.Name)
	if err != nil {
		return err
	}
	listen := &net.ListenConfig{}
	ln, err := listen.Listen(ctx, "tcp", m.Addr)
	if err != nil {
		return err
	}
	expired, err := listen.Listen(ctx, "tcp", m.TLSAddr)
	if err != nil {
		return err
	}
	cert, err := expiredCertificate()
	if err != nil {
		return err
	}
	ended := make(chan error, 3)
	wrong := func(why string) http.HandlerFunc {
		return func(http.ResponseWriter, *http.Request) {
			select {
			case ended <- errors.New(why):
			default: // one is enough
			}
		}
	}
	h, open := &hooks{rec: rec}, http.NewServeMux()
	open.Handle(followed, wrong("a redirect was followed"))
	open.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { m.serve(h, w, r) })
	srv := &http.Server{ReadHeaderTimeout: patience, Handler: open}
	trap := &http.Server{ReadHeaderTimeout: patience, Handler: wrong("a request came in spite of the expired certificate"),
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // of the handshakes that must fail
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}}
	var both sync.WaitGroup
	both.Go(func() { ended <- srv.Serve(ln) })
	both.Go(func() { ended <- trap.ServeTLS(expired, "", "") })
	select {
	case <-ctx.Done():
	case err = <-ended:
	}
	err = errors.Join(err, srv.Close(), trap.Close())
	both.Wait()
	return err
}

// followed is where the redirects lead.
const followed = "/followed"

// serve records what it is told, and answers as its mood is.
func (m *Moody) serve(h *hooks, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the server was killed while it wrote
	}
	told := toldBy(r, body)
	h.write(told)
	mood, changed := m.now()
	status := statusOf(mood)
	taken := history.Record{Op: history.Answered, ID: told.ID, Endpoint: told.Endpoint, Replayed: told.Replayed, HTTP: status, Detail: string(mood)}
	if mood == Drip || mood == Torn {
		taken.HTTP = 0 // an answer that does not arrive as a whole takes nothing
	}
	h.write(taken) // before the answer: whoever reads it may be recorded as the next thing
	m.answer(w, r, mood, status, changed)
}

// statusOf is what a mood answers; 0 for nothing.
func statusOf(mood Mood) int {
	switch mood {
	case Hang, Reset:
		return 0
	case Broken:
		return http.StatusInternalServerError
	case Busy:
		return http.StatusTooManyRequests
	case Redirect:
		return http.StatusTemporaryRedirect
	case Good, Drip, Torn, Endless, Expired, Nameless:
	}
	return http.StatusOK
}

// promised is the length of a body that does not come as a whole.
const promised = 1000

func (m *Moody) answer(w http.ResponseWriter, r *http.Request, mood Mood, status int, changed <-chan struct{}) {
	switch mood {
	case Hang:
		select {
		case <-changed:
		case <-r.Context().Done():
		}
		cut(w)
		return
	case Reset:
		cut(w)
		return
	case Busy:
		w.Header().Set("Retry-After", "1")
	case Redirect:
		w.Header().Set("Location", followed)
	case Drip, Torn:
		w.Header().Set("Content-Length", strconv.Itoa(promised))
	case Good, Broken, Endless, Expired, Nameless:
	}
	w.WriteHeader(status)
	switch mood {
	case Drip:
		drip(w, r, changed)
		cut(w)
	case Torn:
		_, _ = w.Write([]byte("half of"))
		_ = http.NewResponseController(w).Flush()
		cut(w)
	case Endless:
		for chunk := make([]byte, 16<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	case Good, Hang, Broken, Busy, Reset, Redirect, Expired, Nameless:
	}
}

// drip writes a byte a second, until nobody listens any more.
func drip(w http.ResponseWriter, r *http.Request, changed <-chan struct{}) {
	for range promised - 1 {
		if _, err := w.Write([]byte(".")); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(time.Second):
		case <-changed:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// cut resets the connection of an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, and no end in order
	}
	_ = conn.Close()
}

// expiredCertificate returns one for 127.0.0.1 that was good until yesterday.
func expiredCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	yesterday := time.Now().AddDate(0, 0, -1)
	mould := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: yesterday.AddDate(-1, 0, 0), NotAfter: yesterday,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, mould, mould, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
