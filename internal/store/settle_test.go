package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kabar/internal/patience"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestALostAnswerToACommitIsFound cuts the connection at the commit, before it reaches the server or behind it, with a new
// connection at once or later. What waits for the commit must be told once, if it has happened, and never otherwise.
func TestALostAnswerToACommitIsFound(t *testing.T) {
	storetest.Postgres(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error { return tx.SetState(s.A, "old", 0, []byte("1")) })
		s.Close(t)
		w := newWire(t, s)
		s.Reopen(t)
		events := 0
		for _, c := range []struct {
			tag        string
			reaches    bool
			away       bool
			wantStored bool
		}{{"490", true, false, true}, {"491", false, false, false}, {"492", true, true, true}, {"493", false, true, false}} {
			var told atomic.Int32
			w.cut(c.reaches, c.away)
			err := s.DB.Write(t.Context(), nil, func(tx *store.Tx) error {
				tx.After(func() { told.Add(1) })
				return errors.Join(busy(s, s.A, c.tag)(tx), tx.SetSecret("changed", []byte(c.tag)), tx.RemoveLogin("none"))
			})
			known := c.reaches && !c.away
			if known != (err == nil) || (err != nil && !errors.As(err, new(*store.UnavailableError))) {
				t.Errorf("%+v: Write = %v", c, err)
			}
			if (told.Load() == 1) != known {
				t.Errorf("%+v: told %d times at once", c, told.Load())
			}
			w.heal()
			if c.wantStored { // nobody writes: the writer looks for itself
				patience.Until(t, fmt.Sprintf("%+v: told", c), func() bool { return told.Load() > 0 })
			}
			works(t, s)
			if (told.Load() == 1) != c.wantStored {
				t.Errorf("%+v: told %d times", c, told.Load())
			}
			if _, err := s.DB.FindConversation(t.Context(), s.A.ID, c.tag); (err == nil) != c.wantStored {
				t.Errorf("%+v: stored: %v", c, err)
			}
			if c.wantStored {
				events++
			}
		}
		if n := checkLog(t, s, s.A.ID); n != events {
			t.Errorf("%d events, want %d", n, events)
		}
	})
}

// wire lies between a store and its server, and can be cut.
type wire struct {
	mu      sync.Mutex
	armed   bool // the next commit cuts it
	reaches bool // the server hears of that commit
	away    bool // nobody gets through
	leave   bool // and nobody will after the cut

	network, address string
}

// newWire has the Env's store go through a wire from its next start on.
func newWire(t *testing.T, s *storetest.Env) *wire {
	t.Helper()
	conf, err := pgx.ParseConfig(s.Options.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "wire-") //nolint:usetesting // the path of a Unix socket must be short
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{}
	w.network, w.address = pgconn.NetworkAddress(conf.Host, conf.Port)
	ln, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(ln.Close(), os.RemoveAll(dir)) })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	u, err := url.Parse(s.Options.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = ""
	q := u.Query()
	q.Set("host", dir)
	q.Set("user", conf.User)
	u.RawQuery, u.User = q.Encode(), nil
	s.Options.URL = u.String()
	return w
}

func (w *wire) cut(reaches, away bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed, w.reaches, w.leave = true, reaches, away
}

func (w *wire) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away = false
}

// carry carries one connection.
func (w *wire) carry(client net.Conn) {
	defer func() { _ = client.Close() }()
	w.mu.Lock()
	away := w.away
	w.mu.Unlock()
	server, err := net.Dial(w.network, w.address)
	if err != nil || away {
		return
	}
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.Copy(client, server) }()
	b := make([]byte, 64<<10)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		if bytes.Contains(b[:n], []byte("commit\x00")) && w.cutAt(client, server, b[:n]) {
			return
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

// cutAt cuts the connection at a commit, if that was asked for.
func (w *wire) cutAt(client, server net.Conn, commit []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.armed {
		return false
	}
	w.armed, w.away = false, w.leave
	_ = client.Close() // first: no answer must come through
	if w.reaches {
		_, _ = server.Write(commit)
		_ = server.(interface{ CloseWrite() error }).CloseWrite()
		_ = server.SetReadDeadline(time.Now().Add(patience.Limit))
		_, _ = io.Copy(io.Discard, server) // the server has done it when it hangs up
	}
	return true
}
