package relayserver_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"testing"

	"kabar/internal/patience"
	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// newKey gives d another key, as a re-installed app has, and returns how to sign with the old one.
func (d *device) newKey(t *testing.T) func([]byte) []byte {
	t.Helper()
	old := d.options.Sign
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d.options.PublicKey = pub
	d.options.Sign = func(m []byte) []byte { return ed25519.Sign(priv, m) }
	return old
}

func TestTheFirstDialRegistersAndTheNextOnesLogIn(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d := r.device("6281")
	for i := range 3 {
		c := d.dial()
		info := c.Info()
		if info.Registered != (i == 0) || info.Counter != uint64(i+1) || info.Previous != uint64(i) || info.Published {
			t.Fatalf("login %d: %+v", i, info)
		}
		_ = c.Close()
	}
}

func TestAWrongKeyDoesNotLogIn(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d := r.device("6281")
	_ = d.dial().Close()
	thief := r.device("6281")
	if _, err := thief.try(); !errors.Is(err, relayclient.ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
	thief.options.PublicKey = d.options.PublicKey
	if _, err := thief.try(); !errors.Is(err, relayclient.ErrWrongKey) {
		t.Errorf("a wrong signature: %v", err)
	}
	honest := d.options.Sign
	d.options.Sign = func(m []byte) []byte { s := honest(m); s[0] ^= 1; return s }
	if _, err := d.try(); !errors.Is(err, relayclient.ErrWrongKey) {
		t.Errorf("a flipped bit: %v", err)
	}
	d.options.Sign = func([]byte) []byte { return nil }
	if _, err := d.try(); !errors.Is(err, relayclient.ErrWrongKey) {
		t.Errorf("no signature: %v", err)
	}
	unregistered := r.device("6282")
	unregistered.options.PublicKey = d.options.PublicKey // not its own: the proof of possession fails
	if _, err := unregistered.try(); !errors.Is(err, relayclient.ErrWrongKey) || !errorHas(err, "register") {
		t.Errorf("registration of somebody else's key: %v", err)
	}
}

// A device that is set back within one login is no older by the counter. Its keys tell.
func TestAStoreThatLacksKeysIsNoticed(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d := r.device("6281")
	c := d.dial()
	c.publish(prekeys(1, 9))
	_ = c.Close()
	i := d.dial().Info()
	if i.Restored(i.Previous, 10) || !i.Restored(i.Previous, 9) || !i.Restored(i.Previous-1, 10) {
		t.Errorf("login %+v", i)
	}
}

func TestARestoredStoreIsNoticedAndALostAnswerIsNot(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d := r.device("6281")
	var stored uint64
	var restored bool
	disk := error(nil)
	d.options.OnLogin = func(_ context.Context, i relayclient.LoginInfo) error {
		restored = i.Restored(stored, 1)
		if disk == nil {
			stored = i.Counter
		}
		return disk
	}
	login := func(want bool) {
		t.Helper()
		c, err := d.try()
		if err == nil {
			_ = c.Close()
		}
		if restored != want {
			t.Fatalf("restored = %t with counter %d stored, want %t", restored, stored, want)
		}
	}
	login(false)
	login(false)
	backup := stored
	login(false)

	disk = errors.New("disk full")
	if _, err := d.try(); !errors.Is(err, disk) {
		t.Fatalf("dial with a failing store: %v", err)
	}
	login(false) // the counters in between were never stored, and the relay knows it
	disk = nil
	login(false)

	stored = backup
	login(true)
	login(false)
	r.stop()
	r.run(relayserver.NoLimits())
	login(false)
	stored = 0
	login(true)
}

func TestALaterLoginReplacesTheConnection(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	d := r.device("6281")
	first := d.dial()
	second := d.dial()
	patience.Next(t, "the first connection ends", first.Done())
	if err := first.Err(); !errors.Is(err, relayclient.ErrReplaced) || !errors.Is(err, relayclient.ErrClosed) {
		t.Fatalf("the first connection ended with %v", err)
	}
	if err := first.Send(t.Context(), to("6281", "x")); !errors.Is(err, relayclient.ErrReplaced) {
		t.Fatalf("Send on the first connection: %v", err)
	}
	got := second.listen()
	r.business("628").dial().send(to("6281", "x"))
	next(t, got.envelopes)
	if err := second.Err(); err != nil {
		t.Fatalf("the second connection: %v", err)
	}
}

func TestReinstall(t *testing.T) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	for name, test := range map[string]struct {
		first, again func(d *device, signOld func([]byte) []byte)
		allowed      bool
	}{
		"recovery secret": {
			first:   func(d *device, _ func([]byte) []byte) { d.options.Recovery = secret },
			again:   func(d *device, _ func([]byte) []byte) { d.options.Recovery = secret },
			allowed: true,
		},
		"old key": {
			again:   func(d *device, old func([]byte) []byte) { d.options.SignOld = old },
			allowed: true,
		},
		"nothing": {},
		"another secret": {
			first: func(d *device, _ func([]byte) []byte) { d.options.Recovery = secret },
			again: func(d *device, _ func([]byte) []byte) { d.options.Recovery = make([]byte, 32) },
		},
		"a secret where none was given": {
			again: func(d *device, _ func([]byte) []byte) { d.options.Recovery = secret },
		},
		"the new key as the old one": {
			again: func(d *device, _ func([]byte) []byte) { d.options.SignOld = d.options.Sign },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, relayserver.NoLimits())
			d := r.device("6281")
			if test.first != nil {
				test.first(d, nil)
			}
			c := d.dial()
			if err := c.Publish(t.Context(), prekeys(1, 20)); err != nil {
				t.Fatal(err)
			}
			from := r.business("628").dial()
			from.send(to("6281", "waits"))
			old := d.newKey(t)
			if _, err := d.try(); !errors.Is(err, relayclient.ErrWrongKey) {
				t.Fatalf("without Reinstall: %v", err)
			}
			d.options.Reinstall = true
			if test.again != nil {
				test.again(d, old)
			}
			if !test.allowed {
				if _, err := d.try(); !errors.Is(err, relayclient.ErrRegistration) {
					t.Fatalf("reinstall: %v", err)
				}
				if c.Err() != nil {
					t.Fatalf("the old connection: %v", c.Err())
				}
				return
			}
			checkReinstalled(t, d, c, from)
		})
	}
}

