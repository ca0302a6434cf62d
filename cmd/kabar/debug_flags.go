package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"

	"kabar/internal/web"
)

// debugFlags open a second address for whoever watches the program.
type debugFlags struct {
	DebugAddr string `help:"Where metrics (/metrics) and profiles (/debug/pprof/) are served: an address of this machine only." placeholder:"127.0.0.1:PORT"`
}

// listen opens the address; without one it returns nil. Profiles show what is in memory, so there is no address but loopback.
func (f *debugFlags) listen(ctx context.Context) (net.Listener, error) {
	if f.DebugAddr == "" {
		return nil, nil
	}
	if err := f.check(); err != nil {
		return nil, &usageError{err}
	}
	ln, err := listen(ctx, "--debug-addr", f.DebugAddr)
	if err != nil {
		return nil, err
	}
	if !loopback(ln.Addr()) { // localhost may be anything
		return nil, errors.Join(&usageError{f.refused()}, ln.Close())
	}
	return ln, nil
}

// check looks at the address before anything listens there.
func (f *debugFlags) check() error {
	host, _, err := net.SplitHostPort(f.DebugAddr)
	if err != nil {
		return fmt.Errorf("--debug-addr %s: want 127.0.0.1:PORT", f.DebugAddr)
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return f.refused()
}

func (f *debugFlags) refused() error {
	return fmt.Errorf("--debug-addr %s: profiles and metrics are for this machine only: use 127.0.0.1:PORT, and a tunnel from elsewhere", f.DebugAddr)
}

// debugHandler serves metrics and profiles. A name other than localhost in Host is refused: a page in a browser on this machine
// could have its own name point here.
func debugHandler(metrics http.Handler, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound) // an invite may stand there
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return web.Recover(log, web.CheckHost(web.AllowHosts(), nil, web.SameOrigin(nil, mux)))
}
