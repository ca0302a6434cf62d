package relayserver_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// private runs a relay that admits by invite, with a clock that moves only when it is told to.
func private(t testing.TB) *relay {
	t.Helper()
	r := &relay{t: t, dir: t.TempDir(), addr: "127.0.0.1:0", skew: new(atomic.Int64)}
	r.skew.Store(time.Now().Truncate(time.Millisecond).UnixNano())
	r.private()
	return r
}

// private runs the relay of the folder on the address it had before.
func (r *relay) private() {
	r.t.Helper()
	server, err := relayserver.Open(r.t.Context(), relayserver.Options{Dir: r.dir, Limits: relayserver.NoLimits(),
		Now: func() time.Time { return time.Unix(0, r.skew.Load()) }, Log: slog.New(slog.NewTextHandler(r.t.Output(), nil))})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Server = server
	r.serve(r.addr)
}

// invite makes an invite and returns its text and its id.
func (r *relay) invite(n relayserver.NewInvite) (secret, id string) {
	r.t.Helper()
	secret, made, err := r.Invite(r.t.Context(), n)
	if err != nil {
		r.t.Fatal(err)
	}
	return secret, made.ID
}

// code returns the code that is pending for a number; empty when it is void.
func (r *relay) code(number string) relayserver.Code {
	r.t.Helper()
	all, err := r.Codes(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c relayserver.Code) bool { return c.Number == number })
	if i < 0 {
		r.t.Fatalf("no code for %s among %+v", number, all)
	}
	return all[i]
}

// wrong returns a code that is not the pending one.
func (r *relay) wrong(number string) string {
	if r.code(number).Code == "000000" {
		return "000001"
	}
	return "000000"
}

func (r *relay) revoke(what string, customers bool) relayserver.Revoked {
	r.t.Helper()
	out, err := r.Revoke(r.t.Context(), what, customers)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// with returns d with an invite and a code.
func (d *device) with(invite, code string) *device {
	d.options.Invite, d.options.Code = invite, code
	return d
}

// of returns d as a customer of a host.
func (d *device) of(host []byte) *device {
	d.options.Host = host
	return d
}

// enters registers a business with an invite and its code.
func (d *device) enters(invite string) *client {
	d.relay.t.Helper()
	if _, err := d.with(invite, "").try(); !errors.Is(err, relayclient.ErrVerify) {
		d.relay.t.Fatalf("without a code: %v", err)
	}
	return d.with(invite, d.relay.code(d.options.Account).Code).dial()
}

func newHost() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails
	return b
}

const shop, otherShop, ana, budi = "628111000200", "628111000201", "34600111222", "6281234567890"

// left checks that err is a wrong code with so many attempts left.
func left(t *testing.T, err error, want int) *relayclient.WrongCode {
	t.Helper()
	w, ok := errors.AsType[*relayclient.WrongCode](err)
	if !ok || w.Left != want {
		t.Fatalf("a wrong code: %v, want %d attempts left", err, want)
	}
	return w
}

func TestABusinessRegistersWithInviteAndCode(t *testing.T) {
	r := private(t)
	d := r.business(shop)
	if _, err := d.try(); !errors.Is(err, relayclient.ErrRegistration) || !errorHas(err, "by invite") {
		t.Fatalf("without an invite: %v", err)
	}
	invite, id := r.invite(relayserver.NewInvite{})
	if _, err := d.with(invite, "").try(); !errors.Is(err, relayclient.ErrVerify) || !errorHas(err, "kabar relay codes") {
		t.Fatalf("without a code: %v", err)
	}
	first := r.code(shop)
	if len(first.Code) != 6 || first.Left != 5 || first.Invite != id {
		t.Fatalf("the code is %+v", first)
	}
	for range 3 { // asking again changes nothing
		if _, err := d.try(); !errors.Is(err, relayclient.ErrVerify) {
			t.Fatal(err)
		}
	}
	if again := r.code(shop); again != first {
		t.Fatalf("asked again, the code is %+v, was %+v", again, first)
	}
	_, err := d.with(invite, r.wrong(shop)).try()
	left(t, err, 4)
	if _, err := d.with(invite, "").try(); !errors.Is(err, relayclient.ErrVerify) || r.code(shop).Left != 4 {
		t.Fatalf("asking again after a wrong code: %v, %d attempts left", err, r.code(shop).Left)
	}
	// The relay is started anew between code and verification.
	r.stop()
	r.private()
	c := d.with(invite, first.Code).dial()
	if !c.Info().Registered {
		t.Error("not registered")
	}
	if all, err := r.Codes(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("codes left: %v, %v", all, err)
	}
	_ = c.Close()
	if d.with("", "").dial().Info().Registered {
		t.Error("registered again")
	}
	other := r.business(otherShop)
	if _, err := other.with(invite, "").try(); !errorHas(err, "used already") {
		t.Errorf("a second number with the invite: %v", err)
	}
	if _, err := r.business(shop).with("", "").try(); !errors.Is(err, relayclient.ErrWrongKey) {
		t.Errorf("the number with another key: %v", err)
	}
}

