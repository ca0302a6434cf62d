package relayserver

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kabar/internal/relayproto"
)

// UsageError says that the operator has asked for something that cannot be done, and why.
type UsageError struct{ Message string }

func (e *UsageError) Error() string { return e.Message }

func mistake(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// InviteLife is how long an invite can be used when nobody says otherwise.
const InviteLife = 7 * 24 * time.Hour

// NewInvite says what an invite is to admit. Customers decides about its kind.
type NewInvite struct {
	Customers int           // how many customers of one phone program at a time; 0: the invite is for one business number
	Number    string        // of the business, which nobody else may take then; empty: any
	Life      time.Duration // until it can no longer be used; 0: InviteLife
}

// Invite makes an invite. It returns the text, which nobody can find out later, and what the operator sees in lists.
func (s *Server) Invite(_ context.Context, n NewInvite) (secret string, made Invite, err error) {
	now := s.now()
	i := &invite{class: forBusiness, account: strings.TrimPrefix(n.Number, "+"), seats: 1, createdAt: now.UnixMilli(),
		expiresAt: now.Add(cmp.Or(n.Life, InviteLife)).UnixMilli()}
	if n.Customers != 0 {
		i.class, i.seats = forHost, n.Customers
	}
	switch {
	case n.Customers < 0 || n.Customers > math.MaxInt32:
		return "", made, mistake("an invite for a phone program says how many customers: 1 or more")
	case n.Life < 0:
		return "", made, mistake("an invite cannot expire before it is made")
	case i.account != "" && i.class == forHost:
		return "", made, mistake("an invite for a phone program is for no number")
	case i.account != "" && !validBusiness(i.account):
		return "", made, mistake("%q is no phone number: want 7 to 15 digits that begin with the country code", n.Number)
	}
	secret = newSecret()
	if err := s.store.do(func(tx *sql.Tx) error { return s.store.addInvite(tx, i, secret) }); err != nil {
		return "", made, fmt.Errorf("store the invite: %w", err)
	}
	return secret, i.public(now), nil
}

// Revoked says what was taken away.
type Revoked struct {
	Invite   string   `json:"invite,omitempty"` // its id
	Accounts []string `json:"accounts"`
}

// Revoke takes an account away, or an invite, named by its id. An invite that has been bound to a phone program admits no
// more customers then; those it has admitted stay, unless customers is set. The invite of a registered business cannot be
// revoked, its account can. Only an invite that is made later brings an account back.
//
// When Revoke returns, the accounts' connections are being closed and nobody can reach them.
func (s *Server) Revoke(_ context.Context, what string, customers bool) (out Revoked, err error) {
	var gone []*device
	err = s.store.do(func(tx *sql.Tx) (err error) {
		id, ok := parseInviteID(what)
		switch {
		case ok:
			out.Invite = what
			gone, err = s.store.takeInvite(tx, id, customers, s.now())
		case customers:
			err = mistake("%s is no invite, and --with-customers is for invites of phone programs", what)
		default:
			gone, err = s.store.takeAccount(tx, strings.TrimPrefix(what, "+"), s.now())
		}
		return err
	})
	if err != nil {
		return Revoked{}, err
	}
	out.Accounts = make([]string, 0, len(gone))
	for _, d := range gone {
		out.Accounts = append(out.Accounts, d.addr.Account)
		if x := s.hub.of(d.id); x != nil {
			x.hangUp(relayproto.Closing_REVOKED, "")
		}
	}
	return out, nil
}

func (s *store) takeAccount(tx *sql.Tx, account string, now time.Time) ([]*device, error) {
	d, err := s.findIn(tx, relayproto.Addr{Account: account, Device: 1})
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, mistake("the relay has no account %s: kabar relay accounts lists them, kabar relay invites the invites", account)
	case d.revoked():
		return nil, mistake("%s has been revoked already", account)
	}
	return []*device{d}, s.revoke(tx, d.id, now)
}

func (s *store) takeInvite(tx *sql.Tx, id int64, customers bool, now time.Time) ([]*device, error) {
	i, err := s.inviteByID(tx, id)
	switch {
	case err != nil:
		return nil, err
	case i == nil:
		return nil, mistake("the relay has no invite %s: kabar relay invites lists them", inviteID(id))
	case i.class == forBusiness && customers:
		return nil, mistake("%s is for a business: --with-customers is for invites of phone programs", inviteID(id))
	case i.class == forBusiness && i.usedAt != 0:
		return nil, mistake("%s has admitted %s: revoke that", inviteID(id), i.account)
	case i.revokedAt != 0 && !customers:
		return nil, mistake("%s has been revoked already", inviteID(id))
	}
	if err := s.revokeInvite(tx, id, now); err != nil || !customers {
		return nil, err
	}
	gone, err := s.admitted(tx, id)
	for _, d := range gone {
		err = errors.Join(err, s.revoke(tx, d.id, now))
	}
	return gone, err
}

// inviteID is what the operator calls an invite. It is no secret.
func inviteID(id int64) string { return "inv-" + strconv.FormatInt(id, 10) }

func parseInviteID(s string) (int64, bool) {
	digits, ok := strings.CutPrefix(s, "inv-")
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, ok && err == nil
}

// Status is what a relay has and does.
type Status struct {
	Since      time.Time `json:"since,omitzero"` // when it was opened, in real time
	Connected  int       `json:"connected"`      // devices
	Strangers  int       `json:"strangers"`      // connections that have not logged in
	Businesses int       `json:"businesses"`     // accounts that are not revoked, as Customers
	Customers  int       `json:"customers"`
	Revoked    int       `json:"revoked"` // accounts
	Waiting    int64     `json:"waiting"` // envelopes in all mailboxes
	Blobs      int64     `json:"blobs"`   // encrypted media that are kept
	BlobBytes  int64     `json:"blob_bytes"`
	StoreBytes int64     `json:"store_bytes"` // of relay.db on disk
	Codes      int       `json:"codes"`       // verification codes that can be used
	Invites    int       `json:"invites"`     // invites that can still be used for the first time
}

// Status counts.
func (s *Server) Status(ctx context.Context) (Status, error) {
	st, err := s.store.status(ctx, s.now())
	if err != nil {
		return st, fmt.Errorf("read the relay's status: %w", err)
	}
	st.Since, st.Connected, st.Strangers = s.start.UTC(), len(s.hub.devices()), int(s.strangers.Load())
	for _, name := range []string{"relay.db", "relay.db-wal"} {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err == nil {
			st.StoreBytes += info.Size()
		} else if !errors.Is(err, os.ErrNotExist) {
			return st, fmt.Errorf("read the relay's status: %w", err)
		}
	}
	return st, nil
}