func checkReinstalled(t *testing.T, d *device, old, from *client) {
	t.Helper()
	again := d.dial()
	patience.Next(t, "the old connection ends", old.Done())
	if !errors.Is(old.Err(), relayclient.ErrReregistered) {
		t.Errorf("the old connection ended with %v", old.Err())
	}
	if i := again.Info(); !i.Registered || i.Published || i.OneTime != 0 || i.Counter != 3 || i.Restored(0, 1) {
		t.Errorf("login after the reinstall: %+v", i)
	}
	if _, err := from.FetchBundle(t.Context(), "6281"); !errors.Is(err, relayclient.ErrNoPrekeys) {
		t.Errorf("the old prekeys are still served: %v", err)
	}
	if e := next(t, again.listen().envelopes); string(e.Ciphertext) != "waits" {
		t.Errorf("the mailbox has %q", e.Ciphertext)
	}
	if err := again.Publish(t.Context(), prekeys(1, 5)); err != nil { // ids start anew with the new identity
		t.Errorf("publish: %v", err)
	}
	_ = again.Close()
	if i := d.dial().Info(); i.Registered || i.Counter != 4 || i.Previous != 3 { // Reinstall is still set, and does nothing
		t.Errorf("next login: %+v", i)
	}
}

func TestASecondRelayOnTheSameFolderIsRefused(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	if s, err := relayserver.Open(t.Context(), relayserver.Options{Dir: r.dir}); err == nil {
		_ = s.Close()
		t.Fatal("two relays share a folder")
	}
}

func TestLookup(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	c := r.device("6281").dial()
	accounts := make([]string, 250)
	for i := range accounts {
		accounts[i] = randomAccount()
	}
	accounts[3], accounts[249] = "6281", "6281"
	known, err := c.Lookup(t.Context(), accounts...)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range known {
		if k != (i == 3 || i == 249) {
			t.Fatalf("account %d is known: %t", i, k)
		}
	}
	if known, err := c.Lookup(t.Context()); err != nil || len(known) != 0 {
		t.Fatalf("nothing asked: %v, %v", known, err)
	}
	if _, err := c.Lookup(t.Context(), `x"\'; --`, "a b"); !errors.Is(err, relayclient.ErrMalformed) {
		t.Fatalf("a malformed account: %v", err)
	}
}
