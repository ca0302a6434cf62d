package relayserver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"kabar/internal/relayproto"
)

// attempts is how many frames a stranger may send.
const attempts = 8

// errStranger ends a connection that did not log in.
var errStranger = errors.New("relay: not logged in")

// handshake leads from hello to a confirmed login. Whoever takes too long is cut.
func (x *session) handshake() error {
	watchdog := time.AfterFunc(relayproto.LoginWithin, x.wire.Kill)
	defer watchdog.Stop()
	hello := &relayproto.Hello{Protocol: relayproto.Protocol, Relay: x.server.name, Nonce: make([]byte, relayproto.NonceSize)}
	_, _ = rand.Read(hello.Nonce) // it never fails
	if err := x.wire.Push(&relayproto.Frame{Body: &relayproto.Frame_Hello{Hello: hello}}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), relayproto.LoginWithin)
	defer cancel()
	for range attempts {
		f, err := x.wire.Read()
		if err != nil {
			return err
		}
		if b, ok := f.Body.(*relayproto.Frame_Confirm); ok && x.device != nil {
			return x.confirm(f.Id, b.Confirm)
		}
		answer, err := x.greet(ctx, hello, f)
		if errors.Is(err, relayproto.ErrMalformed) {
			return err
		}
		x.answer(f.Id, answer, err)
	}
	return errStranger
}

// greet answers one frame of a stranger.
func (x *session) greet(ctx context.Context, h *relayproto.Hello, f *relayproto.Frame) (*relayproto.Frame, error) {
	switch b := f.Body.(type) {
	case *relayproto.Frame_Register:
		return done(), x.server.register(ctx, h, b.Register)
	case *relayproto.Frame_Login:
		return x.login(ctx, h, b.Login)
	}
	return nil, fmt.Errorf("%w: not logged in", relayproto.ErrMalformed)
}

// register judges a registration. A key that is registered already is fine: its first answer was lost.
func (s *Server) register(ctx context.Context, h *relayproto.Hello, r *relayproto.Register) error {
	if wait := s.registers.take(s.now()); wait > 0 {
		return later(relayproto.Refused_LIMITED, wait, "registrations")
	}
	d := &device{addr: r.Address.Addr(), class: r.Class, key: r.PublicKey, recovery: hashed(r.Recovery)}
	if d.addr.Device != 1 {
		return refuse(relayproto.Refused_REGISTRATION, "an account has one device, number 1")
	}
	if !ed25519.Verify(d.key, relayproto.RegisterChallenge(h, d.addr, r.Class, d.key), r.Signature) {
		return refuse(relayproto.Refused_WRONG_KEY, "the signature is not of the key")
	}
	old, err := s.store.find(ctx, d.addr)
	if err != nil {
		return err
	}
	if old != nil && !old.revoked() {
		if bytes.Equal(old.key, d.key) {
			return nil
		}
		byOld := ed25519.Verify(old.key, relayproto.ReplaceChallenge(h, d.addr, r.Class, d.key), r.OldSignature)
		if !byOld && !old.mayReplace(r.Recovery) {
			return refuse(relayproto.Refused_REGISTRATION, "the account exists")
		}
	}
	return s.enrol(&application{device: d, old: old, invite: r.Invite, code: r.Code, host: hashed(r.Host), now: s.now(),
		admit: s.admission, known: slices.Contains(s.known, d.addr.Account)})
}

// enrol stores what comes of an application and ends the connection of the key it replaces.
func (s *Server) enrol(a *application) error {
	var refused error
	err := s.store.do(func(tx *sql.Tx) error {
		err := s.store.enrol(tx, a)
		if r, ok := errors.AsType[*refusal](err); ok { // to be committed
			refused = r
			return nil
		}
		return err
	})
	if err == nil && a.made != nil && s.coded != nil {
		s.coded(a.made.public())
	}
	if err = cmp.Or(err, refused); err != nil {
		return err
	}
	if a.old != nil {
		if x := s.hub.of(a.old.id); x != nil {
			x.hangUp(relayproto.Closing_REREGISTERED, "")
		}
	}
	return nil
}

// login proves the key and raises the counter, on disk, before it answers.
func (x *session) login(ctx context.Context, h *relayproto.Hello, l *relayproto.Login) (*relayproto.Frame, error) {
	s := x.server
	d, err := s.store.find(ctx, l.Address.Addr())
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, refuse(relayproto.Refused_UNKNOWN_DEVICE, "")
	}
	if d.revoked() {
		return nil, revoked("")
	}
	if !ed25519.Verify(d.key, relayproto.LoginChallenge(h, d.addr), l.Signature) {
		return nil, refuse(relayproto.Refused_WRONG_KEY, "")
	}
	var ok bool
	err = s.store.do(func(tx *sql.Tx) (err error) {
		ok, err = s.store.login(tx, d, s.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse(relayproto.Refused_WRONG_KEY, "")
	}
	have, err := s.store.supply(ctx, d.id)
	if err != nil {
		return nil, err
	}
	x.device, x.paces = d, s.limits.paces(d.class)
	return &relayproto.Frame{Body: &relayproto.Frame_LoginOk{LoginOk: &relayproto.LoginOK{
		Counter: d.counter, Previous: d.confirmed,
		OneTime: uint32(have.oneTime), OneTimeKem: uint32(have.oneTimeKEM), Published: have.complete, HighestId: have.highest,
	}}}, nil
}

// confirm notes that the device has stored its counter, and opens the mailbox.
func (x *session) confirm(id uint64, c *relayproto.Confirm) error {
	if c.Counter != x.device.counter {
		return fmt.Errorf("%w: confirm another counter than that of the login", relayproto.ErrMalformed)
	}
	var ok bool
	err := x.server.store.do(func(tx *sql.Tx) (err error) {
		ok, err = x.server.store.confirm(tx, x.device)
		return err
	})
	if err == nil && !ok {
		err = refuse(relayproto.Refused_WRONG_KEY, "")
	}
	if err != nil {
		x.answer(id, nil, err)
		return errStranger
	}
	now := int64(x.server.since())
	x.heard.Store(now)
	x.pinged.Store(now)
	if !x.server.hub.enter(x) {
		x.hangUp(relayproto.Closing_REPLACED, "")
		return errStranger
	}
	if err := x.stillOurs(); err != nil {
		return err
	}
	x.known()
	x.answer(id, done(), nil)
	x.stir(laneEnvelopes)
	x.stir(laneNotices)
	return nil
}

// stillOurs hangs up if the account was given another key or revoked between confirm and hub.enter: whoever did that found
// no connection to cut. From here on they find it.
func (x *session) stillOurs() error {
	d, err := x.server.store.find(context.Background(), x.device.addr)
	switch {
	case err != nil:
		return err
	case d.revoked():
		x.hangUp(relayproto.Closing_REVOKED, "")
		return errStranger
	case !bytes.Equal(d.key, x.device.key):
		x.hangUp(relayproto.Closing_REREGISTERED, "")
		return errStranger
	}
	return nil
}
