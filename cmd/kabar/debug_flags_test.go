package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"kabar/internal/metrics"
)

func TestDebugAddrIsLoopbackOnly(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "debug.example:0", "127.0.0.1", "nonsense"} {
		f := debugFlags{DebugAddr: addr}
		ln, err := f.listen(t.Context())
		if _, usage := errors.AsType[*usageError](err); !usage || ln != nil || !strings.Contains(err.Error(), "127.0.0.1:PORT") {
			t.Errorf("%s: %v, %v", addr, ln, err)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
		f := debugFlags{DebugAddr: addr}
		ln, err := f.listen(t.Context())
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		_ = ln.Close()
	}
	if ln, err := new(debugFlags).listen(t.Context()); ln != nil || err != nil {
		t.Errorf("without the flag: %v, %v", ln, err)
	}
}

func TestDebugServesMetricsAndProfiles(t *testing.T) {
	f := debugFlags{DebugAddr: "127.0.0.1:0"}
	ln, err := f.listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- servePages(ctx, ln, debugHandler(metrics.New("v1").Handler(), log), log) }()
	base := "http://" + ln.Addr().String()
	for _, c := range []struct {
		host, path, want string
		status           int
	}{
		{"", "/metrics", `kabar_build_info{go_version="go`, http.StatusOK},
		{"localhost", "/debug/pprof/", "goroutine", http.StatusOK},
		{"", "/debug/pprof/heap?debug=1", "heap profile", http.StatusOK},
		{"", "/debug/pprof/cmdline", "", http.StatusNotFound},
		{"evil.example", "/metrics", "host name", http.StatusForbidden},
		{"", "/debug/vars", "", http.StatusNotFound},
		{"", "/", "", http.StatusNotFound},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != c.status || !strings.Contains(string(body), c.want) {
			t.Errorf("%s as %q: %d %.200s, %v", c.path, c.host, res.StatusCode, body, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
