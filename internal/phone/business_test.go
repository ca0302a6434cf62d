package phone_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"kabar"
	"kabar/internal/attachment"
	"kabar/internal/e2ee"
	"kabar/internal/patience"
	"kabar/internal/payload"
	"kabar/internal/prekeys"
	"kabar/internal/relayclient"
)

// business is a business in miniature: it keeps its state in memory and notes what it gets.
type business struct {
	t       testing.TB
	digits  string
	options relayclient.Options
	conn    *relayclient.Conn
	stop    func()

	mu         sync.Mutex
	id         *e2ee.Identity
	keys       e2ee.PreKeys
	nextID     uint32
	peers      map[string]*e2ee.Peer
	got        []arrived         // what was decrypted, in order
	ciphertext map[string][]byte // by envelope id, of all that arrived
	unread     []string          // envelopes that could not be read
	sent       map[string]sentBy // by envelope id, for retry requests
	typing     int
	quiet      bool                                      // send no receipts
	flow       func(*kabar.FlowQuestion) *kabar.FlowStep // how a flow goes on; nil: the business says nothing
	refs       uint64
}

type arrived struct {
	from     string
	envelope string
	*payload.Payload
}

type sentBy struct {
	to string
	p  *payload.Payload
}

func newBusiness(t testing.TB, relayURL, digits string) *business {
	t.Helper()
	b := &business{t: t, digits: digits, ciphertext: map[string][]byte{}, sent: map[string]sentBy{}, peers: map[string]*e2ee.Peer{}}
	b.options = relayclient.Options{URL: relayURL, Account: digits, Class: relayclient.Business, Recovery: bytes.Repeat([]byte{7}, 32)}
	b.install()
	return b
}

// install makes an identity, registers it, and publishes keys.
func (b *business) install() {
	b.t.Helper()
	id, err := e2ee.GenerateIdentity()
	b.must(err)
	b.mu.Lock()
	b.id, b.keys, b.peers = id, e2ee.PreKeys{}, map[string]*e2ee.Peer{}
	b.mu.Unlock()
	b.options.PublicKey, b.options.Sign, b.options.Reinstall = id.Public().Sign, id.Sign, true
	b.connect()
	now := time.Now()
	signed, err := e2ee.GenerateSignedPreKey(id, b.newID(), now)
	b.must(err)
	last, err := e2ee.GenerateKEMPreKey(id, b.newID(), false, now)
	b.must(err)
	single, err := e2ee.GenerateOneTimePreKeys(b.newID(), b.newID(), b.newID())
	b.must(err)
	b.mu.Lock()
	b.keys = e2ee.PreKeys{Signed: []*e2ee.SignedPreKey{signed}, KEM: []*e2ee.KEMPreKey{last}, OneTime: single}
	b.mu.Unlock()
	s, l := prekeys.Signed(signed), prekeys.KEM(last)
	pub := relayclient.Prekeys{Identity: prekeys.Identity(id.Public()), Signed: &s, LastResort: &l}
	for _, k := range single {
		pub.OneTime = append(pub.OneTime, prekeys.OneTime(k))
	}
	b.must(b.conn.Publish(b.t.Context(), pub))
}

func (b *business) newID() uint32 { b.nextID++; return b.nextID }

// connect connects anew and receives until stop.
func (b *business) connect() {
	b.t.Helper()
	if b.stop != nil {
		b.stop()
	}
	conn, err := relayclient.Dial(b.t.Context(), b.options)
	b.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = conn.Receive(ctx, relayclient.Handler{Envelope: b.receive, Signal: b.signal})
	}()
	b.conn = conn
	b.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		_ = conn.Close()
	})
	b.t.Cleanup(b.stop)
}

func (b *business) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func addr(account string) e2ee.Address { return e2ee.Address{Account: account, Device: 1} }

