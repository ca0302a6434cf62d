package relayserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"kabar/internal/sqlite"
)

// store is relay.db. Methods that take a transaction are called from an operation of the group-commit writer; the others
// read what is committed.
type store struct{ db *sqlite.DB }

// Statements that run for every envelope or prekey.
const (
	sqlFindDevice = `SELECT id, class, login_key, recovery, counter, confirmed, coalesce(revoked_at, 0) FROM device WHERE account = ? AND device = ?`
	sqlSeen       = `INSERT INTO seen (owner, peer, msg_id, until) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	sqlTakeSeq    = `UPDATE mailbox SET last_seq = last_seq + 1, waiting = waiting + ? WHERE device = ? AND waiting < ? RETURNING last_seq`
	sqlPut        = `INSERT INTO entry (owner, lane, seq, peer, msg_id, kind, ciphertext, stored_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlDelete     = `DELETE FROM entry WHERE owner = ? AND lane = ? AND seq = ?`
	sqlFewer      = `UPDATE mailbox SET waiting = waiting - ? WHERE device = ?`

	sqlAddKey    = `INSERT INTO prekey (device, kind, id, key) VALUES (?, ?, ?, ?)`
	sqlPopKey    = `DELETE FROM prekey WHERE rowid = (SELECT rowid FROM prekey WHERE device = ? AND kind = ? ORDER BY id LIMIT 1) RETURNING id, key`
	sqlCountKeys = `SELECT count(*) FROM prekey WHERE device = ? AND kind = ?`

	// No LIMIT: a bound one makes SQLite prepare the statement anew each time. The reader stops when it has enough.
	sqlWaiting = `
		SELECT e.seq, e.msg_id, d.account, d.device, e.kind, e.ciphertext, e.stored_at
		FROM entry e JOIN device d ON d.id = e.peer
		WHERE e.owner = ? AND e.lane = %d AND e.seq > ? AND e.expires_at > ? ORDER BY e.seq`
)

// sqlWaitingIn are the texts by lane: where 0 and 1 take turns as an argument, SQLite prepares the statement anew, too.
var sqlWaitingIn = [lanes]string{fmt.Sprintf(sqlWaiting, laneEnvelopes), fmt.Sprintf(sqlWaiting, laneNotices)}

func openStore(ctx context.Context, path string) (*store, error) {
	db, err := sqlite.Open(path)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return &store{db}, nil
}

// do runs op in the next group commit and waits for the disk. It always waits for the outcome: op may share variables
// with its caller.
func (s *store) do(op func(tx *sql.Tx) error) error {
	return s.db.Do(context.Background(), op)
}

func (s *store) close() error { return s.db.Close() }

// exec returns how many rows a statement has changed.
func (s *store) exec(tx *sql.Tx, text string, args ...any) (int64, error) {
	res, err := tx.Exec(text, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
