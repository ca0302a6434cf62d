package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kabar/internal/network"
	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
)

// registration is how the relay stands towards the number, as far as it has said:
//
//	unknown ──► unproved ──► confirmed
//	   └──────────┴──► refused        and from each to each when the relay says otherwise at a later dial
type registration struct {
	state  network.Registration
	detail string
	over   chan struct{} // closed when the driver no longer waits for a code; nil while it does not
}

// verification is a call of Verify.
type verification struct {
	code    string
	outcome chan error // has room for one
}

var _ network.Registrar = (*Driver)(nil)

// Registration implements network.Registrar.
func (d *Driver) Registration() (state network.Registration, detail string) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.registration.state, d.registration.detail
}

// Verify implements network.Registrar.
func (d *Driver) Verify(ctx context.Context, code string) error {
	code = strings.NewReplacer(" ", "", "-", "").Replace(code)
	if len(code) != relayproto.CodeSize || strings.Trim(code, "0123456789") != "" {
		return fmt.Errorf("%q is no verification code: it has %d digits", code, relayproto.CodeSize)
	}
	d.mu.RLock()
	over := d.registration.over
	d.mu.RUnlock()
	if over == nil {
		return d.nothingToVerify()
	}
	v := verification{code: code, outcome: make(chan error, 1)}
	select {
	case d.verifications <- v:
	case <-over:
		return d.nothingToVerify()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-v.outcome: // the driver answers within dialTimeout, also when it ends
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nothingToVerify says why no code is waited for; nil when the number is registered.
func (d *Driver) nothingToVerify() error {
	switch state, detail := d.Registration(); state {
	case network.RegistrationConfirmed:
		return nil
	case network.RegistrationRefused:
		return fmt.Errorf("there is nothing to verify: %s", detail)
	default:
		return fmt.Errorf("the relay has not asked for a code yet: is it reachable at %s?", d.o.URL)
	}
}

// dialUntilAdmitted dials, and while the relay wants the number verified it stays here: it asks again now and then, and at once when it
// is handed a code.
func (d *Driver) dialUntilAdmitted(ctx context.Context, in network.Inbox) (*relayclient.Conn, error) {
	conn, err := d.dial(ctx, in, "")
	d.remember(ctx, err)
	for d.waits() && ctx.Err() == nil {
		conn, err = d.awaitCode(ctx, in)
		d.remember(ctx, err)
	}
	d.endWait()
	return conn, err
}

// awaitCode waits for a code, or for a while, and dials.
func (d *Driver) awaitCode(ctx context.Context, in network.Inbox) (*relayclient.Conn, error) {
	select {
	case v := <-d.verifications:
		conn, err := d.dial(ctx, in, v.code)
		v.outcome <- d.answer(err)
		return conn, err
	case <-time.After(d.askEvery):
		return d.dial(ctx, in, "")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answer is what whoever has brought a code is told.
func (d *Driver) answer(err error) error {
	_, wrong := errors.AsType[*relayclient.WrongCode](err)
	switch {
	case err == nil:
		return nil
	case wrong, errors.Is(err, relayclient.ErrRegistration), errors.Is(err, relayclient.ErrRevoked):
		return errors.New(said(err))
	}
	return fmt.Errorf("the relay does not answer at %s; the code is still good: kabar doctor looks what is wrong (%w)", d.o.URL, err)
}

// remember keeps what the outcome of a dial says about the registration, and says it once.
func (d *Driver) remember(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	_, wrong := errors.AsType[*relayclient.WrongCode](err)
	switch {
	case err == nil:
		d.setRegistration(network.RegistrationConfirmed, "")
	case errors.Is(err, relayclient.ErrVerify):
		if d.setRegistration(network.RegistrationUnproved, toVerify(d.o.Account)) {
			d.log.Warn("the relay wants this number verified", "next", toVerify("DIGITS")) // logs show no numbers
		}
	case wrong: // a void code must not look like one that can be asked for
		d.setRegistration(network.RegistrationUnproved, said(err)+"; "+toVerify(d.o.Account))
	case errors.Is(err, relayclient.ErrRegistration), errors.Is(err, relayclient.ErrRevoked), errors.Is(err, relayclient.ErrWrongKey):
		if d.setRegistration(network.RegistrationRefused, said(err)+"; then: kabar number invite "+d.o.Account+" --invite-file FILE") {
			d.log.Warn("the relay does not admit this number", "url", d.o.URL, "err", err, "next", "kabar number invite DIGITS --invite-file FILE")
		}
	default: // the line is down: that says nothing about the registration
		d.log.Warn("connect to the relay", "url", d.o.URL, "err", err)
	}
}

// said is what the relay said, without the steps that led there.
func said(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "relay: "); i >= 0 {
		text = text[i+len("relay: "):]
	}
	return text
}

// toVerify says what a human has to do.
func toVerify(number string) string {
	return "the relay's operator sees the code with kabar relay codes; then: kabar number verify " + number + " CODE"
}

// setRegistration sets the state and says whether it is new.
func (d *Driver) setRegistration(state network.Registration, detail string) (changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := &d.registration
	changed = r.state != state || state == network.RegistrationRefused && r.detail != detail
	r.state, r.detail = state, detail
	switch waits := state == network.RegistrationUnproved; {
	case waits && r.over == nil:
		r.over = make(chan struct{})
	case !waits && r.over != nil:
		close(r.over)
		r.over = nil
	}
	return changed
}

// waits says whether the driver waits for a code.
func (d *Driver) waits() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.registration.over != nil
}

// endWait answers whoever is about to hand over a code that nobody takes any more.
func (d *Driver) endWait() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.registration.over != nil {
		close(d.registration.over)
		d.registration.over = nil
	}
}
