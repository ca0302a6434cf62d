package relayclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar/internal/relayproto"
)

// handshake does everything between the connection and Confirm. It starts the reader.
func (c *Conn) handshake(ctx context.Context) error {
	hello, err := c.hello(ctx)
	if err != nil {
		return err
	}
	c.watchdog = time.AfterFunc(relayproto.SilentAfter, func() { c.fail(ErrSilent) })
	c.reader.Go(c.read)
	if err := c.loginOrRegister(ctx, hello); err != nil {
		return err
	}
	if c.opts.OnLogin != nil {
		if err := c.opts.OnLogin(ctx, c.info); err != nil {
			return fmt.Errorf("store login: %w", err)
		}
	}
	return c.order(ctx, &relayproto.Frame{Body: &relayproto.Frame_Confirm{Confirm: &relayproto.Confirm{Counter: c.info.Counter}}})
}

// hello reads the relay's first frame.
func (c *Conn) hello(ctx context.Context) (*relayproto.Hello, error) {
	stop := context.AfterFunc(ctx, c.wire.Kill)
	defer stop()
	f, err := c.wire.Read()
	if err != nil {
		return nil, errors.Join(err, ctx.Err())
	}
	h := f.GetHello()
	switch {
	case h == nil:
		return nil, fmt.Errorf("%w: the relay did not say hello", ErrMalformed)
	case h.Protocol != relayproto.Protocol:
		return nil, fmt.Errorf("the relay speaks %q, this program %q", h.Protocol, relayproto.Protocol)
	case c.opts.Relay != "" && c.opts.Relay != h.Relay:
		return nil, fmt.Errorf("the relay calls itself %q, want %q", h.Relay, c.opts.Relay)
	}
	return h, nil
}

// loginOrRegister logs in. An unknown address is registered first; one with another key only when that was asked for, and
// a revoked one only with an invite, which may be a new one.
func (c *Conn) loginOrRegister(ctx context.Context, h *relayproto.Hello) error {
	err := c.login(ctx, h)
	switch {
	case errors.Is(err, ErrUnknownDevice):
	case errors.Is(err, ErrWrongKey) && c.opts.Reinstall:
	case errors.Is(err, ErrRevoked) && c.opts.Invite != "":
	default:
		return err
	}
	if err := c.order(ctx, c.registration(h)); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	c.info.Registered = true
	return c.login(ctx, h)
}

func (c *Conn) login(ctx context.Context, h *relayproto.Hello) error {
	me := c.opts.address()
	f, err := c.ask(ctx, &relayproto.Frame{Body: &relayproto.Frame_Login{Login: &relayproto.Login{
		Address:   me.Proto(),
		Signature: c.opts.Sign(relayproto.LoginChallenge(h, me)),
	}}})
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	ok := f.GetLoginOk()
	if ok == nil {
		return fmt.Errorf("%w: login was not answered", ErrMalformed)
	}
	c.info.Counter, c.info.Previous = ok.Counter, ok.Previous
	c.info.OneTime, c.info.OneTimeKEM, c.info.Published = int(ok.OneTime), int(ok.OneTimeKem), ok.Published
	c.info.HighestID = ok.HighestId
	return nil
}

func (c *Conn) registration(h *relayproto.Hello) *relayproto.Frame {
	me, class, key := c.opts.address(), c.opts.Class.proto(), c.opts.PublicKey
	r := &relayproto.Register{
		Address:   me.Proto(),
		Class:     class,
		PublicKey: key,
		Signature: c.opts.Sign(relayproto.RegisterChallenge(h, me, class, key)),
		Invite:    c.opts.Invite,
		Recovery:  c.opts.Recovery,
		Host:      c.opts.Host,
		Code:      c.opts.Code,
	}
	if c.opts.SignOld != nil {
		r.OldSignature = c.opts.SignOld(relayproto.ReplaceChallenge(h, me, class, key))
	}
	return &relayproto.Frame{Body: &relayproto.Frame_Register{Register: r}}
}
