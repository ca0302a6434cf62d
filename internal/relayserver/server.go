package relayserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"kabar/internal/relayproto"
	"kabar/internal/web"
)

// Options say where a relay keeps its things and whom it serves.
type Options struct {
	Dir    string           // holds relay.db and blobs/; made when missing
	Name   string           // what devices sign that they log in to; default "kabar"
	Limits Limits           // zero: the defaults
	Admit  Admission        // who may register; the zero value: those with an invite
	Known  []string         // with CodesOnly: businesses that need no code to register for the first time
	Coded  func(Code)       // is told of every verification code that is made, once it is stored; must not block; nil: nobody is
	Now    func() time.Time // decides about expiry and limits; nil: time.Now. Signs of life use real time.
	Log    *slog.Logger     // nil: no log. Neither accounts nor contents are logged.
}

// Server is a relay. Its Handler may be mounted anywhere; Run does what must be done beside it.
type Server struct {
	dir       string
	name      string
	limits    Limits
	admission Admission
	known     []string
	coded     func(Code)
	now       func() time.Time
	log       *slog.Logger
	start     time.Time // of what is measured in real time

	store     *store
	blobs     *blobs
	hub       *hub
	registers pace
	strangers atomic.Int64
}

// Open opens or creates the store of a relay and starts its writer. A second process on the same folder gets an error
// that names the first. The caller closes the Server.
func Open(ctx context.Context, o Options) (*Server, error) {
	st, err := openStore(ctx, filepath.Join(o.Dir, "relay.db"))
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	s := &Server{
		dir:       o.Dir,
		name:      cmp.Or(o.Name, "kabar"),
		limits:    o.Limits.filled(),
		admission: o.Admit,
		known:     o.Known,
		coded:     o.Coded,
		now:       o.Now,
		log:       o.Log,
		start:     time.Now(),
		store:     st,
		hub:       newHub(),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.registers.rate = s.limits.Registrations
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	if s.blobs, err = openBlobs(filepath.Join(o.Dir, "blobs"), key); err != nil {
		return nil, errors.Join(fmt.Errorf("relay: %w", err), st.close())
	}
	used, err := st.blobBytes(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("relay: %w", err), st.close())
	}
	s.blobs.used.Store(used)
	return s, nil
}

// Close hangs up on whoever is left and closes the store.
func (s *Server) Close() error {
	<-s.hub.close()
	return s.store.close()
}

// Handler serves /v1/connect, /v1/blobs and /livez.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+relayproto.Path, s.connect)
	mux.HandleFunc("PUT "+relayproto.BlobPath, s.putBlob)
	mux.HandleFunc("GET "+relayproto.BlobPath+"/{id}", s.getBlob)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n")) // a caller that has gone needs no answer
	})
	return mux
}

// Serve serves ln and runs until ctx ends; then it says goodbye to the devices and returns nil. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := web.Server(web.Recover(s.log, s.Handler()), s.log)
	failed := make(chan error, 1)
	go func() {
		failed <- srv.Serve(ln)
		cancel()
	}()
	err := s.Run(ctx)
	within, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownWithin)
	defer stop()
	if srv.Shutdown(within) != nil { // transfers that still run are cut; devices repeat or resume them
		_ = srv.Close()
	}
	if serveErr := <-failed; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("relay: serve: %w", serveErr))
	}
	return err
}

const shutdownWithin = 2 * time.Second

// since is real time since the server was opened, for signs of life.
func (s *Server) since() time.Duration { return time.Since(s.start) }
