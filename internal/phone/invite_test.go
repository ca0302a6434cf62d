package phone_test

import (
	"path/filepath"
	"slices"
	"testing"

	"kabar/internal/patience"
	"kabar/internal/phone"
	"kabar/internal/relayserver"
	"kabar/internal/sqlite"
)

// startPrivate runs a relay that admits by invite.
func startPrivate(t *testing.T) (*relayserver.Server, string) {
	return runRelay(t, relayserver.Options{})
}

// registered lists the accounts of a relay that are not revoked, and the programs that they belong to.
func registered(t *testing.T, server *relayserver.Server) (accounts, hosts []string) {
	t.Helper()
	all, err := server.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Revoked.IsZero() {
			accounts = append(accounts, a.Account)
			hosts = append(hosts, a.Host)
		}
	}
	slices.Sort(hosts)
	return accounts, slices.Compact(hosts)
}

// expectRegistered waits until the relay has exactly these accounts.
func expectRegistered(t *testing.T, server *relayserver.Server, want ...string) {
	t.Helper()
	patience.Until(t, "the relay has the customers", func() bool {
		got, _ := registered(t, server)
		return slices.Equal(got, want)
	})
}

func TestAPhoneNeedsItsInviteOnce(t *testing.T) {
	server, url := startPrivate(t)
	invite, _, err := server.Invite(t.Context(), relayserver.NewInvite{Customers: 2})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandsets(t, url)
	ana := h.customer("Ana") // nobody has invited her yet
	if got, _ := registered(t, server); len(got) != 0 {
		t.Fatalf("registered without an invite: %v", got)
	}
	h.options.Invite = invite
	h.restart()
	expectRegistered(t, server, ana)
	h.options.Invite = ""
	h.restart()
	budi := h.customer("Budi")
	expectRegistered(t, server, ana, budi)
	_ = h.customer("Citra") // one too many
	expectRegistered(t, server, ana, budi)
	if _, hosts := registered(t, server); len(hosts) != 1 || hosts[0] == "" {
		t.Errorf("the customers belong to %q", hosts)
	}

	other := newHandsets(t, url)
	other.stop()
	other.options.Invite = invite
	other.start()
	_ = other.customer("Dewi") // the invite is another program's
	expectRegistered(t, server, ana, budi)
}

// TestAPhoneOfSchema1HasAHostSecret: a store from before there were invites gets one, and keeps it.
func TestAPhoneOfSchema1HasAHostSecret(t *testing.T) {
	server, url := startPrivate(t)
	invite, _, err := server.Invite(t.Context(), relayserver.NewInvite{Customers: 2})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "phone.db")
	db, err := sqlite.Open(path)
	if err == nil {
		err = db.Migrate(t.Context(), phone.Schema()[:1])
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	h := newHandsets(t, url)
	h.stop()
	h.options.Path, h.options.Invite = path, invite
	h.start()
	ana := h.customer("Ana")
	h.options.Invite = ""
	h.restart()
	budi := h.customer("Budi")
	expectRegistered(t, server, ana, budi)
}
