package relayserver

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"
	"time"

	"kabar/internal/relayproto"
)

// The lanes of a mailbox.
const (
	laneEnvelopes = 0
	laneNotices   = 1
	lanes         = 2
)

// envelope is a Send with what the relay adds.
type envelope struct {
	from    int64
	send    *relayproto.Send
	now     time.Time
	keep    time.Duration // how long an envelope is kept at most, and a tombstone at least
	maximum int64         // envelopes a mailbox may hold
}

// put stores an envelope and returns the recipient and the envelope's seq. A repeated one is accepted, has no effect and returns 0.
func (s *store) put(tx *sql.Tx, e envelope) (recipient int64, seq uint64, err error) {
	to, err := s.reachable(tx, e.send.To.Addr())
	if err != nil {
		return 0, 0, err
	}
	if to == nil {
		return 0, 0, refuse(relayproto.Refused_UNKNOWN_RECIPIENT, "")
	}
	latest := e.now.Add(e.keep).UnixMilli()
	n, err := s.exec(tx, sqlSeen, to.id, e.from, e.send.MsgId, latest)
	if err != nil || n == 0 {
		return 0, 0, err
	}
	expires := e.send.ExpiresAtMs
	if expires == 0 || expires > latest {
		expires = latest
	}
	if expires <= e.now.UnixMilli() {
		return 0, 0, s.unsee(tx, e, to.id, refuse(relayproto.Refused_ALREADY_EXPIRED, ""))
	}
	err = tx.QueryRow(sqlTakeSeq, 1, to.id, e.maximum).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, s.unsee(tx, e, to.id, later(relayproto.Refused_MAILBOX_FULL, mailboxRetry, ""))
	}
	if err != nil {
		return 0, 0, err
	}
	_, err = s.exec(tx, sqlPut, to.id, laneEnvelopes, int64(seq), e.from, e.send.MsgId, e.send.Kind, notNull(e.send.Ciphertext), e.now.UnixMilli(), expires)
	return to.id, seq, err
}

// unsee takes back the tombstone of an envelope that is refused for a reason, so that it can be sent again.
func (s *store) unsee(tx *sql.Tx, e envelope, to int64, reason error) error {
	if _, err := s.exec(tx, `DELETE FROM seen WHERE owner = ? AND peer = ? AND msg_id = ?`, to, e.from, e.send.MsgId); err != nil {
		return err
	}
	return reason
}

// notNull makes sure that empty bytes are stored as such.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// ack deletes acknowledged entries. Tombstones stay.
func (s *store) ack(tx *sql.Tx, owner int64, acks []acked) error {
	var envelopes int64
	for _, a := range acks {
		n, err := s.exec(tx, sqlDelete, owner, a.lane, int64(a.seq))
		if err != nil {
			return err
		}
		if a.lane == laneEnvelopes {
			envelopes += n
		}
	}
	if envelopes == 0 {
		return nil
	}
	_, err := s.exec(tx, sqlFewer, envelopes, owner)
	return err
}

// entry is what waits in a lane.
type entry struct {
	seq      uint64
	msgID    []byte
	peer     relayproto.Addr
	kind     uint32
	text     []byte
	storedAt int64
}

// frame returns the entry as it travels.
func (e *entry) frame(lane int) *relayproto.Frame {
	if lane == laneNotices {
		return &relayproto.Frame{Body: &relayproto.Frame_Expired{Expired: &relayproto.Expired{Seq: e.seq, MsgId: e.msgID, To: e.peer.Proto()}}}
	}
	return &relayproto.Frame{Body: &relayproto.Frame_Deliver{Deliver: &relayproto.Deliver{
		Seq: e.seq, MsgId: e.msgID, From: e.peer.Proto(), Kind: e.kind, Ciphertext: e.text, SentAtMs: e.storedAt,
	}}}
}

