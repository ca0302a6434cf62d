package relayserver

import (
	"database/sql"
	"errors"
	"time"
)

const inviteColumns = `id, class, coalesce(account, ''), host, seats, created_at, expires_at, coalesce(used_at, 0), coalesce(revoked_at, 0)`

// scanInvite reads inviteColumns; nil when there is no row.
func scanInvite(row interface{ Scan(...any) error }) (*invite, error) {
	i := new(invite)
	err := row.Scan(&i.id, &i.class, &i.account, &i.host, &i.seats, &i.createdAt, &i.expiresAt, &i.usedAt, &i.revokedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return i, err
}

// addInvite stores i and gives it its id.
func (s *store) addInvite(tx *sql.Tx, i *invite, secret string) error {
	return tx.QueryRow(`INSERT INTO invite (secret, class, account, seats, created_at, expires_at) VALUES (?, ?, nullif(?, ''), ?, ?, ?) RETURNING id`,
		hashed([]byte(secret)), i.class, i.account, i.seats, i.createdAt, i.expiresAt).Scan(&i.id)
}

// inviteBy finds an invite by its text, or returns nil.
func (s *store) inviteBy(tx *sql.Tx, secret string) (*invite, error) {
	return scanInvite(tx.QueryRow(`SELECT `+inviteColumns+` FROM invite WHERE secret = ?`, hashed([]byte(secret))))
}

// ownInvite returns an invite that is for an account alone and can be used, made after since (milliseconds), or nil.
func (s *store) ownInvite(tx *sql.Tx, account string, since int64, now time.Time) (*invite, error) {
	return scanInvite(tx.QueryRow(`SELECT `+inviteColumns+` FROM invite WHERE class = ? AND account = ? AND used_at IS NULL AND revoked_at IS NULL
		AND created_at > ? AND expires_at > ? ORDER BY id DESC LIMIT 1`, forBusiness, account, since, now.UnixMilli()))
}

// inviteByID finds an invite, or returns nil.
func (s *store) inviteByID(tx *sql.Tx, id int64) (*invite, error) {
	return scanInvite(tx.QueryRow(`SELECT `+inviteColumns+` FROM invite WHERE id = ?`, id))
}

// useInvite marks an invite as used: a business's for its account, a host's for the host.
func (s *store) useInvite(tx *sql.Tx, id int64, account string, host []byte, now time.Time) error {
	_, err := s.exec(tx, `UPDATE invite SET used_at = ?, account = nullif(?, ''), host = ? WHERE id = ?`, now.UnixMilli(), account, host, id)
	return err
}

// revokeInvite lets an invite admit nobody any more.
func (s *store) revokeInvite(tx *sql.Tx, id int64, now time.Time) error {
	if _, err := s.exec(tx, `UPDATE invite SET revoked_at = ? WHERE id = ?`, now.UnixMilli(), id); err != nil {
		return err
	}
	return s.dropCode(tx, id)
}

// seatsTaken counts the accounts that an invite has admitted and that are not revoked.
func (s *store) seatsTaken(tx *sql.Tx, id int64) (n int, err error) {
	err = tx.QueryRow(`SELECT count(*) FROM device WHERE invite = ? AND revoked_at IS NULL`, id).Scan(&n)
	return n, err
}

// hostInvites returns the invites that are bound to a host and hold, those made after since (milliseconds).
func (s *store) hostInvites(tx *sql.Tx, host []byte, since int64) ([]*invite, error) {
	rows, err := tx.Query(`SELECT `+inviteColumns+` FROM invite WHERE host = ? AND revoked_at IS NULL AND created_at > ? ORDER BY id`, host, since)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []*invite
	for rows.Next() {
		i, err := scanInvite(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, rows.Err()
}

// codeOf returns the code that is pending for an invite, or nil. One whose hour is over is gone.
func (s *store) codeOf(tx *sql.Tx, invite int64, now time.Time) (*code, error) {
	c := &code{invite: invite}
	err := tx.QueryRow(`SELECT account, code, wrong, created_at, expires_at FROM code WHERE invite = ? AND expires_at > ?`, invite, now.UnixMilli()).
		Scan(&c.account, &c.text, &c.wrong, &c.createdAt, &c.expiresAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return c, err
}

// putCode stores a code as it is now.
func (s *store) putCode(tx *sql.Tx, c *code) error {
	_, err := s.exec(tx, `INSERT OR REPLACE INTO code (invite, account, code, wrong, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
		c.invite, c.account, c.text, c.wrong, c.createdAt, c.expiresAt)
	return err
}

func (s *store) dropCode(tx *sql.Tx, invite int64) error {
	_, err := s.exec(tx, `DELETE FROM code WHERE invite = ?`, invite)
	return err
}

// dropCodes removes the codes that are pending for an account.
func (s *store) dropCodes(tx *sql.Tx, account string) error {
	_, err := s.exec(tx, `DELETE FROM code WHERE account = ?`, account)
	return err
}

// admitted returns the devices that an invite has admitted and that are not revoked.
func (s *store) admitted(tx *sql.Tx, id int64) ([]*device, error) {
	rows, err := tx.Query(`SELECT id, account, device FROM device WHERE invite = ? AND revoked_at IS NULL ORDER BY id`, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []*device
	for rows.Next() {
		d := new(device)
		if err := rows.Scan(&d.id, &d.addr.Account, &d.addr.Device); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, rows.Err()
}
