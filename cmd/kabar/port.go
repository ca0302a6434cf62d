package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"kabar/internal/certs"
	"kabar/internal/portshare"
	"kabar/internal/ui"
	"kabar/internal/web"
)

// port is how a program answers on its address: HTTPS and plain HTTP on the same one.
type port struct {
	handler http.Handler
	refuse  func(why string) http.Handler // answers plain HTTP where it is not allowed; nil: as text
	certs   *certs.Certs
	plain   bool          // answer plain HTTP on addresses other than loopback, too
	drain   time.Duration // how long requests may go on after the end has begun
	log     *slog.Logger
	conns   func(net.Conn, http.ConnState) // told of every connection; may be nil
}

// serve answers on ln, which it closes, until ctx ends and every request has been answered, for drain at most.
func (p *port) serve(ctx context.Context, ln net.Listener) error {
	share := portshare.Server{TLS: p.certs.TLS(), Secure: web.Server(p.handler, p.log),
		Plain: web.Server(http.HandlerFunc(p.servePlain), p.log), Drain: p.drain}
	context.AfterFunc(ctx, func() { p.log.Info("ending: what was accepted is finished first", "within", p.drain) })
	base := lasting(ctx, p.drain)
	for _, h := range []*http.Server{share.Secure, share.Plain} {
		h.ConnState = p.conns
		h.BaseContext = func(net.Listener) context.Context { return base }
	}
	return share.Serve(ctx, ln)
}

// servePlain answers plain HTTP on loopback only, unless the operator has allowed more.
func (p *port) servePlain(w http.ResponseWriter, r *http.Request) {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if p.plain || loopback(local) {
		p.handler.ServeHTTP(w, r)
		return
	}
	const why = "this address speaks HTTPS only: use https://, or start the program with --allow-plain-http"
	if p.refuse != nil {
		p.refuse(why).ServeHTTP(w, r)
		return
	}
	http.Error(w, why, http.StatusForbidden)
}

// lasting returns the context of the requests of a server that ends with ctx: streams end with it, other requests have
// nearly drain to finish.
func lasting(ctx context.Context, drain time.Duration) context.Context {
	out, cancel := context.WithCancel(ui.Closing(context.WithoutCancel(ctx), ctx.Done()))
	context.AfterFunc(ctx, func() { time.AfterFunc(drain*9/10, cancel) })
	return out
}

// listen takes an address; the error names the flag and what to do.
func listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\nGive another port with %s, for example %s 127.0.0.1:0", flag, addr, err, flag, flag)
	}
	return ln, nil
}

func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// writeTime is how long an answer may take; streams and downloads lift it.
const writeTime = time.Minute

// drainTime is how long the requests of kabar dev and of phones may go on after the end has begun.
const drainTime = 3 * time.Second

// ended turns the end of a context, which is how everything stops, into no error.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
