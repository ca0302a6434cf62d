package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Without a handshake for days, Run notices changed files within a minute or so, and warns once a day.
func TestRunWatchesFiles(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	certFile, keyFile := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	synctest.Test(t, func(t *testing.T) {
		one, two := issue(t, a, time.Now(), time.Now().Add(3*365*day), "x.example"), issue(t, a, time.Now(), time.Now().Add(365*day), "y.example")
		put := func(p pair) {
			write(t, certFile, p.cert)
			write(t, keyFile, p.key)
		}
		put(one)
		var log bytes.Buffer
		c := mustOpen(t, Options{Dir: dir, Hosts: []string{"y.example"}, CertFile: certFile, KeyFile: keyFile, Log: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		pass := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		pass(3*day - time.Hour - 30*time.Second) // between two looks
		if n := strings.Count(log.String(), "it is not for y.example"); n != 3 {
			t.Errorf("%d warnings in three days", n)
		}
		write(t, certFile, nil)
		pass(time.Hour)
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d errors in an hour of a broken file: %s", n, &log)
		}
		before := c.Info().Fingerprint
		put(two)
		pass(time.Minute + time.Second)
		if c.Info().Fingerprint == before || len(c.Info().Problems) > 0 {
			t.Errorf("the new files are not in use: %+v", c.Info())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Handshakes, reloads and questions while files change: each handshake gets one of the certificates, whole.
func TestFilesAreSafeForConcurrentUse(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	certFile, keyFile := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	pairs := []pair{issue(t, a, time.Now(), time.Now().Add(90*day), "x.example"), issue(t, a, time.Now(), time.Now().Add(90*day), "x.example")}
	write(t, certFile, pairs[0].cert)
	write(t, keyFile, pairs[0].key)
	now := &clock{t: time.Now()}
	c := mustOpen(t, Options{Dir: dir, CertFile: certFile, KeyFile: keyFile, Now: now.now})
	config := c.TLS()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				now.sleep(time.Second)
				cert, err := config.GetCertificate(&tls.ClientHelloInfo{})
				if err != nil || len(cert.Certificate) == 0 || cert.PrivateKey == nil {
					t.Errorf("%v, %v", cert, err)
					return
				}
			}
		})
	}
	for i := range 50 {
		write(t, certFile, pairs[i%2].cert)
		_ = c.Reload() // half of a pair is refused
		write(t, keyFile, pairs[i%2].key)
		if err := c.Reload(); err != nil || !c.Trusted() || c.Info().Source != FileSource {
			t.Errorf("%v, %+v", err, c.Info())
		}
	}
	wg.Wait()
}
