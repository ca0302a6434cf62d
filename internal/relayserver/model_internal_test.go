package relayserver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar/internal/relayproto"
)

// The model of a private relay: what its operator would expect, with nothing but maps.
type (
	model struct {
		now      time.Time
		invites  map[string]*modelInvite // by text
		accounts map[string]*modelAccount
	}
	modelInvite struct {
		id            string
		seats         int // of a phone program; 0: for a business
		number        string
		made, expires time.Time
		used, revoked bool
		host          string // that has bound it
		pending       string // number whose code is out
		until         time.Time
		code          string
		attempts      int
	}
	modelAccount struct {
		by      *modelInvite
		revoked time.Time // zero: it is not
	}
)

// verdict is the expected answer; the zero verdict is an admission.
type verdict struct {
	code  relayproto.Refused_Code
	left  uint32
	retry time.Duration
}

var no = verdict{code: relayproto.Refused_REGISTRATION}

// business says what happens to a number that asks.
func (m *model) business(account, text, code string) verdict {
	i, back := m.invites[text], m.accounts[account]
	switch {
	case i == nil, i.seats > 0, i.revoked, i.used, i.number != "" && i.number != account, !m.now.Before(i.expires),
		back != nil && !i.made.After(back.revoked):
		return no
	}
	if i.pending == "" || !m.now.Before(i.until) {
		i.pending, i.until, i.attempts, i.code = account, m.now.Add(time.Hour), 5, ""
		return verdict{code: relayproto.Refused_VERIFY}
	}
	switch {
	case i.pending != account:
		return no
	case i.attempts == 0:
		return verdict{relayproto.Refused_WRONG_CODE, 0, i.until.Sub(m.now)}
	case code == "":
		return verdict{code: relayproto.Refused_VERIFY}
	case code != i.code:
		if i.attempts--; i.attempts == 0 {
			return verdict{relayproto.Refused_WRONG_CODE, 0, i.until.Sub(m.now)}
		}
		return verdict{code: relayproto.Refused_WRONG_CODE, left: uint32(i.attempts)}
	}
	for _, other := range m.invites {
		if other.pending == account {
			other.pending = ""
		}
	}
	i.used, i.number = true, account
	m.accounts[account] = &modelAccount{by: i}
	return verdict{}
}

// customer says what happens to a customer that asks.
func (m *model) customer(account, host, text string) verdict {
	var since time.Time
	if back := m.accounts[account]; back != nil {
		since = back.revoked
	}
	for _, i := range slices.SortedFunc(maps.Values(m.invites), func(a, b *modelInvite) int { return a.made.Compare(b.made) }) {
		if i.host == host && !i.revoked && i.made.After(since) && m.taken(i) < i.seats {
			m.accounts[account] = &modelAccount{by: i}
			return verdict{}
		}
	}
	i := m.invites[text]
	if i == nil || i.seats == 0 || i.revoked || i.host != "" || !m.now.Before(i.expires) || !i.made.After(since) {
		return no
	}
	i.used, i.host = true, host
	m.accounts[account] = &modelAccount{by: i}
	return verdict{}
}

func (m *model) taken(i *modelInvite) (n int) {
	for _, a := range m.accounts {
		if a.by == i && a.revoked.IsZero() {
			n++
		}
	}
	return n
}

// rig runs the relay and its model side by side.
type modelRig struct {
	*rapid.T
	*model
	relay *Server
	open  func() *Server
	run   int // numbers of one run are nobody else's
}