func TestAVoidCodeMakesWayAfterItsHour(t *testing.T) {
	r := private(t)
	invite, _ := r.invite(relayserver.NewInvite{})
	d := r.business(shop).with(invite, "")
	_, _ = d.try() // makes the code
	r.shift(20 * time.Minute)
	code := r.code(shop).Code
	d.options.Code = r.wrong(shop)
	for n := 4; n > 0; n-- {
		_, err := d.try()
		left(t, err, n)
	}
	_, err := d.try()
	if w := left(t, err, 0); w.After != 40*time.Minute {
		t.Errorf("a new code in %s, want 40m", w.After)
	}
	if c := r.code(shop); c.Code != "" || c.Left != 0 {
		t.Errorf("the void code is %+v", c)
	}
	for _, c := range []string{code, "", "000000"} { // the right one, too
		_, err := d.with(invite, c).try()
		left(t, err, 0)
	}
	r.shift(40*time.Minute - time.Millisecond)
	_, err = d.with(invite, code).try()
	left(t, err, 0)
	r.skew.Add(int64(time.Millisecond)) // and no sweep comes to help
	if _, err := d.with(invite, "").try(); !errors.Is(err, relayclient.ErrVerify) {
		t.Fatalf("after the hour: %v", err)
	}
	if next := r.code(shop); next.Left != 5 {
		t.Errorf("the next code is %+v", next)
	}
	d.with(invite, r.code(shop).Code).dial()
}

func TestACodeIsGoodForAnHour(t *testing.T) {
	r := private(t)
	invite, _ := r.invite(relayserver.NewInvite{})
	d := r.business(shop).with(invite, "")
	_, _ = d.try() // makes the code
	first := r.code(shop).Code
	r.shift(time.Hour)
	if all, err := r.Codes(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after an hour: %+v, %v", all, err)
	}
	if _, err := d.with(invite, first).try(); !errors.Is(err, relayclient.ErrVerify) { // a new one is made, and none wrong
		t.Fatalf("with the code of before: %v", err)
	}
	if r.code(shop).Left != 5 {
		t.Errorf("the new code is %+v", r.code(shop))
	}
	r.shift(time.Hour - time.Millisecond)
	d.with(invite, r.code(shop).Code).dial()
}

// TestAReservationEndsWithItsCode: an invite serves for one number at a time.
func TestAReservationEndsWithItsCode(t *testing.T) {
	r := private(t)
	invite, _ := r.invite(relayserver.NewInvite{})
	_, _ = r.business(shop).with(invite, "").try() // reserves
	other := r.business(otherShop)
	if _, err := other.with(invite, r.code(shop).Code).try(); !errorHas(err, "reserved for another number") || errorHas(err, shop) {
		t.Fatalf("another number: %v", err)
	}
	r.shift(time.Hour)
	other.enters(invite)
	if _, err := r.business(shop).with(invite, "").try(); !errorHas(err, "used already") {
		t.Fatalf("the first number: %v", err)
	}
}

