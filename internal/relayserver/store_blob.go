package relayserver

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"
)

// putBlob makes a file count, and returns how many bytes there are more. Doing so again is harmless.
func (s *store) putBlob(tx *sql.Tx, t ticket, expires time.Time) (more int64, err error) {
	n, err := s.exec(tx, `INSERT INTO blob (id, owner, size, sha256, expires_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		t.id, t.owner, t.size, t.sum[:], expires.UnixMilli())
	return n * t.size, err
}

// blobBytes returns how many bytes count.
func (s *store) blobBytes(ctx context.Context) (n int64, err error) {
	err = s.db.Read.QueryRowContext(ctx, `SELECT coalesce(sum(size), 0) FROM blob`).Scan(&n)
	return n, err
}

// getBlob returns the SHA-256 of a blob that counts, and whether there is one.
func (s *store) getBlob(ctx context.Context, id string, now time.Time) (sum [sha256.Size]byte, ok bool, err error) {
	var b []byte
	err = s.db.Read.QueryRowContext(ctx, `SELECT sha256 FROM blob WHERE id = ? AND expires_at > ?`, id, now.UnixMilli()).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return sum, false, nil
	}
	copy(sum[:], b)
	return sum, err == nil, err
}

// expiredBlobs returns up to sweepBatch blobs whose time is over.
func (s *store) expiredBlobs(ctx context.Context, now time.Time) ([]string, error) {
	rows, err := s.db.Read.QueryContext(ctx, `SELECT id FROM blob WHERE expires_at <= ? ORDER BY expires_at LIMIT `+sweepLimit, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// deleteBlobs has blobs not count any more, and returns how many bytes there are less.
func (s *store) deleteBlobs(tx *sql.Tx, ids []string) (less int64, err error) {
	for _, id := range ids {
		var size int64
		switch err := tx.QueryRow(`DELETE FROM blob WHERE id = ? RETURNING size`, id).Scan(&size); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return 0, err
		}
		less += size
	}
	return less, nil
}

// withoutRow returns those of ids that the table does not have.
func (s *store) withoutRow(ctx context.Context, ids []string) ([]string, error) {
	var out []string
	for _, id := range ids {
		var has bool
		if err := s.db.Read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM blob WHERE id = ?)`, id).Scan(&has); err != nil {
			return nil, err
		}
		if !has {
			out = append(out, id)
		}
	}
	return out, nil
}
