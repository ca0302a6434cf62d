package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"kabar/internal/patience"
	"kabar/internal/relayclient"
)

// device connects to a relay as a new device; what it registers as and whether it may is told by the error.
func device(t *testing.T, r *running, class relayclient.Class, name string) (*relayclient.Conn, error) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), patience.Limit)
	defer stop()
	c, err := relayclient.Dial(ctx, relayclient.Options{URL: "ws://" + r.addr, Account: name, PublicKey: public, Class: class,
		Sign: func(text []byte) []byte { return ed25519.Sign(private, text) }})
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

// mustDevice is a device that may connect.
func mustDevice(t *testing.T, r *running, class relayclient.Class, name string) *relayclient.Conn {
	t.Helper()
	c, err := device(t, r, class, name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sends counts the envelopes to an account that a relay takes until it refuses one, of most at most.
func sends(t *testing.T, c *relayclient.Conn, to string, most int) (int, error) {
	t.Helper()
	for n := range most {
		e := relayclient.Envelope{To: relayclient.Address{Account: to}, Ciphertext: []byte("x")}
		_, _ = rand.Read(e.ID[:]) // it never fails
		if err := c.Send(t.Context(), e); err != nil {
			return n, err
		}
	}
	return most, nil
}

// proveRegistration registers devices at relays that take none, few and all.
func proveRegistration(p *prover) {
	c := minimal(p.T, p.program)
	r := launch(p.T, p.program, c)
	_, err := device(p.T, r, relayclient.Customer, "34600111222")
	p.shows("open-registration", errors.Is(err, relayclient.ErrRegistration), "without it: %v", err)
	r.end()
	register := func(limit float64) (n int, err error) {
		r := launch(p.T, p.program, minimal(p.T, p.program).with(conf{"open-registration": true, "limit-registrations": limit}))
		defer r.end()
		for ; n < 25 && err == nil; n++ {
			_, err = device(p.T, r, relayclient.Customer, fmt.Sprint(34600111000+n))
		}
		return n, err
	}
	n, err := register(-1)
	p.shows("open-registration", err == nil, "the device %d was refused: %v", n, err)
	p.shows("limit-registrations", err == nil, "-1: the device %d was refused: %v", n, err)
	n, err = register(2)
	p.shows("limit-registrations", errors.Is(err, relayclient.ErrLimited) && n > 2, "2: %d at once, and %v", n, err)
}

// proveEnvelopes lets a business and a customer send as fast as they can.
func proveEnvelopes(p *prover) {
	r := launch(p.T, p.program, minimal(p.T, p.program).with(conf{"open-registration": true, "limit-business-envelopes": 20, "limit-customer-envelopes": 4}))
	customer, business := mustDevice(p.T, r, relayclient.Customer, "34600111222"), mustDevice(p.T, r, relayclient.Business, "628111000200")
	few, err := sends(p.T, customer, "628111000200", 45)
	p.shows("limit-customer-envelopes", errors.Is(err, relayclient.ErrLimited) && few >= 4, "4: %d at once, and %v", few, err)
	more, err := sends(p.T, business, "34600111222", 1000)
	p.shows("limit-business-envelopes", errors.Is(err, relayclient.ErrLimited) && more >= 20, "20: %d at once, and %v", more, err)
	p.shows("limit-business-envelopes", more > few, "a business may send %d, a customer %d", more, few)
}

// proveMailbox fills the mailbox of a device that fetches nothing, and looks how long the relay is going to keep that.
func proveMailbox(p *prover) {
	r := launch(p.T, p.program, minimal(p.T, p.program).with(conf{"open-registration": true, "mailbox": 7, "keep": "2h",
		"limit-business-envelopes": -1, "limit-customer-envelopes": -1}))
	if err := mustDevice(p.T, r, relayclient.Customer, "34600111222").Close(); err != nil {
		p.Fatal(err)
	}
	n, err := sends(p.T, mustDevice(p.T, r, relayclient.Business, "628111000200"), "34600111222", 100)
	p.shows("mailbox", errors.Is(err, relayclient.ErrMailboxFull) && n == 7, "7: %d, and %v", n, err)
	r.end()
	db, err := sql.Open("sqlite", filepath.Join(r.data, "relay.db"))
	if err != nil {
		p.Fatal(err)
	}
	defer db.Close()
	var shortest, longest int64
	if err := db.QueryRow("SELECT min(expires_at - stored_at), max(expires_at - stored_at) FROM entry WHERE lane = 0").Scan(&shortest, &longest); err != nil {
		p.Fatal(err)
	}
	p.shows("keep", shortest == longest && longest == (2*time.Hour).Milliseconds(), "2h: envelopes wait for %d to %d ms", shortest, longest)
}

// proveBlobSpace uploads media until there is no room for more.
func proveBlobSpace(p *prover) {
	r := launch(p.T, p.program, minimal(p.T, p.program).with(conf{"open-registration": true, "blob-space": "2500B"}))
	c := mustDevice(p.T, r, relayclient.Business, "628111000200")
	medium := make([]byte, 1000)
	put := func() error {
		_, _ = rand.Read(medium) // it never fails
		_, err := c.PutBlob(p.Context(), bytes.NewReader(medium), int64(len(medium)), sha256.Sum256(medium))
		return err
	}
	first, second, third := put(), put(), put()
	p.shows("blob-space", first == nil && second == nil && errors.Is(third, relayclient.ErrOverloaded), "2500B: media of 1000 B: %v, %v, %v", first, second, third)
}