func (b *business) receive(d relayclient.Delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	from, envelope := d.From.Account, hex.EncodeToString(d.ID[:])
	if before, ok := b.ciphertext[envelope]; ok && !bytes.Equal(before, d.Ciphertext) {
		b.t.Errorf("envelope %s came with two ciphertexts", envelope)
	}
	b.ciphertext[envelope] = d.Ciphertext
	defer func() { _ = b.conn.Ack(context.Background(), d.Seq) }()
	plain, next, used, err := e2ee.Decrypt(b.id, addr(b.digits), addr(from), b.peers[from], d.Ciphertext, b.keys, time.Now())
	if err != nil {
		b.unread = append(b.unread, envelope)
		return
	}
	b.peers[from] = next
	for i, k := range b.keys.OneTime {
		if k.ID == used.OneTime {
			b.keys.OneTime = append(b.keys.OneTime[:i], b.keys.OneTime[i+1:]...)
			break
		}
	}
	p, err := payload.Decode(plain)
	if err != nil {
		b.t.Errorf("the business got nonsense: %v", err)
		return
	}
	b.got = append(b.got, arrived{from, envelope, p})
	switch {
	case p.Message != nil && !b.quiet:
		go b.post(from, &payload.Payload{Receipt: &payload.Receipt{Status: "delivered", IDs: []string{p.Message.ID}}})
	case p.Asked != nil && b.flow != nil:
		step := b.flow(p.Asked)
		step.Question, step.Message = p.Asked.ID, p.Asked.Message
		go b.post(from, &payload.Payload{Step: step})
	case p.Retry != nil:
		for _, id := range p.Retry.IDs {
			if s, ok := b.sent[id]; ok {
				go b.post(s.to, s.p)
			}
		}
	}
}

func (b *business) signal(from relayclient.Address, ciphertext []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, next, err := b.peers[from.Account].OpenSignal(ciphertext)
	if err != nil {
		b.t.Errorf("open signal: %v", err)
		return
	}
	b.peers[from.Account] = next
	if p, err := payload.Decode(data); err == nil && p.Typing != nil {
		b.typing++
	}
}

// seal encrypts a payload, in a new session if there is none or the present one is due for renewal.
func (b *business) seal(to string, p *payload.Payload) relayclient.Envelope {
	b.t.Helper()
	plain, err := payload.Encode(p, time.Now())
	b.must(err)
	b.mu.Lock()
	fresh := !b.peers[to].HasSession() || b.peers[to].NeedsRehandshake(time.Now())
	b.mu.Unlock()
	if fresh {
		b.open(to)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	ciphertext, next, err := b.peers[to].Encrypt(plain, time.Now())
	b.must(err)
	b.peers[to] = next
	e := relayclient.Envelope{To: relayclient.Address{Account: to}, Ciphertext: ciphertext}
	_, _ = rand.Read(e.ID[:])
	b.sent[hex.EncodeToString(e.ID[:])] = sentBy{to, p}
	return e
}

// open begins a session, also with an identity that has changed.
func (b *business) open(to string) {
	b.t.Helper()
	var fetched *relayclient.Bundle
	var err error
	patience.Comes(func() bool { // a new customer has not published at once
		fetched, err = b.conn.FetchBundle(b.t.Context(), to)
		return !errors.Is(err, relayclient.ErrNoPrekeys) && !errors.Is(err, relayclient.ErrUnknownRecipient)
	})
	b.must(err)
	bundle, err := prekeys.Bundle(fetched)
	b.must(err)
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.peers[to]; p != nil {
		b.peers[to], err = p.Pin(bundle.Identity)
		b.must(err)
	}
	b.peers[to], err = e2ee.Initiate(b.id, addr(b.digits), addr(to), bundle, b.peers[to], time.Now())
	b.must(err)
}

func (b *business) post(to string, p *payload.Payload) {
	b.t.Helper()
	e := b.seal(to, p)
	err := b.conn.Send(context.Background(), e)
	for b.t.Context().Err() == nil {
		later, ok := errors.AsType[*relayclient.RetryAfter](err)
		if !ok {
			break
		}
		time.Sleep(later.After)
		err = b.conn.Send(context.Background(), e)
	}
	if err != nil && b.t.Context().Err() == nil {
		b.t.Errorf("the business cannot send: %v", err)
	}
}

// newRef makes the wire id of the business's next message.
func (b *business) newRef() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refs++
	var ref [9]byte
	ref[0], ref[8], ref[7] = 1, byte(b.refs), byte(b.refs>>8)
	return hex.EncodeToString(ref[:])
}

