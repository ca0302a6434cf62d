package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kabar/internal/auth"
	"kabar/internal/egress"
	"kabar/internal/engine"
	"kabar/internal/patience"
	"kabar/internal/store"
)

func openTestDev(t *testing.T, webhook string) (*dev, error) {
	t.Helper()
	c := &devCmd{Data: t.TempDir(), Addr: "127.0.0.1:0", PhoneAddr: "127.0.0.1:0", RelayAddr: "127.0.0.1:0", Webhook: webhook}
	return openDev(t.Context(), c, slog.New(slog.DiscardHandler))
}

// One part that ends takes the others with it: half a kabar dev would look like one that loses messages.
func TestDevEndsWithItsRelay(t *testing.T) {
	d, err := openTestDev(t, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := d.ln.relay.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
	defer cancel()
	if err := d.run(ctx, streams{io.Discard, io.Discard}); err == nil || !strings.Contains(err.Error(), "relay") {
		t.Errorf("run = %v, want an error that names the relay", err)
	}
	if ctx.Err() != nil {
		t.Error("it had to be told to end")
	}
}

func TestDevWebhookIsChecked(t *testing.T) {
	for _, url := range []string{"foo", "ftp://127.0.0.1/", "http://", "http://user:secret@127.0.0.1/", "http://10.0.0.1/hook"} {
		d, err := openTestDev(t, url)
		if err == nil {
			_ = d.Close()
			t.Errorf("--webhook %s was taken", url)
			continue
		}
		var usage *usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), "--webhook") {
			t.Errorf("--webhook %s: %v, want a usage error that names the flag", url, err)
		}
	}
}

// A network of one's own is reached when it is allowed, and nothing else by that.
func TestDevEgress(t *testing.T) {
	rules, err := (&devCmd{egressFlags: egressFlags{EgressAllow: []string{"10.1.0.0/16"}}}).egress()
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]bool{"http://10.1.2.3/hook": true, "http://127.0.0.1:3000/hook": true, "http://[::1]/hook": true, "http://10.2.0.1/hook": false} {
		if err := egress.New(rules).CheckURL(url); (err == nil) != want {
			t.Errorf("%s: %v", url, err)
		}
	}
	c := &devCmd{Data: t.TempDir(), egressFlags: egressFlags{EgressAllow: []string{"10.1"}}}
	_, err = openDev(t.Context(), c, slog.New(slog.DiscardHandler))
	if usage, ok := errors.AsType[*usageError](err); !ok || !strings.Contains(usage.Error(), "--egress-allow 10.1") {
		t.Errorf("%v, want a usage error that names the flag", err)
	}
}

// A crash may come between the two commits that an empty server begins with.
func TestFoundFinishesWhatWasBegun(t *testing.T) {
	master, err := devMaster(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := openServer(t.Context(), serverOptions{dir: t.TempDir(), open: store.Open, log: slog.New(slog.DiscardHandler),
		store: store.Options{Path: filepath.Join(t.TempDir(), "kabar.db"), Master: master, NoMigrate: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	first, err := devFirst()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.AddNumber(t.Context(), s.db, first, time.Now()); err != nil { // and then the crash
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		n, added, err := found(t.Context(), s, founding{number: (&serveCmd{}).number, password: auth.RandomPassword(), mustChange: true})
		if err != nil || added != want || n.Digits != devNumber {
			t.Fatalf("start %d: number %v, added %v, %v", i+1, n, added, err)
		}
	}
}
