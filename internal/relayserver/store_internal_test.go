package relayserver

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

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
	register := func(d, old *device) (ok bool) {
		t.Helper()
		if err := s.do(func(tx *sql.Tx) (err error) { ok, err = s.register(tx, d, old, nil, now); return err }); err != nil {
			t.Fatal(err)
		}
		return ok
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
	for name, use := range map[string]func(tx *sql.Tx, d *device) (bool, error){"login": s.login, "confirm": s.confirm} {
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
