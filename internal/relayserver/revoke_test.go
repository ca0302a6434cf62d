package relayserver_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar/internal/patience"
	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// ended waits for the end of a connection and returns its cause.
func (c *client) ended() error {
	c.t.Helper()
	patience.Next(c.t, "the connection ends", c.Done())
	return c.Err()
}

func TestARevokedAccountIsGone(t *testing.T) {
	r := private(t)
	host := newHost()
	business, _ := r.invite(relayserver.NewInvite{})
	phones, _ := r.invite(relayserver.NewInvite{Customers: 2})
	from := r.business(shop).enters(business)
	got := from.listen()
	d := r.device(ana).of(host).with(phones, "")
	c := d.dial()
	if err := c.Publish(t.Context(), prekeys(1, 5)); err != nil {
		t.Fatal(err)
	}
	waits := to(ana, "waits")
	from.send(waits)

	if out := r.revoke(ana, false); !slices.Equal(out.Accounts, []string{ana}) {
		t.Fatalf("revoked %+v", out)
	}
	if err := c.ended(); !errors.Is(err, relayclient.ErrRevoked) {
		t.Errorf("the connection ended with %v", err)
	}
	for _, invite := range []string{"", phones} {
		_, err := d.with(invite, "").try()
		later, ok := errors.AsType[*relayclient.RetryAfter](err)
		if !errors.Is(err, relayclient.ErrRevoked) || !ok || later.After < time.Minute {
			t.Errorf("login with invite %q: %v", invite, err)
		}
	}
	if _, err := r.device(ana).of(host).with(phones, "").try(); !errors.Is(err, relayclient.ErrRevoked) || !errorHas(err, "older than the revocation") {
		t.Errorf("the number with another key: %v", err)
	}
	if _, err := from.FetchBundle(t.Context(), ana); !errors.Is(err, relayclient.ErrUnknownRecipient) {
		t.Errorf("its keys: %v", err)
	}
	if known, err := from.Lookup(t.Context(), ana, shop); err != nil || !slices.Equal(known, []bool{false, true}) {
		t.Errorf("lookup: %v, %v", known, err)
	}
	if err := from.Send(t.Context(), to(ana, "x")); !errors.Is(err, relayclient.ErrUnknownRecipient) {
		t.Errorf("send: %v", err)
	}
	r.shift(0) // sweeps
	if e := next(t, got.expired); e.ID != waits.ID {
		t.Errorf("%+v has expired", e)
	}
	if all := r.list(); all[1].Revoked.IsZero() || all[1].Waiting != 0 || all[1].Online || !all[0].Online {
		t.Errorf("accounts: %+v", all)
	}
	r.device(budi).of(host).with("", "").dial() // a seat is free, and another
	r.device("34600111299").of(host).with("", "").dial()
}

func TestANewInviteBringsAnAccountBack(t *testing.T) {
	r := private(t)
	spare, _ := r.invite(relayserver.NewInvite{}) // older than the revocation: it may have been stolen as well
	first, _ := r.invite(relayserver.NewInvite{})
	d := r.business(shop)
	_ = d.enters(first).Close()
	r.skew.Add(int64(time.Second))
	r.revoke(shop, false)
	if _, err := d.with(spare, "").try(); !errors.Is(err, relayclient.ErrRevoked) {
		t.Fatalf("with an invite of before: %v", err)
	}
	r.skew.Add(int64(time.Second))
	invite, id := r.invite(relayserver.NewInvite{Number: shop})
	lost := r.business(shop) // with another key: the data folder is lost
	c := lost.enters(invite)
	if i := c.Info(); !i.Registered || i.Published || i.Previous != 0 {
		t.Errorf("the new life begins with %+v", i)
	}
	if _, err := d.with("", "").try(); !errors.Is(err, relayclient.ErrWrongKey) {
		t.Errorf("the key of before: %v", err)
	}
	if all := r.list(); len(all) != 1 || !all[0].Revoked.IsZero() || all[0].Invite != id {
		t.Errorf("accounts: %+v", all)
	}
	r.revoke(shop, false)
	if err := c.ended(); !errors.Is(err, relayclient.ErrRevoked) {
		t.Errorf("revoked again: %v", err)
	}
}

