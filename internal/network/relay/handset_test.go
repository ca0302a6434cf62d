package relay_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"kabar"
	"kabar/internal/attachment"
	"kabar/internal/e2ee"
	"kabar/internal/network/networktest"
	"kabar/internal/patience"
	"kabar/internal/payload"
	"kabar/internal/prekeys"
	"kabar/internal/relayclient"
)

// handset is a customer's app made of the same parts as the product's phone, all in memory. It knows one business.
type handset struct {
	rig     *rig
	account string
	busy    sync.Mutex // held while something is sent or read: the business's messages are worked one at a time

	mu       sync.Mutex
	identity *e2ee.Identity
	old      *e2ee.Identity // until the relay has accepted identity
	recovery []byte
	nextID   uint32
	keys     e2ee.PreKeys
	stock    int  // one-time keys of each kind that are published when it connects
	thrifty  bool // opens one session, however many envelopes it cannot read
	peer     *e2ee.Peer
	outbox   map[relayclient.MsgID]*payload.Payload
	seen     map[relayclient.MsgID]bool
	conn     *relayclient.Conn
	hungUp   atomic.Bool   // conn is being closed: what is still answered to earlier envelopes cannot be sent
	received chan struct{} // closed when nothing is received any more

	shown   []networktest.Shown
	ticks   map[string]kabar.Status
	profile kabar.Profile
	told    []*kabar.FlowStep
	asked   []string // envelopes the business wants again
	typed   int
	wires   [][]byte // every ciphertext that has arrived
	ids     []string // of the envelopes that they came in
}