// message makes a message of the business.
func (b *business) message(content kabar.Content) *payload.Message {
	b.t.Helper()
	raw, err := payload.Strip(content)
	b.must(err)
	return &payload.Message{ID: b.newRef(), Kind: content.Kind(), Content: raw}
}

// say sends a message and returns its wire id.
func (b *business) say(to string, content kabar.Content) string {
	b.t.Helper()
	m := b.message(content)
	b.post(to, &payload.Payload{Message: m})
	return m.ID
}

func (b *business) text(to, body string) string { return b.say(to, &kabar.Text{Body: body}) }

// withMedium sends a message with a medium.
func (b *business) withMedium(to string, content kabar.Content, mime string, plain []byte) string {
	b.t.Helper()
	m := b.message(content)
	m.Medium = b.put(mime, plain)
	b.post(to, &payload.Payload{Message: m})
	return m.ID
}

// put encrypts a medium and lays it at the relay.
func (b *business) put(mime string, plain []byte) *payload.Medium {
	b.t.Helper()
	var blob bytes.Buffer
	s, err := attachment.Encrypt(&blob, bytes.NewReader(plain))
	b.must(err)
	id, err := b.conn.PutBlob(b.t.Context(), &blob, s.CipherSize, s.CipherHash)
	b.must(err)
	return &payload.Medium{Blob: id, Key: s.Key[:], CipherHash: s.CipherHash[:], CipherSize: s.CipherSize, Size: s.Size,
		SHA256: hex.EncodeToString(s.PlainHash[:]), MIME: mime}
}

// shows shows the customer that the business is writing.
func (b *business) shows(to string) {
	b.t.Helper()
	plain, err := payload.Encode(&payload.Payload{Typing: &payload.Typing{On: true}}, time.Now())
	b.must(err)
	b.mu.Lock()
	signal, next, err := b.peers[to].SealSignal(plain, time.Now())
	b.must(err)
	b.peers[to] = next
	b.mu.Unlock()
	b.must(b.conn.Signal(b.t.Context(), relayclient.Address{Account: to}, signal))
}

// all returns what has arrived so far and satisfies want.
func (b *business) all(want func(arrived) bool) (out []arrived) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.got {
		if want(a) {
			out = append(out, a)
		}
	}
	return out
}

// expect waits for the first thing that satisfies want.
func (b *business) expect(what string, want func(arrived) bool) arrived {
	b.t.Helper()
	var got arrived
	patience.Until(b.t, "the business gets "+what, func() bool {
		all := b.all(want)
		if len(all) > 0 {
			got = all[0]
		}
		return len(all) > 0
	})
	return got
}

func (b *business) expectText(body string) arrived {
	b.t.Helper()
	return b.expect("the text "+body, func(a arrived) bool { return textOf(a) == body })
}

func (b *business) expectReceipt(status, wire string) {
	b.t.Helper()
	b.expect(status+" of "+wire, func(a arrived) bool {
		if a.Receipt == nil || a.Receipt.Status != status {
			return false
		}
		return slices.Contains(a.Receipt.IDs, wire)
	})
}

func textOf(a arrived) string {
	if a.Message == nil || a.Message.Kind != kabar.KindText {
		return ""
	}
	var t kabar.Text
	_ = json.Unmarshal(a.Message.Content, &t)
	return t.Body
}

// mute has it send no receipts from now on.
func (b *business) mute() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.quiet = true
}

// unreadable returns the envelopes that it could not read.
func (b *business) unreadable() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.unread)
}