func TestRevokeAPhoneProgram(t *testing.T) {
	r := private(t)
	host := newHost()
	invite, id := r.invite(relayserver.NewInvite{Customers: 3})
	var conns []*client
	var devices []*device
	for _, account := range []string{ana, budi} {
		d := r.device(account).of(host).with(invite, "")
		devices, conns = append(devices, d), append(conns, d.dial())
	}
	r.revoke(id, false)
	if conns[0].Err() != nil {
		t.Fatalf("the customers are gone with the invite: %v", conns[0].Err())
	}
	if _, err := r.device("34600111224").of(host).with(invite, "").try(); !errors.Is(err, relayclient.ErrRegistration) {
		t.Errorf("a new customer: %v", err)
	}
	if out := r.revoke(id, true); out.Invite != id || !slices.Equal(out.Accounts, []string{ana, budi}) {
		t.Errorf("revoked %+v", out)
	}
	for _, c := range conns {
		if err := c.ended(); !errors.Is(err, relayclient.ErrRevoked) {
			t.Errorf("a customer's connection: %v", err)
		}
	}
	// A new invite brings all back, once one of them has bound it.
	r.skew.Add(int64(time.Second))
	again, _ := r.invite(relayserver.NewInvite{Customers: 2})
	for _, d := range devices {
		if !d.with(again, "").dial().Info().Registered {
			t.Error("not registered again")
		}
	}
}

func TestWhatCannotBeRevokedOrInvited(t *testing.T) {
	r := private(t)
	_, business := r.invite(relayserver.NewInvite{})
	_, gone := r.invite(relayserver.NewInvite{Customers: 1})
	r.revoke(gone, false)
	for what, says := range map[string]string{
		shop: "no account", "inv-99": "no invite inv-99", gone: "revoked already", "": "no account", "inv-x": "no account",
	} {
		_, err := r.Revoke(t.Context(), what, false)
		if u, ok := errors.AsType[*relayserver.UsageError](err); !ok || !strings.Contains(u.Message, says) {
			t.Errorf("revoke %q: %v, want %q", what, err, says)
		}
	}
	for what, says := range map[string]string{business: "for a business", shop: "is no invite"} {
		if _, err := r.Revoke(t.Context(), what, true); !errorHas(err, says) {
			t.Errorf("revoke %q with customers: %v, want %q", what, err, says)
		}
	}
	for says, n := range map[string]relayserver.NewInvite{
		"1 or more": {Customers: -1}, "no number": {Customers: 1, Number: shop}, "no phone number": {Number: "0811"}, "before it is made": {Life: -1},
	} {
		if _, _, err := r.Invite(t.Context(), n); !errorHas(err, says) {
			t.Errorf("invite %+v: %v, want %q", n, err, says)
		}
	}
}

func TestInvitesAndStatus(t *testing.T) {
	r := private(t)
	_, _ = r.invite(relayserver.NewInvite{Number: shop, Life: time.Hour})
	used, _ := r.invite(relayserver.NewInvite{})
	_, gone := r.invite(relayserver.NewInvite{})
	hosts, _ := r.invite(relayserver.NewInvite{Customers: 7})
	_, _ = r.invite(relayserver.NewInvite{})
	r.revoke(gone, false)
	r.business(otherShop).enters(used)
	r.device(ana).of(newHost()).with(hosts, "").dial()
	r.shift(time.Hour)
	all, err := r.Invites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range all {
		got = append(got, i.ID+" "+i.For+" "+string(i.State)+" "+i.Number)
		if i.Expires.Before(i.Created) || (i.Customers == 7) != (i.For == "host") || (i.Host != "") != (i.For == "host") {
			t.Errorf("invite %+v", i)
		}
	}
	want := []string{"inv-1 business expired " + shop, "inv-2 business used " + otherShop, "inv-3 business revoked ", "inv-4 host used ", "inv-5 business new "}
	if !slices.Equal(got, want) || all[3].Admitted != 1 {
		t.Errorf("invites\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	_, _ = r.business(shop).with(r.first(relayserver.NewInvite{}), "").try() // leaves a code
	st, err := r.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.Businesses != 1 || st.Customers != 1 || st.Connected != 2 || st.Codes != 1 || st.Invites != 2 || st.StoreBytes == 0 || st.Revoked != 0 || st.Since.IsZero() {
		t.Errorf("status %+v", st)
	}
}

// first is invite without the id.
func (r *relay) first(n relayserver.NewInvite) string {
	secret, _ := r.invite(n)
	return secret
}