// waiting yields what is in a lane above a seq, in order, without what has expired. An error ends it.
func (s *store) waiting(ctx context.Context, owner int64, lane int, above uint64, now time.Time) iter.Seq2[*entry, error] {
	return func(yield func(*entry, error) bool) {
		rows, err := s.db.Read.QueryContext(ctx, sqlWaitingIn[lane], owner, int64(above), now.UnixMilli())
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			e := new(entry)
			err := rows.Scan(&e.seq, &e.msgID, &e.peer.Account, &e.peer.Device, &e.kind, &e.text, &e.storedAt)
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// anyExpired says whether expire would find something.
func (s *store) anyExpired(ctx context.Context, now time.Time) (bool, error) {
	var any bool
	err := s.db.Read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM entry WHERE expires_at <= ?)`, now.UnixMilli()).Scan(&any)
	return any, err
}

// expire removes up to sweepBatch entries whose time is over and leaves a notice for the sender of each envelope. It returns
// how many entries there were and whom to wake.
func (s *store) expire(tx *sql.Tx, now time.Time, keep time.Duration) (n int, wake []int64, err error) {
	over, err := expired(tx, now)
	if err != nil {
		return 0, nil, err
	}
	for _, e := range over {
		if _, err := s.exec(tx, sqlDelete, e.owner, e.lane, e.seq); err != nil {
			return 0, nil, err
		}
		if e.lane == laneNotices {
			continue // nobody is told that a notice was not fetched
		}
		if _, err := s.exec(tx, sqlFewer, 1, e.owner); err != nil {
			return 0, nil, err
		}
		var seq int64
		if err := tx.QueryRow(sqlTakeSeq, 0, e.peer, math.MaxInt64).Scan(&seq); err != nil {
			return 0, nil, err
		}
		_, err := s.exec(tx, sqlPut, e.peer, laneNotices, seq, e.owner, e.msgID, 0, nil, now.UnixMilli(), now.Add(keep).UnixMilli())
		if err != nil {
			return 0, nil, err
		}
		wake = append(wake, e.peer)
	}
	return len(over), wake, nil
}

type expiredEntry struct {
	owner, seq, peer int64
	lane             int
	msgID            []byte
}

func expired(tx *sql.Tx, now time.Time) ([]expiredEntry, error) {
	rows, err := tx.Query(`SELECT owner, lane, seq, peer, msg_id FROM entry WHERE expires_at <= ? ORDER BY expires_at LIMIT `+sweepLimit, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var over []expiredEntry
	for rows.Next() {
		var e expiredEntry
		if err := rows.Scan(&e.owner, &e.lane, &e.seq, &e.peer, &e.msgID); err != nil {
			return nil, err
		}
		over = append(over, e)
	}
	return over, rows.Err()
}

// anyOutdated says whether deleteOutdated would find something.
func (s *store) anyOutdated(ctx context.Context, now time.Time) (bool, error) {
	var any bool
	err := s.db.Read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM seen WHERE until <= ?1) OR EXISTS (SELECT 1 FROM fetched WHERE paid_at <= ?1)
		OR EXISTS (SELECT 1 FROM code WHERE expires_at <= ?1)`, now.UnixMilli()).Scan(&any)
	return any, err
}

// deleteOutdated removes up to sweepBatch tombstones, as many paid fetches and as many codes, and says whether there may be more.
func (s *store) deleteOutdated(tx *sql.Tx, now time.Time) (more bool, err error) {
	for _, text := range []string{
		`DELETE FROM seen WHERE (owner, peer, msg_id) IN (SELECT owner, peer, msg_id FROM seen WHERE until <= ? LIMIT ` + sweepLimit + `)`,
		`DELETE FROM fetched WHERE (fetcher, target) IN (SELECT fetcher, target FROM fetched WHERE paid_at <= ? LIMIT ` + sweepLimit + `)`,
		`DELETE FROM code WHERE invite IN (SELECT invite FROM code WHERE expires_at <= ? LIMIT ` + sweepLimit + `)`,
	} {
		n, err := s.exec(tx, text, now.UnixMilli())
		if err != nil {
			return false, err
		}
		more = more || n == sweepBatch
	}
	return more, nil
}
