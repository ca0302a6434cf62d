package relayclient_test

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kabar/internal/patience"
	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
)

// fake is a relay that does what a test wants.
type fake struct {
	t   testing.TB
	url string
}

// newFake runs script for each connection and hangs up when it returns.
func newFake(t testing.TB, script func(c *relayproto.Conn)) *fake {
	mux := http.NewServeMux()
	mux.HandleFunc(relayproto.Path, func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c := relayproto.NewConn(ws)
		script(c)
		c.Close(time.Second)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return &fake{t: t, url: "ws" + strings.TrimPrefix(srv.URL, "http")}
}

func (f *fake) options() relayclient.Options {
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return relayclient.Options{
		URL: f.url, Account: "6281", PublicKey: pub,
		Sign: func(m []byte) []byte { return ed25519.Sign(priv, m) },
	}
}

func (f *fake) dial() (*relayclient.Conn, error) {
	ctx, cancel := context.WithTimeout(f.t.Context(), patience.Limit)
	defer cancel()
	c, err := relayclient.Dial(ctx, f.options())
	if err == nil {
		f.t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

func hello(c *relayproto.Conn, h *relayproto.Hello) {
	_ = c.Push(&relayproto.Frame{Body: &relayproto.Frame_Hello{Hello: h}}) // the device may have gone
}

// welcome logs whoever comes in.
func welcome(c *relayproto.Conn) bool {
	hello(c, &relayproto.Hello{Protocol: relayproto.Protocol, Relay: "fake", Nonce: make([]byte, relayproto.NonceSize)})
	return answer(c, &relayproto.Frame{Body: &relayproto.Frame_LoginOk{LoginOk: &relayproto.LoginOK{Counter: 1}}}) &&
		answer(c, &relayproto.Frame{Body: &relayproto.Frame_Done{Done: &relayproto.Done{}}})
}

// answer reads a request and gives f as the answer.
func answer(c *relayproto.Conn, f *relayproto.Frame) bool {
	got, err := c.Read()
	if err != nil {
		return false
	}
	f.Id = got.Id
	return c.Push(f) == nil
}

// hold reads until the device hangs up.
func hold(c *relayproto.Conn) {
	for {
		if _, err := c.Read(); err != nil {
			return
		}
	}
}