func TestAdmissionIsLikeItsModel(t *testing.T) {
	dir := t.TempDir()
	var now time.Time
	open := func() *Server {
		s, err := Open(t.Context(), Options{Dir: dir, Limits: NoLimits(), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	relay, run := open(), 0
	t.Cleanup(func() { _ = relay.Close() })
	rapid.Check(t, func(rt *rapid.T) {
		run++
		now = time.UnixMilli(1_800_000_000_000)
		r := &modelRig{T: rt, relay: relay, open: open, run: run, model: &model{now: now, invites: map[string]*modelInvite{}, accounts: map[string]*modelAccount{}}}
		defer func() { relay = r.relay }()
		step := func(f func()) func(*rapid.T) {
			return func(*rapid.T) {
				r.now = r.now.Add(time.Millisecond) // no two steps at one time
				now = r.now
				f()
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"invite": step(r.makeInvite), "business": step(r.registerBusiness), "customer": step(r.registerCustomer),
			"revoke account": step(r.revokeAccount), "revoke invite": step(r.revokeInvite), "restart": step(r.restart),
			"time": step(func() {
				r.now = r.now.Add(rapid.SampledFrom([]time.Duration{time.Minute, 20 * time.Minute, time.Hour, 3 * time.Hour}).Draw(rt, "later"))
				now = r.now
				if err := r.relay.Sweep(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}),
		})
		r.compare()
	})
}

func (r *modelRig) makeInvite() {
	n := NewInvite{Life: rapid.SampledFrom([]time.Duration{30 * time.Minute, 2 * time.Hour, InviteLife}).Draw(r.T, "life")}
	switch rapid.IntRange(0, 2).Draw(r.T, "kind") {
	case 0:
		n.Number = r.number(rapid.IntRange(0, 1).Draw(r.T, "bound to"))
	case 1:
		n.Customers = rapid.IntRange(1, 2).Draw(r.T, "seats")
	}
	text, made, err := r.relay.Invite(r.T.Context(), n)
	if err != nil {
		r.Fatal(err)
	}
	r.invites[text] = &modelInvite{id: made.ID, seats: n.Customers, number: n.Number, made: r.now, expires: r.now.Add(n.Life)}
}

func (r *modelRig) number(i int) string { return fmt.Sprintf("62%06d%02d", r.run, i) }

// anInvite picks the text of one of the run's invites, or none.
func (r *modelRig) anInvite() string {
	texts := slices.SortedFunc(maps.Keys(r.invites), func(a, b string) int { return r.invites[a].made.Compare(r.invites[b].made) })
	return rapid.SampledFrom(append([]string{""}, texts...)).Draw(r.T, "invite")
}

func (r *modelRig) registerBusiness() {
	account, text := r.number(rapid.IntRange(0, 1).Draw(r.T, "number")), r.anInvite()
	if a := r.accounts[account]; a != nil && a.revoked.IsZero() {
		return // needs no invite, whatever it brings
	}
	code := ""
	if i := r.invites[text]; i != nil {
		switch rapid.IntRange(0, 3).Draw(r.T, "code") {
		case 0, 1:
			code = i.code
		case 2:
			code = "wrong!"
		}
	}
	want := r.business(account, text, code)
	r.apply(&application{device: r.device(account, forBusiness), invite: text, code: code}, want)
	if want.code == relayproto.Refused_VERIFY {
		r.readCode(r.invites[text])
	}
}

// readCode looks, as the operator does, what the code is.
func (r *modelRig) readCode(i *modelInvite) {
	codes, err := r.relay.Codes(r.T.Context())
	n := slices.IndexFunc(codes, func(c Code) bool { return c.Invite == i.id })
	if err != nil || n < 0 || codes[n].Left != i.attempts || codes[n].Number != i.pending || i.code != "" && codes[n].Code != i.code {
		r.Fatalf("codes are %+v (%v), want one like %+v", codes, err, i)
	}
	i.code = codes[n].Code
}

func (r *modelRig) registerCustomer() {
	account, text := r.number(rapid.IntRange(2, 5).Draw(r.T, "customer")), r.anInvite()
	if a := r.accounts[account]; a != nil && a.revoked.IsZero() {
		return
	}
	host := fmt.Sprint(r.run, rapid.SampledFrom([]string{" a", " b"}).Draw(r.T, "host"))
	want := r.customer(account, host, text)
	r.apply(&application{device: r.device(account, forHost), invite: text, host: hashed([]byte(host))}, want)
}

func (r *modelRig) device(account string, class relayproto.Class) *device {
	key := hashed(fmt.Append(nil, account, r.now))
	return &device{addr: relayproto.Addr{Account: account, Device: 1}, class: class, key: key}
}

func (r *modelRig) apply(a *application, want verdict) {
	var err error
	if a.old, err = r.relay.store.find(r.T.Context(), a.device.addr); err != nil {
		r.Fatal(err)
	}
	a.now = r.now
	err = r.relay.enrol(a)
	var got verdict
	if refused, ok := errors.AsType[*refusal](err); ok {
		got = verdict{refused.Code, refused.AttemptsLeft, time.Duration(refused.RetryAfterMs) * time.Millisecond}
	} else if err != nil {
		r.Fatal(err)
	}
	if want == no && a.old != nil {
		want = verdict{code: relayproto.Refused_REVOKED, retry: revokedRetry}
	}
	if got != want {
		r.Fatalf("%s, invite %q, code %q: %+v (%v), want %+v", a.device.addr.Account, a.invite, a.code, got, err, want)
	}
}

func (r *modelRig) revokeAccount() {
	account := r.number(rapid.IntRange(0, 5).Draw(r.T, "account"))
	a := r.accounts[account]
	_, err := r.relay.Revoke(r.T.Context(), account, false)
	if may := a != nil && a.revoked.IsZero(); may != (err == nil) {
		r.Fatalf("revoke %s: %v", account, err)
	} else if may {
		a.revoked = r.now
	}
}

func (r *modelRig) revokeInvite() {
	i := r.invites[r.anInvite()]
	if i == nil {
		return
	}
	all := i.seats > 0 && rapid.Bool().Draw(r.T, "with customers")
	_, err := r.relay.Revoke(r.T.Context(), i.id, all)
	may := all || !i.revoked && (i.seats > 0 || !i.used)
	if may != (err == nil) {
		r.Fatalf("revoke %+v: %v", i, err)
	}
	if !may {
		return
	}
	i.revoked, i.pending = true, ""
	for _, a := range r.accounts {
		if all && a.by == i && a.revoked.IsZero() {
			a.revoked = r.now
		}
	}
}

func (r *modelRig) restart() {
	if err := r.relay.Close(); err != nil {
		r.Fatal(err)
	}
	r.relay = r.open()
}

// compare looks at the lists of the operator at the end of a run.
func (r *modelRig) compare() {
	invites, err := r.relay.Invites(r.T.Context())
	if err != nil {
		r.Fatal(err)
	}
	for _, want := range r.invites {
		n := slices.IndexFunc(invites, func(i Invite) bool { return i.ID == want.id })
		state := InviteNew
		switch {
		case want.revoked:
			state = InviteRevoked
		case want.used:
			state = InviteUsed
		case !r.now.Before(want.expires):
			state = InviteExpired
		}
		if got := invites[n]; got.State != state || got.Admitted != r.taken(want) || got.Number != want.number || got.Admitted > max(1, got.Customers) {
			r.Fatalf("invite %+v, want %s and %+v", got, state, want)
		}
	}
}
