package relayserver

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"kabar/internal/relayproto"
	"kabar/internal/sqlite"
)

// InviteState says how far an invite is in its life.
type InviteState string

// The states.
const (
	InviteNew     InviteState = "new"
	InviteUsed    InviteState = "used"    // by a business, or bound to a phone program
	InviteExpired InviteState = "expired" // without having been used
	InviteRevoked InviteState = "revoked"
)

// Invite is an invite as the operator sees it.
type Invite struct {
	ID        string      `json:"id"`  // for Revoke; no secret
	For       string      `json:"for"` // "business" or "host"
	State     InviteState `json:"state"`
	Number    string      `json:"number,omitempty"`    // business: the only one it admits, or has admitted
	Host      string      `json:"host,omitempty"`      // host: a fingerprint of the program that has used it
	Customers int         `json:"customers,omitempty"` // host: how many at a time
	Admitted  int         `json:"admitted"`            // accounts that are not revoked
	Created   time.Time   `json:"created"`
	Expires   time.Time   `json:"expires"`
}

// Code is a verification code that is pending.
type Code struct {
	Number  string    `json:"number"`
	Code    string    `json:"code,omitempty"` // six digits; empty when it is void
	Invite  string    `json:"invite"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"` // then the next registration makes a new one
	Left    int       `json:"attempts_left"`
}

// Account is an account as the operator sees it.
type Account struct {
	Account   string    `json:"account"`
	Class     string    `json:"class"` // "business" or "customer"
	Created   time.Time `json:"created"`
	LastLogin time.Time `json:"last_login,omitzero"` // zero: never, or before the relay counted
	Online    bool      `json:"online"`
	Waiting   int       `json:"waiting"`          // envelopes in the mailbox
	Invite    string    `json:"invite,omitempty"` // what admitted it; empty: open registration
	Host      string    `json:"host,omitempty"`   // of a customer: a fingerprint of the program
	Revoked   time.Time `json:"revoked,omitzero"`
}

func (i *invite) public(now time.Time) Invite {
	out := Invite{ID: inviteID(i.id), For: "business", State: InviteNew, Number: i.account, Host: fingerprint(i.host),
		Created: time.UnixMilli(i.createdAt).UTC(), Expires: time.UnixMilli(i.expiresAt).UTC()}
	if i.class == forHost {
		out.For, out.Customers = "host", i.seats
	}
	switch {
	case i.revokedAt != 0:
		out.State = InviteRevoked
	case i.usedAt != 0:
		out.State = InviteUsed
	case i.expiresAt <= now.UnixMilli():
		out.State = InviteExpired
	}
	return out
}

func (c *code) public() Code {
	return Code{Number: c.account, Code: c.text, Invite: inviteID(c.invite), Left: max(0, maxWrong-c.wrong),
		Created: time.UnixMilli(c.createdAt).UTC(), Expires: time.UnixMilli(c.expiresAt).UTC()}
}

// fingerprint is enough of a host to tell it from another.
func fingerprint(host []byte) string { return hex.EncodeToString(host[:min(4, len(host))]) }

// Invites lists all invites that were ever made, in that order.
func (s *Server) Invites(ctx context.Context) ([]Invite, error) {
	out := []Invite{}
	now := s.now()
	err := s.store.each(ctx, func(rows *sql.Rows) error {
		var admitted int
		i, err := scanInvite(oneMore{rows, &admitted})
		if err == nil {
			shown := i.public(now)
			shown.Admitted = admitted
			out = append(out, shown)
		}
		return err
	}, `SELECT `+inviteColumns+`, (SELECT count(*) FROM device d WHERE d.invite = invite.id AND d.revoked_at IS NULL) FROM invite ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list invites: %w", err)
	}
	return out, nil
}

// oneMore scans one column more than it is asked for.
type oneMore struct {
	rows *sql.Rows
	more any
}

func (o oneMore) Scan(dest ...any) error { return o.rows.Scan(append(dest, o.more)...) }

// Codes lists the verification codes that are pending, the oldest first.
func (s *Server) Codes(ctx context.Context) ([]Code, error) {
	out := []Code{}
	err := s.store.each(ctx, func(rows *sql.Rows) error {
		var c code
		err := rows.Scan(&c.invite, &c.account, &c.text, &c.wrong, &c.createdAt, &c.expiresAt)
		out = append(out, c.public())
		return err
	}, `SELECT invite, account, code, wrong, created_at, expires_at FROM code WHERE expires_at > ? ORDER BY created_at, invite`, s.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("list codes: %w", err)
	}
	return out, nil
}

// Accounts lists all accounts, those first that were made first.
func (s *Server) Accounts(ctx context.Context) ([]Account, error) {
	out := []Account{}
	err := s.store.each(ctx, func(rows *sql.Rows) error {
		var id, created, login, by, gone int64
		var class relayproto.Class
		var host []byte
		a := Account{Class: "customer"}
		if err := rows.Scan(&id, &a.Account, &class, &created, &login, &by, &gone, &host, &a.Waiting); err != nil {
			return err
		}
		if class == forBusiness {
			a.Class = "business"
		}
		if by != 0 {
			a.Invite = inviteID(by)
		}
		a.Created, a.LastLogin, a.Revoked = time.UnixMilli(created).UTC(), orZero(login), orZero(gone)
		a.Host, a.Online = fingerprint(host), s.hub.of(id) != nil
		out = append(out, a)
		return nil
	}, `SELECT d.id, d.account, d.class, d.created_at, coalesce(d.last_login, 0), coalesce(d.invite, 0), coalesce(d.revoked_at, 0), i.host, m.waiting
		FROM device d JOIN mailbox m ON m.device = d.id LEFT JOIN invite i ON i.id = d.invite ORDER BY d.id`)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return out, nil
}

// orZero is the time of so many milliseconds; 0 is no time.
func orZero(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// each calls scan for every row of a query.
func (s *store) each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	return sqlite.Each(ctx, s.db.Read, scan, query, args...)
}

// status counts what is stored.
func (s *store) status(ctx context.Context, now time.Time) (st Status, err error) {
	err = s.db.Read.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM device WHERE class = ?2 AND revoked_at IS NULL),
		(SELECT count(*) FROM device WHERE class = ?3 AND revoked_at IS NULL),
		(SELECT count(*) FROM device WHERE revoked_at IS NOT NULL),
		(SELECT coalesce(sum(waiting), 0) FROM mailbox),
		(SELECT count(*) FROM blob), (SELECT coalesce(sum(size), 0) FROM blob),
		(SELECT count(*) FROM code WHERE expires_at > ?1 AND wrong < ?4),
		(SELECT count(*) FROM invite WHERE expires_at > ?1 AND used_at IS NULL AND revoked_at IS NULL)`,
		now.UnixMilli(), forBusiness, forHost, maxWrong).
		Scan(&st.Businesses, &st.Customers, &st.Revoked, &st.Waiting, &st.Blobs, &st.BlobBytes, &st.Codes, &st.Invites)
	return st, err
}
