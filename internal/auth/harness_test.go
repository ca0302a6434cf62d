package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

const (
	goodPassword = "Secret-12"
	monitorKey   = "watch-me-well"
)

// clock is a settable time.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time {
	return time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC).Add(time.Duration(c.offset.Load()))
}
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// env is an Auth over a store with two numbers of two accounts.
type env struct {
	*Auth
	db    *store.DB
	clock *clock
	a, b  *kabar.Number
}

func newEnv(t testing.TB) *env {
	t.Helper()
	return newEnvLogging(t, nil)
}

func newEnvLogging(t testing.TB, log *slog.Logger) *env {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "kabar.db"), Master: secrets.NewKey(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	e := &env{db: db, clock: &clock{}}
	e.a, e.b = e.number(t, "15550100001"), e.number(t, "15550100002")
	if e.Auth, err = New(t.Context(), Options{Store: db, MonitorKey: monitorKey, Now: e.clock.now}); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *env) number(t testing.TB, digits string) *kabar.Number {
	t.Helper()
	n := &kabar.Number{Digits: digits}
	err := e.db.Write(t.Context(), nil, func(tx *store.Tx) error {
		account := &kabar.Account{Name: digits}
		if err := tx.AddAccount(account, e.clock.now()); err != nil {
			return err
		}
		n.Account = account.ID
		return tx.AddNumber(n, kabar.Settings{}, e.clock.now())
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// user adds a user with goodPassword, hashed at a cost that spares the tests time.
func (e *env) user(t testing.TB, n *kabar.Number, name, role string, mustChange bool) {
	t.Helper()
	u := &store.User{Account: n.Account, Number: n.ID, Name: name, Role: role, Hash: weakHash(goodPassword), MustChange: mustChange}
	if err := e.db.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.AddUser(u, e.clock.now()) }); err != nil {
		t.Fatal(err)
	}
}

func (e *env) token(t testing.TB, name string) string {
	t.Helper()
	tok, err := e.Issue(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return tok.Token
}

func (e *env) apiKey(t testing.TB, n *kabar.Number, scopes ...string) string {
	t.Helper()
	key, g := NewKey(), Grant{Scopes: scopes, Label: "test"}
	if n != nil {
		g.Account, g.Number = n.Account, n.ID
	}
	if err := e.AddKey(t.Context(), key, g); err != nil {
		t.Fatal(err)
	}
	return key
}

func (e *env) login(name, password, fresh string) error {
	_, err := e.Login(context.Background(), Credentials{User: name, Password: password, NewPassword: fresh})
	return err
}

// wantReason checks that err is a refusal with the reason.
func wantReason(t testing.TB, err error, want kabar.Reason) {
	t.Helper()
	if got := reasonOf(err); got != want {
		t.Errorf("got %v, want the reason %q", err, want)
	}
}

func reasonOf(err error) kabar.Reason {
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		return refused.Reason
	}
	if err != nil {
		return kabar.Reason(fmt.Sprintf("no refusal: %v", err))
	}
	return ""
}
