package relayserver

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"kabar/internal/relayproto"
	"kabar/internal/sqlite"
)

// TestARelayOfSchema1GoesOn: accounts, keys and mail of a relay that was made before there were invites.
func TestARelayOfSchema1GoesOn(t *testing.T) {
	dir := t.TempDir()
	db, err := sqlite.Open(filepath.Join(dir, "relay.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), schema[:1]); err != nil {
		t.Fatal(err)
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		for _, text := range []string{
			`INSERT INTO device (id, account, device, class, login_key, counter, confirmed, created_at) VALUES
				(1, '628111000200', 1, 2, x'01', 5, 5, 1700000000000), (2, '34600111222', 1, 1, x'02', 7, 6, 1700000000000)`,
			`INSERT INTO mailbox (device, last_seq, waiting) VALUES (1, 0, 0), (2, 3, 1)`,
			`INSERT INTO entry (owner, lane, seq, peer, msg_id, kind, ciphertext, stored_at, expires_at) VALUES (2, 0, 3, 1, x'aa', 0, x'bb', 1, 4000000000000)`,
			`INSERT INTO directory (device, identity, signed_id, signed, resort_id, resort) VALUES (2, x'01', 1, x'02', 1, x'03')`,
		} {
			if _, err := tx.Exec(text); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}

	s, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	accounts, err := s.Accounts(t.Context())
	if err != nil || len(accounts) != 2 || accounts[0].Class != "business" || accounts[1].Waiting != 1 || accounts[1].Invite != "" ||
		!accounts[0].LastLogin.IsZero() || !accounts[0].Revoked.IsZero() {
		t.Fatalf("accounts: %+v, %v", accounts, err)
	}
	now := time.Now()
	d, err := s.store.find(t.Context(), relayproto.Addr{Account: "34600111222", Device: 1})
	if err != nil || d == nil || d.revoked() {
		t.Fatalf("the customer is %+v, %v", d, err)
	}
	var in bool
	if err := s.store.do(func(tx *sql.Tx) (err error) { in, err = s.store.login(tx, d, now); return err }); err != nil || !in || d.counter != 8 || d.confirmed != 6 {
		t.Fatalf("login: %t, %+v, %v", in, d, err)
	}
	mail := 0
	for e, err := range s.store.waiting(t.Context(), d.id, laneEnvelopes, 0, now) {
		if err != nil || e.seq != 3 || e.peer.Account != "628111000200" {
			t.Fatalf("the mailbox has %+v, %v", e, err)
		}
		mail++
	}
	if mail != 1 {
		t.Errorf("%d envelopes", mail)
	}
	// What is new works on what is old.
	if _, err := s.Revoke(t.Context(), "34600111222", false); err != nil {
		t.Fatal(err)
	}
	secret, _, err := s.Invite(t.Context(), NewInvite{Customers: 1})
	if err != nil {
		t.Fatal(err)
	}
	a := &application{device: &device{addr: relayproto.Addr{Account: "6281234567890", Device: 1}, class: forHost, key: []byte("k")},
		invite: secret, host: hashed([]byte("host")), now: time.Now()}
	if err := s.enrol(a); err != nil {
		t.Fatal(err)
	}
	if accounts, err = s.Accounts(t.Context()); err != nil || len(accounts) != 3 || accounts[1].Revoked.IsZero() || accounts[2].Invite != "inv-1" {
		t.Errorf("accounts: %+v, %v", accounts, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), Options{Dir: dir}); err != nil {
		t.Fatalf("open again: %v", err)
	}
}
