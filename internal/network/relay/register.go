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
	over   chan struct{} // closed when the driver no longer waits to be admitted; nil while it does not
}

// verification is a call of Verify, or without a code of Register.
type verification struct {
	code    string
	outcome chan error // of the dial; has room for one
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
	if state, _ := d.Registration(); state != network.RegistrationUnproved {
		return d.nothingToVerify()
	}
	tried, err := d.try(ctx, code)
	if !tried && err == nil {
		return d.nothingToVerify()
	}
	return d.answer(err)
}

// Register implements network.Registrar.
func (d *Driver) Register(ctx context.Context) error {
	state, _ := d.Registration()
	if state == network.RegistrationConfirmed {
		return nil
	}
	tried, err := d.try(ctx, "")
	switch wrong, ok := errors.AsType[*relayclient.WrongCode](err); {
	case ok:
		return d.answer(wrong)
	case errors.Is(err, relayclient.ErrVerify), errors.Is(err, relayclient.ErrRegistration), errors.Is(err, relayclient.ErrRevoked), errors.Is(err, relayclient.ErrWrongKey):
		return nil
	case !tried && err == nil && state == network.RegistrationUnknown:
		return fmt.Errorf("the relay has not answered yet: is it reachable at %s?", d.o.URL)
	}
	return err
}

// try has the driver, if it waits to be admitted, dial at once. tried is false when it does not wait, or no longer.
func (d *Driver) try(ctx context.Context, code string) (tried bool, err error) {
	d.mu.RLock()
	over := d.registration.over
	d.mu.RUnlock()
	if over == nil {
		return false, nil
	}
	v := verification{code: code, outcome: make(chan error, 1)}
	select {
	case d.verifications <- v:
	case <-over:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case err := <-v.outcome: // the driver answers within dialTimeout, also when it ends
		return true, err
	case <-ctx.Done():
		return true, ctx.Err()
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

// dialUntilAdmitted dials, and while the relay does not admit the number, or wants it verified, it stays here: it asks again now and
// then, and at once when somebody wants it to.
func (d *Driver) dialUntilAdmitted(ctx context.Context, in network.Inbox) (*relayclient.Conn, error) {
	conn, err := d.dial(ctx, in, "")
	d.remember(ctx, err)
	for d.waits() && ctx.Err() == nil {
		conn, err = d.await(ctx, in, err)
		d.remember(ctx, err)
	}
	d.endWait()
	return conn, err
}

// await waits for somebody who brings a code or wants to know, or for as long as the last answer asks for, and dials.
func (d *Driver) await(ctx context.Context, in network.Inbox, last error) (*relayclient.Conn, error) {
	wait := d.askEvery
	if patience, ok := errors.AsType[*relayclient.RetryAfter](last); ok {
		wait = max(wait, patience.After)
	}
	select {
	case v := <-d.verifications:
		conn, err := d.dial(ctx, in, v.code)
		d.remember(ctx, err) // before whoever has asked looks
		v.outcome <- err
		return conn, err
	case <-time.After(wait):
		return d.dial(ctx, in, "")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answer is what whoever has brought a code is told.
func (d *Driver) answer(err error) error {
	wrong, isWrong := errors.AsType[*relayclient.WrongCode](err)
	switch {
	case err == nil:
		return nil
	case isWrong:
		return &network.WrongCode{Left: wrong.Left, After: wrong.After, Why: said(err)}
	case errors.Is(err, relayclient.ErrRegistration), errors.Is(err, relayclient.ErrRevoked):
		return &network.NotAdmitted{Why: said(err)}
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
	switch waits := state == network.RegistrationUnproved || state == network.RegistrationRefused; {
	case waits && r.over == nil:
		r.over = make(chan struct{})
	case !waits && r.over != nil:
		close(r.over)
		r.over = nil
	}
	return changed
}

// waits says whether the driver waits to be admitted.
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