func newHandset(r *rig, account string) *handset {
	h := &handset{rig: r, account: account, recovery: make([]byte, 32), nextID: 1, stock: 20, outbox: map[relayclient.MsgID]*payload.Payload{},
		seen: map[relayclient.MsgID]bool{}, ticks: map[string]kabar.Status{}}
	_, _ = rand.Read(h.recovery) // never fails
	h.identity = must(e2ee.GenerateIdentity())
	return h
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// check reports an error of what must work while the handset is online. It may be called from any goroutine.
func (h *handset) check(what string, err error) bool {
	h.rig.t.Helper()
	if err != nil && !(h.hungUp.Load() && errors.Is(err, relayclient.ErrClosed)) {
		h.rig.t.Errorf("customer %s: %s: %v", h.account, what, err)
	}
	return err == nil
}

func (h *handset) Customer() kabar.Customer { return kabar.Customer{WaID: h.account} }

// Online implements networktest.Peer.
func (h *handset) Online(on bool) {
	if h.conn != nil {
		h.hungUp.Store(true)
		_ = h.conn.Close()
		<-h.received
		h.conn = nil
	}
	if !on {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	o := relayclient.Options{URL: h.rig.url, Account: h.account, Class: relayclient.Customer, Recovery: h.recovery,
		PublicKey: h.identity.Public().Sign, Sign: h.identity.Sign}
	if h.old != nil {
		o.Reinstall, o.SignOld = true, h.old.Sign
	}
	conn, err := relayclient.Dial(ctx, o)
	if !h.check("connect", err) {
		h.rig.t.FailNow()
	}
	h.old, h.conn, h.received = nil, conn, make(chan struct{})
	if !conn.Info().Published {
		h.publish(ctx)
	}
	h.hungUp.Store(false)
	h.rig.t.Cleanup(func() { h.Online(false) })
	done := h.received
	go func() {
		defer close(done)
		_ = conn.Receive(context.Background(), relayclient.Handler{Envelope: h.envelope, Signal: h.signal}) // ends with the connection
	}()
}

// publish fills the directory.
func (h *handset) publish(ctx context.Context) {
	now := h.rig.now()
	id := func() uint32 { h.nextID++; return h.nextID - 1 }
	signed := must(e2ee.GenerateSignedPreKey(h.identity, id(), now))
	last := must(e2ee.GenerateKEMPreKey(h.identity, id(), false, now))
	h.keys.Signed, h.keys.KEM = append(h.keys.Signed, signed), append(h.keys.KEM, last)
	sp, lp := prekeys.Signed(signed), prekeys.KEM(last)
	pub := relayclient.Prekeys{Identity: prekeys.Identity(h.identity.Public()), Signed: &sp, LastResort: &lp}
	for range h.stock {
		one := must(e2ee.GenerateOneTimePreKeys(id()))[0]
		kem := must(e2ee.GenerateKEMPreKey(h.identity, id(), true, now))
		h.keys.OneTime, h.keys.KEM = append(h.keys.OneTime, one), append(h.keys.KEM, kem)
		pub.OneTime, pub.OneTimeKEM = append(pub.OneTime, prekeys.OneTime(one)), append(pub.OneTimeKEM, prekeys.KEM(kem))
	}
	h.check("publish keys", h.conn.Publish(ctx, pub))
}

func (h *handset) self() e2ee.Address   { return e2ee.Address{Account: h.account, Device: 1} }
func (h *handset) toward() e2ee.Address { return e2ee.Address{Account: business, Device: 1} }

// envelope reads what has arrived and acknowledges it.
func (h *handset) envelope(v relayclient.Delivery) {
	h.busy.Lock()
	defer h.busy.Unlock()
	h.note(func() {
		h.wires, h.ids = append(h.wires, bytes.Clone(v.Ciphertext)), append(h.ids, hex.EncodeToString(v.ID[:]))
	})
	if !h.seen[v.ID] {
		h.seen[v.ID] = true
		h.read(v)
	}
	_ = h.conn.Ack(context.Background(), v.Seq) // otherwise it comes again
}

func (h *handset) read(v relayclient.Delivery) {
	plain, next, used, err := e2ee.Decrypt(h.identity, h.self(), h.toward(), h.peer, v.Ciphertext, h.keys, h.rig.now())
	if err != nil { // a used key, too: the business's store may have gone back in time
		if !h.thrifty || !h.peer.HasSession() {
			h.open()
		}
		h.complain(hex.EncodeToString(v.ID[:]))
		return
	}
	h.peer = next
	h.keys.OneTime = slices.DeleteFunc(h.keys.OneTime, func(k *e2ee.OneTimePreKey) bool { return k.ID == used.OneTime })
	h.keys.KEM = slices.DeleteFunc(h.keys.KEM, func(k *e2ee.KEMPreKey) bool { return k.ID == used.KEM })
	p, err := payload.Decode(plain)
	if h.check("read a payload", err) {
		h.take(p)
	}
}

// complain asks for an envelope that could not be read.
func (h *handset) complain(envelope string) {
	h.post(&payload.Payload{Retry: &payload.Retry{IDs: []string{envelope}}})
}

func (h *handset) take(p *payload.Payload) {
	if p.Retry != nil {
		for _, id := range p.Retry.IDs {
			h.note(func() { h.asked = append(h.asked, id) })
			if again := h.outbox[relayclient.MsgID(must(hex.DecodeString(id)))]; again != nil {
				h.post(again)
			}
		}
		return
	}
	var medium []byte
	var cards [][]byte
	if p.Message != nil && p.Message.Medium != nil {
		medium = h.download(p.Message.Medium)
	}
	if p.Message != nil {
		for n := range p.Message.Cards {
			cards = append(cards, h.download(&p.Message.Cards[n]))
		}
	}
	h.note(func() {
		switch {
		case p.Profile != nil:
			h.profile = *p.Profile
		case p.Step != nil:
			h.told = append(h.told, p.Step)
		case p.Receipt != nil:
			for _, id := range p.Receipt.IDs {
				h.ticks[id] = p.Receipt.Rank()
			}
		case p.Message != nil && !slices.ContainsFunc(h.shown, func(s networktest.Shown) bool { return s.Ref == p.Message.ID }):
			m := p.Message
			h.shown = append(h.shown, networktest.Shown{Ref: m.ID, Content: must(kabar.DecodeContent(m.Kind, m.Content)), ReplyTo: m.ReplyTo,
				Target: m.Target, Medium: medium, Cards: cards})
		}
	})
}

func (h *handset) note(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

func (h *handset) signal(_ relayclient.Address, ciphertext []byte) {
	h.busy.Lock()
	defer h.busy.Unlock()
	plain, next, err := h.peer.OpenSignal(ciphertext)
	if !h.check("open a signal", err) {
		return
	}
	h.peer = next
	p, err := payload.Decode(plain)
	if h.check("read a signal", err) && p.Typing != nil && p.Typing.On {
		h.note(func() { h.typed++ })
	}
}

func (h *handset) download(m *payload.Medium) []byte {
	var blob bytes.Buffer
	_, err := h.conn.GetBlob(context.Background(), m.Blob, [32]byte(m.CipherHash), &blob)
	if !h.check("fetch a medium", err) {
		return nil
	}
	plain, err := io.ReadAll(attachment.Decrypt(&blob, [32]byte(m.Key), m.Size))
	h.check("decrypt a medium", err)
	return plain
}

// arrivedIDs returns the ids of the envelopes that have arrived.
func (h *handset) arrivedIDs() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ids)
}

// open begins a session with the business.
func (h *handset) open() {
	fetched, err := h.conn.FetchBundle(context.Background(), business)
	if !h.check("fetch the business's keys", err) {
		return
	}
	b := must(prekeys.Bundle(fetched))
	next, err := e2ee.Initiate(h.identity, h.self(), h.toward(), b, h.peer, h.rig.now())
	if h.check("begin a session", err) {
		h.peer = next
	}
}

func (h *handset) Shown() []networktest.Shown {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.shown)
}

// arrived returns every ciphertext that has arrived.
func (h *handset) arrived() [][]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.wires)
}

func (h *handset) Ticks() map[string]kabar.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.ticks)
}

func (h *handset) Profile() kabar.Profile {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.profile
}

// Forget implements networktest.Peer: the sessions are gone, the identity and its keys stay.
func (h *handset) Forget() {
	h.busy.Lock()
	defer h.busy.Unlock()
	h.peer = nil
}

// Reinstall implements networktest.Peer.
func (h *handset) Reinstall() {
	h.Online(false)
	fresh := newHandset(h.rig, h.account)
	h.note(func() {
		h.old, h.identity, h.keys, h.peer = h.identity, fresh.identity, e2ee.PreKeys{}, nil
		h.shown, h.outbox, h.nextID = nil, fresh.outbox, 1
	})
	h.Online(true)
}