func TestRefusedRegistrations(t *testing.T) {
	r := private(t)
	host := newHost()
	foreign, _ := private(t).invite(relayserver.NewInvite{})
	business, _ := r.invite(relayserver.NewInvite{})
	bound, _ := r.invite(relayserver.NewInvite{Number: "+" + otherShop})
	phones, _ := r.invite(relayserver.NewInvite{Customers: 2})
	old, _ := r.invite(relayserver.NewInvite{Life: time.Hour})
	oldPhones, _ := r.invite(relayserver.NewInvite{Customers: 2, Life: time.Hour})
	taken, takenID := r.invite(relayserver.NewInvite{})
	gone, _ := r.invite(relayserver.NewInvite{Customers: 3})
	r.device(ana).of(newHost()).with(gone, "").dial()
	r.revoke(takenID, false)
	r.skew.Add(int64(time.Hour)) // old expires
	mistyped := business[:10] + "A" + business[11:]
	if mistyped == business {
		mistyped = business[:10] + "B" + business[11:]
	}
	for name, test := range map[string]struct {
		device *device
		invite string
		says   string
	}{
		"no invite":                    {r.business(shop), "", "by invite"},
		"customer without invite":      {r.device(budi).of(host), "", "by invite"},
		"no invite's form":             {r.business(shop), "letmein", "typing mistake"},
		"mistyped":                     {r.business(shop), mistyped, "typing mistake"},
		"another relay's":              {r.business(shop), foreign, "has not made the invite"},
		"another number's":             {r.business(shop), bound, "another number"},
		"expired":                      {r.business(shop), old, "expired"},
		"expired, phones":              {r.device(budi).of(host), oldPhones, "expired"},
		"revoked":                      {r.business(shop), taken, "revoked the invite"},
		"phones' for a business":       {r.business(shop), phones, "the invite is for phones"},
		"a business's for phones":      {r.device(budi).of(host), business, "the invite is for a business"},
		"phones without a host secret": {r.device(budi), phones, "which one it is"},
		"phones' of another host":      {r.device(budi).of(host), gone, "another phone program"},
		"no number, business":          {r.business("warung"), business, "7 to 15 digits"},
		"BSUID, business":              {r.business("ID.1aB2cD"), business, "7 to 15 digits"},
		"no number, customer":          {r.device("inv-1").of(host), phones, "7 to 15 digits"},
	} {
		_, err := test.device.with(test.invite, "").try()
		if !errors.Is(err, relayclient.ErrRegistration) || !errorHas(err, test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
	if all, err := r.Codes(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("refused registrations have left codes: %+v, %v", all, err)
	}
	r.business(otherShop).enters(bound)
	r.business(shop).enters(business)
	r.device("ID.1aB2cD").of(host).with(phones, "").dial()
}

func TestAHostHasItsCustomers(t *testing.T) {
	r := private(t)
	host, other := newHost(), newHost()
	invite, id := r.invite(relayserver.NewInvite{Customers: 2})
	r.device(ana).of(host).with(invite, "").dial()
	if _, err := r.device(budi).of(other).with(invite, "").try(); !errorHas(err, "used already, by another phone program") {
		t.Fatalf("another program: %v", err)
	}
	r.shift(30 * 24 * time.Hour)   // expiry is for unused invites
	r.device(budi).of(host).dial() // without the invite
	for _, again := range []string{"", invite} {
		_, err := r.device("34600111223").of(host).with(again, "").try()
		if !errors.Is(err, relayclient.ErrRegistration) || !errorHas(err, "invited for (2)") || !errorHas(err, "kabar relay invite --host --customers") {
			t.Fatalf("the third, with invite %q: %v", again, err)
		}
	}
	more, _ := r.invite(relayserver.NewInvite{Customers: 1})
	r.device("34600111223").of(host).with(more, "").dial()
	if _, err := r.device("34600111224").of(host).try(); !errorHas(err, "invited for (3)") {
		t.Fatalf("the fourth: %v", err)
	}
	// A revoked invite admits nobody any more; who is there stays.
	r.revoke(id, false)
	if _, err := r.device("34600111224").of(host).try(); !errorHas(err, "invited for (1)") {
		t.Fatalf("after the invite was revoked: %v", err)
	}
	if all := r.list(); len(all) != 3 || all[0].Revoked != (time.Time{}) || all[0].Host == "" || all[0].Host != all[2].Host {
		t.Errorf("accounts: %+v", all)
	}
}

func (r *relay) list() []relayserver.Account {
	r.t.Helper()
	all, err := r.Accounts(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

func TestANewKeyNeedsNoInvite(t *testing.T) {
	r := private(t)
	invite, id := r.invite(relayserver.NewInvite{})
	d := r.business(shop)
	_ = d.enters(invite).Close()
	d.options.SignOld, d.options.Reinstall = d.newKey(t), true
	if !d.with("", "").dial().Info().Registered {
		t.Error("the new key was not registered")
	}
	thief := r.business(shop)
	thief.options.Reinstall = true
	another, _ := r.invite(relayserver.NewInvite{})
	if _, err := thief.with(another, "").try(); !errorHas(err, "the account exists") {
		t.Errorf("an invite instead of the old key: %v", err)
	}
	if _, err := r.Revoke(context.Background(), id, false); !errorHas(err, "has admitted "+shop) {
		t.Errorf("revoke the invite of a registered number: %v", err)
	}
}
