package relayserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"kabar/internal/relayproto"
)

// device is a row of the table.
type device struct {
	id        int64
	addr      relayproto.Addr
	class     relayproto.Class
	key       []byte // Ed25519
	recovery  []byte // SHA-256 of the secret; nil when none was given
	revokedAt int64  // milliseconds; 0: it is not
	counter   uint64
	confirmed uint64
}

func scanDevice(row *sql.Row, a relayproto.Addr) (*device, error) {
	d := &device{addr: a}
	err := row.Scan(&d.id, &d.class, &d.key, &d.recovery, &d.counter, &d.confirmed, &d.revokedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return d, err
}

// find returns a committed device, or nil.
func (s *store) find(ctx context.Context, a relayproto.Addr) (*device, error) {
	return scanDevice(s.db.Read.QueryRowContext(ctx, sqlFindDevice, a.Account, a.Device), a)
}

func (s *store) findIn(tx *sql.Tx, a relayproto.Addr) (*device, error) {
	return scanDevice(tx.QueryRow(sqlFindDevice, a.Account, a.Device), a)
}

// reachable is findIn for who wants to reach a device: one that is revoked is not there.
func (s *store) reachable(tx *sql.Tx, a relayproto.Addr) (*device, error) {
	d, err := s.findIn(tx, a)
	if d.revoked() {
		return nil, err
	}
	return d, err
}

func (d *device) revoked() bool { return d != nil && d.revokedAt != 0 }

// hashed returns the SHA-256 of a secret; nil of none.
func hashed(secret []byte) []byte {
	if len(secret) == 0 {
		return nil
	}
	sum := sha256.Sum256(secret)
	return sum[:]
}

// mayReplace says whether secret is the recovery secret of d.
func (d *device) mayReplace(secret []byte) bool {
	return len(secret) == relayproto.RecoverySize && subtle.ConstantTimeCompare(hashed(secret), d.recovery) == 1
}

// replace gives the account of old a new key. It keeps the mailbox and the class, loses all prekeys, and the counter grows.
func (s *store) replace(tx *sql.Tx, old *device, key, recovery []byte) error {
	_, err := s.exec(tx, `UPDATE device SET login_key = ?, counter = counter + 1, confirmed = 0, recovery = coalesce(recovery, ?) WHERE id = ?`,
		key, recovery, old.id)
	if err != nil {
		return err
	}
	return s.dropKeys(tx, old.id)
}

// dropKeys takes a device out of the directory.
func (s *store) dropKeys(tx *sql.Tx, device int64) error {
	if err := s.dropOneTime(tx, device); err != nil {
		return err
	}
	_, err := s.exec(tx, `DELETE FROM directory WHERE device = ?`, device)
	return err
}

// dropOneTime takes a device's one-time keys out of the directory.
func (s *store) dropOneTime(tx *sql.Tx, device int64) error {
	_, err := s.exec(tx, `DELETE FROM prekey WHERE device = ?`, device)
	return err
}

// insert makes the account of d; by is the invite that admitted it, 0 for none.
func (s *store) insert(tx *sql.Tx, d *device, by int64, now time.Time) error {
	err := tx.QueryRow(`INSERT INTO device (account, device, class, login_key, recovery, invite, created_at) VALUES (?, ?, ?, ?, ?, nullif(?, 0), ?) RETURNING id`,
		d.addr.Account, d.addr.Device, d.class, d.key, d.recovery, by, now.UnixMilli()).Scan(&d.id)
	if err != nil {
		return err
	}
	_, err = s.exec(tx, `INSERT INTO mailbox (device) VALUES (?)`, d.id)
	return err
}

// readmit gives a revoked account to d: nothing of its former life counts but its row, whose counters go on.
func (s *store) readmit(tx *sql.Tx, old, d *device, by int64, now time.Time) error {
	_, err := s.exec(tx, `UPDATE device SET class = ?, login_key = ?, recovery = ?, counter = counter + 1, confirmed = 0, invite = ?,
		created_at = ?, last_login = NULL, revoked_at = NULL WHERE id = ?`, d.class, d.key, d.recovery, by, now.UnixMilli(), old.id)
	return err
}

// revoke takes an account away. What waits for it expires at once, so that the next sweep tells the senders.
func (s *store) revoke(tx *sql.Tx, device int64, now time.Time) error {
	if _, err := s.exec(tx, `UPDATE device SET revoked_at = ? WHERE id = ?`, now.UnixMilli(), device); err != nil {
		return err
	}
	if err := s.dropKeys(tx, device); err != nil {
		return err
	}
	_, err := s.exec(tx, `UPDATE entry SET expires_at = min(expires_at, ?) WHERE owner = ?`, now.UnixMilli(), device)
	return err
}

// login raises the counter of d and reads it back with the highest confirmed one. It reports false when d has another
// key by now, or is revoked.
func (s *store) login(tx *sql.Tx, d *device, now time.Time) (bool, error) {
	err := tx.QueryRow(`UPDATE device SET counter = counter + 1, last_login = ? WHERE id = ? AND login_key = ? AND revoked_at IS NULL
		RETURNING counter, confirmed`, now.UnixMilli(), d.id, d.key).Scan(&d.counter, &d.confirmed)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// confirm notes that the device has stored d.counter. It reports false when d has another key by now, or is revoked.
func (s *store) confirm(tx *sql.Tx, d *device) (bool, error) {
	n, err := s.exec(tx, `UPDATE device SET confirmed = max(confirmed, ?) WHERE id = ? AND login_key = ? AND revoked_at IS NULL`,
		d.counter, d.id, d.key)
	return n > 0, err
}

// known says for each account whether it has a device that is not revoked.
func (s *store) known(ctx context.Context, accounts []string) ([]bool, error) {
	list, err := json.Marshal(accounts)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.Read.QueryContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM device d WHERE d.account = j.value AND d.revoked_at IS NULL) FROM json_each(?) j ORDER BY j.key`, string(list))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	known := make([]bool, 0, len(accounts))
	for rows.Next() {
		var k bool
		if err := rows.Scan(&k); err != nil {
			return nil, err
		}
		known = append(known, k)
	}
	return known, rows.Err()
}
