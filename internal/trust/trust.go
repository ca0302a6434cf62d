// Package trust keeps the certificates that administrators upload (contract On-Premises API, 1.10): the one that the server
// shows, and for each number those of the authorities that its webhooks may be signed by.
//
// They lie sealed in the store, private key included, and have their effect at once: on the next handshake of the server, and
// on the next connection of a webhook. The package parses nothing itself (certs does) and makes no request (egress does). A
// Keeper is safe for concurrent use.
package trust

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"kabar"
	"kabar/internal/certs"
	"kabar/internal/egress"
	"kabar/internal/store"
)

// Options are what a Keeper works with. All are required.
type Options struct {
	Store  *store.DB
	Certs  *certs.Certs
	Egress *egress.Client   // of webhooks whose number has uploaded nothing
	Now    func() time.Time // real time
}

// Keeper keeps what has been uploaded.
type Keeper struct {
	o       Options
	setting sync.Mutex // held while something changes: what was committed last is in use last

	mu      sync.Mutex
	clients map[kabar.NumberID]*egress.Client // of numbers with authorities of their own
}

// Names of the secrets in the store.
const externalName = "certificates/external"

func webhooksName(n kabar.NumberID) string {
	return "certificates/webhooks/" + strconv.FormatInt(int64(n), 10)
}

// New returns a keeper and takes into use what has been uploaded before. What has expired meanwhile is left out, with an error
// that names it: the caller decides whether to go on without.
func New(ctx context.Context, o Options, numbers []*kabar.Number) (*Keeper, error) {
	k := &Keeper{o: o, clients: map[kabar.NumberID]*egress.Client{}}
	var faults error
	switch text, err := o.Store.KnownSecret(ctx, externalName); {
	case err == nil:
		u, err := certs.ParseUploaded(text, o.Now())
		if err != nil {
			faults = fmt.Errorf("the uploaded certificate is not used: %w", err)
		} else {
			o.Certs.Use(u)
		}
	case !store.IsNotFound(err):
		return nil, err
	}
	for _, n := range numbers {
		text, err := o.Store.KnownSecret(ctx, webhooksName(n.ID))
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := k.trusting(n.ID, text); err != nil {
			faults = errors.Join(faults, fmt.Errorf("an uploaded authority of webhooks is not used: %w", err))
		}
	}
	return k, faults
}

// SetExternal stores the certificate that the server shows and takes it into use: PEM with private key, certificate and at
// least one intermediate certificate.
func (k *Keeper) SetExternal(ctx context.Context, text []byte) error {
	u, err := certs.ParseUploaded(text, k.o.Now())
	if err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, "", "%s", err.Error())
	}
	k.setting.Lock()
	defer k.setting.Unlock()
	if err := k.write(ctx, func(tx *store.Tx) error { return tx.SetSecret(externalName, text) }); err != nil {
		return err
	}
	k.o.Certs.Use(u)
	return nil
}

// ExternalCA returns what a client has to trust to trust this server, in PEM; nil if that is not known.
func (k *Keeper) ExternalCA() []byte { return k.o.Certs.CA() }

// SetWebhookCA stores the authorities that a number's webhooks may be signed by, beside those of the system.
func (k *Keeper) SetWebhookCA(ctx context.Context, n kabar.NumberID, text []byte) error {
	if _, err := certs.ParseCertificates(text, k.o.Now()); err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, "", "%s", err.Error())
	}
	k.setting.Lock()
	defer k.setting.Unlock()
	if err := k.write(ctx, func(tx *store.Tx) error { return tx.SetSecret(webhooksName(n), text) }); err != nil {
		return err
	}
	return k.trusting(n, text)
}

// WebhookCA returns what SetWebhookCA has stored, or refuses: there is none.
func (k *Keeper) WebhookCA(ctx context.Context, n kabar.NumberID) ([]byte, error) {
	text, err := k.o.Store.KnownSecret(ctx, webhooksName(n))
	if store.IsNotFound(err) {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "", "No webhook CA certificates found")
	}
	return text, store.Refusal(err)
}

// RemoveWebhookCA has a number's webhooks trust the system's authorities alone. It may be repeated.
func (k *Keeper) RemoveWebhookCA(ctx context.Context, n kabar.NumberID) error {
	k.setting.Lock()
	defer k.setting.Unlock()
	if err := k.write(ctx, func(tx *store.Tx) error { return tx.RemoveSecret(webhooksName(n)) }); err != nil {
		return err
	}
	k.replace(n, nil)
	return nil
}

// Client returns the client of a number's webhooks as it is now.
func (k *Keeper) Client(n kabar.NumberID) *egress.Client {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.clients[n]; c != nil {
		return c
	}
	return k.o.Egress
}

// StoredClient returns a client of a number's webhooks for a store whose server does not run: base, with what the number has
// uploaded. What has expired meanwhile is an error.
func StoredClient(ctx context.Context, db *store.DB, base *egress.Client, n kabar.NumberID, now time.Time) (*egress.Client, error) {
	text, err := db.KnownSecret(ctx, webhooksName(n))
	if store.IsNotFound(err) {
		return base, nil
	}
	if err != nil {
		return nil, err
	}
	return withAuthorities(base, text, now)
}

// CloseIdleConnections closes the connections of all clients that no request uses.
func (k *Keeper) CloseIdleConnections() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.o.Egress.CloseIdleConnections()
	for _, c := range k.clients {
		c.CloseIdleConnections()
	}
}

// trusting gives a number a client of its own.
func (k *Keeper) trusting(n kabar.NumberID, text []byte) error {
	c, err := withAuthorities(k.o.Egress, text, k.o.Now())
	if err != nil {
		return err
	}
	k.replace(n, c)
	return nil
}

// withAuthorities returns a client that trusts uploaded authorities beside those of the system.
func withAuthorities(base *egress.Client, text []byte, now time.Time) (*egress.Client, error) {
	all, err := certs.ParseCertificates(text, now)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a machine without any: the uploaded ones still count
	}
	for _, c := range all {
		roots.AddCert(c)
	}
	return base.WithTLS(roots, nil), nil
}

// replace changes a number's client. Connections of the old one that are idle are not used again.
func (k *Keeper) replace(n kabar.NumberID, c *egress.Client) {
	k.mu.Lock()
	old := k.clients[n]
	if c == nil {
		delete(k.clients, n)
	} else {
		k.clients[n] = c
	}
	k.mu.Unlock()
	if old != nil {
		old.CloseIdleConnections()
	}
}

func (k *Keeper) write(ctx context.Context, do func(*store.Tx) error) error {
	return store.Refusal(k.o.Store.Write(ctx, nil, do))
}
