package relayserver

import (
	"bytes"
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
	counter   uint64
	confirmed uint64
}

func scanDevice(row *sql.Row, a relayproto.Addr) (*device, error) {
	d := &device{addr: a}
	err := row.Scan(&d.id, &d.class, &d.key, &d.recovery, &d.counter, &d.confirmed)
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
	return scanDevice(s.row(tx, sqlFindDevice, a.Account, a.Device), a)
}

// mayReplace says whether secret is the recovery secret of d.
func (d *device) mayReplace(secret []byte) bool {
	sum := sha256.Sum256(secret)
	return len(secret) == relayproto.RecoverySize && subtle.ConstantTimeCompare(sum[:], d.recovery) == 1
}

// register binds the address of d to its key. old is the device as it was when the request was judged, nil for a new
// one; if that has changed meanwhile, register reports false and has done nothing.
//
// A replaced key keeps the mailbox and the class, loses all prekeys, and the counter grows.
func (s *store) register(tx *sql.Tx, d, old *device, secret []byte, now time.Time) (bool, error) {
	current, err := s.findIn(tx, d.addr)
	if err != nil {
		return false, err
	}
	var recovery []byte
	if len(secret) > 0 {
		sum := sha256.Sum256(secret)
		recovery = sum[:]
	}
	switch {
	case (current == nil) != (old == nil) || current != nil && !bytes.Equal(current.key, old.key):
		return false, nil
	case current == nil:
		return true, s.insertDevice(tx, d, recovery, now)
	}
	_, err = s.exec(tx, `UPDATE device SET login_key = ?, counter = counter + 1, confirmed = 0, recovery = coalesce(recovery, ?) WHERE id = ?`,
		d.key, recovery, current.id)
	if err != nil {
		return false, err
	}
	if _, err = s.exec(tx, `DELETE FROM prekey WHERE device = ?`, current.id); err != nil {
		return false, err
	}
	_, err = s.exec(tx, `DELETE FROM directory WHERE device = ?`, current.id)
	return err == nil, err
}

func (s *store) insertDevice(tx *sql.Tx, d *device, recovery []byte, now time.Time) error {
	err := s.row(tx, `INSERT INTO device (account, device, class, login_key, recovery, created_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
		d.addr.Account, d.addr.Device, d.class, d.key, recovery, now.UnixMilli()).Scan(&d.id)
	if err != nil {
		return err
	}
	_, err = s.exec(tx, `INSERT INTO mailbox (device) VALUES (?)`, d.id)
	return err
}

// login raises the counter of d and reads it back with the highest confirmed one. It reports false when d has another
// key by now.
func (s *store) login(tx *sql.Tx, d *device) (bool, error) {
	err := s.row(tx, `UPDATE device SET counter = counter + 1 WHERE id = ? AND login_key = ? RETURNING counter, confirmed`,
		d.id, d.key).Scan(&d.counter, &d.confirmed)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// confirm notes that the device has stored d.counter. It reports false when d has another key by now.
func (s *store) confirm(tx *sql.Tx, d *device) (bool, error) {
	n, err := s.exec(tx, `UPDATE device SET confirmed = max(confirmed, ?) WHERE id = ? AND login_key = ?`, d.counter, d.id, d.key)
	return n > 0, err
}

// known says for each account whether it has a device.
func (s *store) known(ctx context.Context, accounts []string) ([]bool, error) {
	list, err := json.Marshal(accounts)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.Read.QueryContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM device d WHERE d.account = j.value) FROM json_each(?) j ORDER BY j.key`, string(list))
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
