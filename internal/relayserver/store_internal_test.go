package relayserver

import (
	"database/sql"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kabar/internal/relayproto"
)

func newStore(t *testing.T) *store {
	t.Helper()
	s, err := openStore(t.Context(), filepath.Join(t.TempDir(), "relay.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	return s
}

// TestAKeyThatWasReplacedMeanwhileHasNoEffect: between judging a request and storing it, another one may win.
func TestAKeyThatWasReplacedMeanwhileHasNoEffect(t *testing.T) {
	s, now := newStore(t), time.Now()
	addr := relayproto.Addr{Account: "6281", Device: 1}
	key := func(n byte) *device {
		return &device{addr: addr, class: relayproto.Class_CLASS_CUSTOMER, key: append(make([]byte, 31), n)}
	}
	register := func(d, old *device) bool {
		t.Helper()
		err := s.do(func(tx *sql.Tx) error {
			return s.enrol(tx, &application{device: d, old: old, now: now, admit: OpenRegistration})
		})
		if r, refused := errors.AsType[*refusal](err); refused && r.Code == relayproto.Refused_OVERLOADED {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	if !register(key(1), nil) || register(key(2), nil) {
		t.Fatal("two first registrations")
	}
	first, err := s.find(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	if !register(key(3), first) || register(key(4), first) {
		t.Fatal("two replacements of the same key")
	}
	for name, use := range map[string]func(tx *sql.Tx, d *device) (bool, error){
		"login":   func(tx *sql.Tx, d *device) (bool, error) { return s.login(tx, d, now) },
		"confirm": s.confirm,
	} {
		var ok bool
		if err := s.do(func(tx *sql.Tx) (err error) { ok, err = use(tx, first); return err }); err != nil || ok {
			t.Errorf("%s with a replaced key: %t, %v", name, ok, err)
		}
	}
	err = s.do(func(tx *sql.Tx) error { return s.publish(tx, first, &relayproto.Publish{Identity: []byte("old")}) })
	var r *refusal
	if !errors.As(err, &r) || r.Code != relayproto.Refused_WRONG_KEY {
		t.Errorf("publish with a replaced key: %v", err)
	}
	have, err := s.supply(t.Context(), first.id)
	if err != nil || have.complete {
		t.Errorf("the directory has %+v, %v", have, err)
	}
}

// TestWhoeverIsRevokedBeforeEnteringIsOut: between confirm and hub.enter there is no connection that Revoke could cut.
func TestWhoeverIsRevokedBeforeEnteringIsOut(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	ws, _, err := websocket.Dial(t.Context(), web.URL+relayproto.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	wire := relayproto.NewConn(ws)
	t.Cleanup(wire.Kill)
	d := &device{addr: relayproto.Addr{Account: "6281", Device: 1}, class: forHost, key: []byte("key")}
	if err := s.enrol(&application{device: d, now: time.Now(), admit: OpenRegistration}); err != nil {
		t.Fatal(err)
	}
	x := &session{server: s, wire: wire, device: d}
	if err := x.stillOurs(); err != nil {
		t.Fatalf("before: %v", err)
	}
	if _, err := s.Revoke(t.Context(), "6281", false); err != nil {
		t.Fatal(err)
	}
	if err := x.stillOurs(); !errors.Is(err, errStranger) {
		t.Errorf("revoked: %v", err)
	}
	x = &session{server: s, wire: wire, device: &device{addr: d.addr, key: []byte("another")}}
	if err := x.stillOurs(); !errors.Is(err, errStranger) {
		t.Errorf("with another key: %v", err)
	}
}
