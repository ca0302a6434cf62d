package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"kabar"
	"kabar/internal/secrets"
)

// App is the server as the Graph API sees it: one app of one business, with one user whose tokens applications use. It is
// made at the first look, and sealed.
type App struct {
	ID, Business, User int64  // keys; their public ids are those of Node
	Secret             string // 32 hexadecimal digits; signs webhooks and proves tokens
	VerifyToken        string // brought to the callback that the operator names

	// What the app subscribes to: where the events of all subscribed accounts go, unless a number or an account says otherwise.
	Callback       string   `json:",omitempty"`
	CallbackFields []string `json:",omitempty"`
}

// Hearing says how an account or a number is heard of by the app.
type Hearing struct {
	Deaf     bool   `json:",omitempty"` // accounts: the app is not subscribed
	Override string `json:",omitempty"` // the URL that takes the place of the app's callback; empty: none
}

const appSecret = "graph/app"

// App returns the server as an app.
func (db *DB) App(ctx context.Context) (*App, error) {
	var app App
	err := db.knownJSON(ctx, appSecret, &app)
	if !IsNotFound(err) {
		return &app, err
	}
	err = db.Write(ctx, nil, func(tx *Tx) error {
		app = App{}
		return tx.ChangeApp(func(a *App) error { app = *a; return nil })
	})
	return &app, err
}

// ChangeApp changes the server as an app. What change refuses changes nothing.
func (tx *Tx) ChangeApp(change func(*App) error) error {
	app := &App{Secret: randomHex(16), VerifyToken: randomHex(12)}
	known, err := tx.secretJSON(appSecret, app)
	if err != nil {
		return err
	}
	if !known {
		for _, key := range []*int64{&app.ID, &app.Business, &app.User} {
			if *key, err = tx.NewKey(); err != nil {
				return err
			}
		}
	}
	if err := change(app); err != nil {
		return err
	}
	return tx.setSecretJSON(appSecret, app)
}

// AccountHearing returns how an account is heard of.
func (db *DB) AccountHearing(ctx context.Context, id kabar.AccountID) (h Hearing, err error) {
	err = db.knownJSON(ctx, hearingOf(id), &h)
	if IsNotFound(err) {
		return h, nil
	}
	return h, err
}

// AccountHearing returns how an account is heard of.
func (tx *Tx) AccountHearing(id kabar.AccountID) (h Hearing, err error) {
	_, err = tx.secretJSON(hearingOf(id), &h)
	return h, err
}

// SetAccountHearing says how an account is heard of.
func (tx *Tx) SetAccountHearing(id kabar.AccountID, h Hearing) error {
	return tx.setSecretJSON(hearingOf(id), h)
}

func hearingOf(id kabar.AccountID) string { return fmt.Sprintf("graph/account/%d", id) }

// Node returns the public id that the Graph API has for a row of any kind: a number of 15 or 16 digits.
func (db *DB) Node(key int64) uint64 { return db.refs.HideSmall(uint64(key)) }

// NodeKey returns the key behind a public id of the Graph API; false for what is none. What has the key, and whose it is,
// are other questions.
func (db *DB) NodeKey(id uint64) (key int64, ok bool) {
	k, ok := db.refs.RevealSmall(id)
	return int64(k), ok
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return hex.EncodeToString(b)
}

// knownJSON reads a secret that holds JSON.
func (db *DB) knownJSON(ctx context.Context, name string, into any) error {
	text, err := db.KnownSecret(ctx, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("decode %s: %w", name, err)
	}
	return nil
}

// secretJSON reads a secret that holds JSON, and reports whether there is one.
func (tx *Tx) secretJSON(name string, into any) (bool, error) {
	row, err := tx.meta.get("secret/" + name)
	if err != nil || row == nil {
		return false, err
	}
	master, err := tx.master()
	if err != nil {
		return false, err
	}
	text, err := master.Open(row.value, secrets.AAD("meta", row.name))
	if err != nil {
		return false, fmt.Errorf("unseal %s: %w", name, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return false, fmt.Errorf("decode %s: %w", name, err)
	}
	return true, nil
}

func (tx *Tx) setSecretJSON(name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return tx.SetSecret(name, text)
}
