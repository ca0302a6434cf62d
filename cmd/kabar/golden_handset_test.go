package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"testing"
	"time"

	"kabar/internal/attachment"
	"kabar/internal/e2ee"
	"kabar/internal/golden"
	"kabar/internal/payload"
	"kabar/internal/prekeys"
	"kabar/internal/relayclient"
)

// goldenHandset is a customer's handset that says what it is told to and nothing else: the product's phones confirm what they get,
// have names, and quote what they know. It is always switched on, keeps everything in memory, and knows the first number alone.
type goldenHandset struct {
	t        *testing.T
	account  string
	identity *e2ee.Identity
	conn     *relayclient.Conn
	done     chan struct{} // closed when it receives no more

	mu   sync.Mutex
	keys e2ee.PreKeys
	peer *e2ee.Peer
	got  map[string]bool // messages, by their ids
}

// newGoldenHandset registers an account, or installs it anew with another identity.
func newGoldenHandset(t *testing.T, relay, account string, identity *e2ee.Identity) *goldenHandset {
	t.Helper()
	h := &goldenHandset{t: t, account: account, identity: identity, done: make(chan struct{}), got: map[string]bool{}}
	recovery := sha256.Sum256([]byte(account)) // whoever has the account has it
	var err error
	h.conn, err = relayclient.Dial(t.Context(), relayclient.Options{URL: "ws://" + relay, Account: account, Class: relayclient.Customer,
		PublicKey: identity.Public().Sign, Sign: identity.Sign, Recovery: recovery[:], Reinstall: true})
	h.must(err)
	h.publish()
	go func() {
		defer close(h.done)
		_ = h.conn.Receive(context.Background(), relayclient.Handler{Envelope: h.receive}) // ends with the connection
	}()
	t.Cleanup(func() {
		_ = h.conn.Close() // nothing is left to be said
		<-h.done
	})
	return h
}

func (h *goldenHandset) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("handset %s: %v", h.account, err)
	}
}

// publish gives the directory keys by which the number can begin a session.
func (h *goldenHandset) publish() {
	h.t.Helper()
	now := time.Now()
	signed, err := e2ee.GenerateSignedPreKey(h.identity, 1, now)
	h.must(err)
	last, err := e2ee.GenerateKEMPreKey(h.identity, 2, false, now)
	h.must(err)
	h.keys = e2ee.PreKeys{Signed: []*e2ee.SignedPreKey{signed}, KEM: []*e2ee.KEMPreKey{last}}
	s, l := prekeys.Signed(signed), prekeys.KEM(last)
	h.must(h.conn.Publish(h.t.Context(), relayclient.Prekeys{Identity: prekeys.Identity(h.identity.Public()), Signed: &s, LastResort: &l}))
}

func (h *goldenHandset) self() e2ee.Address { return e2ee.Address{Account: h.account, Device: 1} }
func (h *goldenHandset) ours() e2ee.Address { return e2ee.Address{Account: golden.Ours, Device: 1} }

// receive notes which message has come. What was meant for an earlier installation cannot be read.
func (h *goldenHandset) receive(d relayclient.Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if plain, next, _, err := e2ee.Decrypt(h.identity, h.self(), h.ours(), h.peer, d.Ciphertext, h.keys, time.Now()); err == nil {
		h.peer = next
		if p, err := payload.Decode(plain); err != nil {
			h.t.Errorf("handset %s: %v", h.account, err)
		} else if p.Message != nil {
			h.got[p.Message.ID] = true
		}
	}
	_ = h.conn.Ack(context.Background(), d.Seq) // otherwise it comes again
}

// has reports whether a message has come.
func (h *goldenHandset) has(message string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.got[message]
}

// say says something to the number, and returns the envelope it lies in.
func (h *goldenHandset) say(p *payload.Payload) (envelope string) {
	h.t.Helper()
	plain, err := payload.Encode(p, time.Now())
	h.must(err)
	h.begin()
	h.mu.Lock()
	ciphertext, next, err := h.peer.Encrypt(plain, time.Now())
	h.peer = next
	h.mu.Unlock()
	h.must(err)
	e := relayclient.Envelope{To: relayclient.Address{Account: golden.Ours}, Ciphertext: ciphertext}
	_, _ = rand.Read(e.ID[:]) // never fails
	h.must(h.conn.Send(h.t.Context(), e))
	return hex.EncodeToString(e.ID[:])
}

// begin begins a session, if there is none.
func (h *goldenHandset) begin() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.peer.HasSession() {
		return
	}
	fetched, err := h.conn.FetchBundle(h.t.Context(), golden.Ours)
	h.must(err)
	bundle, err := prekeys.Bundle(fetched)
	h.must(err)
	h.peer, err = e2ee.Initiate(h.identity, h.self(), h.ours(), bundle, h.peer, time.Now())
	h.must(err)
}

// medium brings a file to the relay, and returns how it is to be opened. That it is announced as another one is a lie.
func (h *goldenHandset) medium(plain, announced []byte, mime string) *payload.Medium {
	h.t.Helper()
	var blob bytes.Buffer
	s, err := attachment.Encrypt(&blob, bytes.NewReader(plain))
	h.must(err)
	id, err := h.conn.PutBlob(h.t.Context(), &blob, s.CipherSize, s.CipherHash)
	h.must(err)
	sum := sha256.Sum256(announced)
	return &payload.Medium{Blob: id, Key: slices.Clone(s.Key[:]), CipherHash: slices.Clone(s.CipherHash[:]), CipherSize: s.CipherSize, Size: s.Size,
		SHA256: hex.EncodeToString(sum[:]), MIME: mime}
}
