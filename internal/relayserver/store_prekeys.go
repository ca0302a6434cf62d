package relayserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"kabar/internal/relayproto"
)

// The kinds of one-time keys.
const (
	kindX25519 = 0
	kindKEM    = 1
)

const (
	lowWater   = 10   // one-time keys below which the owner is asked for more
	maxOneTime = 1000 // one-time keys of a kind the relay keeps for a device
)

// directory is a device's row of the table. Its keys are nil where nothing was published.
type directory struct {
	identity           []byte
	signed, resort     *relayproto.Prekey
	topOneTime, topKEM uint32
	lastPublish        []byte
}

func (d *directory) complete() bool {
	return d.identity != nil && d.signed.GetKey() != nil && d.resort.GetKey() != nil
}

func (s *store) directory(tx *sql.Tx, device int64) (*directory, error) {
	d := &directory{signed: new(relayproto.Prekey), resort: new(relayproto.Prekey)}
	err := tx.QueryRow(`SELECT identity, signed_id, signed, resort_id, resort, top_one_time, top_kem, last_publish FROM directory WHERE device = ?`, device).
		Scan(&d.identity, &d.signed.Id, &d.signed.Key, &d.resort.Id, &d.resort.Key, &d.topOneTime, &d.topKEM, &d.lastPublish)
	if errors.Is(err, sql.ErrNoRows) {
		return d, nil
	}
	return d, err
}

// publish adds to the directory of d, or replaces its one-time keys, all or nothing. Repeating the last Publish has no effect.
func (s *store) publish(tx *sql.Tx, d *device, p *relayproto.Publish) error {
	current, err := s.reachable(tx, d.addr)
	if err != nil {
		return err
	}
	if current == nil || !bytes.Equal(current.key, d.key) {
		return refuse(relayproto.Refused_WRONG_KEY, "the address has a new key")
	}
	sum, err := digest(p)
	if err != nil {
		return err
	}
	dir, err := s.directory(tx, d.id)
	if err != nil || bytes.Equal(dir.lastPublish, sum) {
		return err
	}
	dir.lastPublish = sum
	if err := dir.merge(p); err != nil {
		return err
	}
	if p.Replace {
		if err := s.dropOneTime(tx, d.id); err != nil {
			return err
		}
	}
	for kind, keys := range [][]*relayproto.Prekey{kindX25519: p.OneTime, kindKEM: p.OneTimeKem} {
		if err := s.roomFor(tx, d.id, kind, len(keys)); err != nil {
			return err
		}
	}
	for kind, keys := range [][]*relayproto.Prekey{kindX25519: p.OneTime, kindKEM: p.OneTimeKem} {
		for _, k := range keys {
			if _, err := s.exec(tx, sqlAddKey, d.id, kind, k.Id, k.Key); err != nil {
				return err
			}
		}
	}
	return s.putDirectory(tx, d.id, dir)
}

func (s *store) putDirectory(tx *sql.Tx, device int64, d *directory) error {
	_, err := s.exec(tx, `INSERT OR REPLACE INTO directory
		(device, identity, signed_id, signed, resort_id, resort, top_one_time, top_kem, last_publish) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		device, d.identity, d.signed.Id, d.signed.Key, d.resort.Id, d.resort.Key, d.topOneTime, d.topKEM, d.lastPublish)
	return err
}

func digest(p *relayproto.Publish) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
	sum := sha256.Sum256(b)
	return sum[:], err
}

// merge takes over what p brings, unless it uses an id again.
func (d *directory) merge(p *relayproto.Publish) error {
	if len(p.Identity) > 0 {
		d.identity = p.Identity
	}
	if err := mergeOne("signed prekey", &d.signed, p.Signed); err != nil {
		return err
	}
	if err := mergeOne("last-resort key", &d.resort, p.LastResort); err != nil {
		return err
	}
	if err := raise("one-time key", &d.topOneTime, p.OneTime); err != nil {
		return err
	}
	return raise("one-time KEM key", &d.topKEM, p.OneTimeKem)
}

func mergeOne(name string, have **relayproto.Prekey, k *relayproto.Prekey) error {
	if k == nil {
		return nil
	}
	if k.Id <= (*have).Id {
		return reused(name, (*have).Id)
	}
	*have = k
	return nil
}

// raise moves the highest id; the ids of keys rise, as relayproto.Decode has checked.
func raise(name string, top *uint32, keys []*relayproto.Prekey) error {
	if len(keys) == 0 {
		return nil
	}
	if keys[0].Id <= *top {
		return reused(name, *top)
	}
	*top = keys[len(keys)-1].Id
	return nil
}

func (s *store) roomFor(tx *sql.Tx, device int64, kind, more int) error {
	have, err := s.countOneTime(tx, device, kind)
	if err == nil && have+more > maxOneTime {
		return refuse(relayproto.Refused_TOO_LARGE, "at most 1,000 one-time keys of a kind are kept")
	}
	return err
}

func (s *store) countOneTime(tx *sql.Tx, device int64, kind int) (n int, err error) {
	err = tx.QueryRow(sqlCountKeys, device, kind).Scan(&n)
	return n, err
}

// supply is what the directory has of a device.
type supply struct {
	oneTime, oneTimeKEM int
	complete            bool
	highest             uint32 // id ever published, of all kinds
}

func (s *store) supply(ctx context.Context, device int64) (supply, error) {
	var have supply
	err := s.db.Read.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM prekey WHERE device = ?1 AND kind = 0),
		(SELECT count(*) FROM prekey WHERE device = ?1 AND kind = 1),
		EXISTS (SELECT 1 FROM directory WHERE device = ?1 AND identity IS NOT NULL AND signed IS NOT NULL AND resort IS NOT NULL),
		coalesce((SELECT max(signed_id, resort_id, top_one_time, top_kem) FROM directory WHERE device = ?1), 0)`,
		device).Scan(&have.oneTime, &have.oneTimeKEM, &have.complete, &have.highest)
	return have, err
}

// fetch is a request for a bundle.
type fetch struct {
	by     int64
	target relayproto.Addr
	now    time.Time
	hourly int // bundles an hour; negative: no limit
}

// served is a bundle and what it leaves behind.
type served struct {
	bundle *relayproto.Bundle
	owner  int64
	left   supply
}

// bundle serves one one-time key of each kind and removes both.
func (s *store) bundle(tx *sql.Tx, f fetch) (served, error) {
	to, err := s.reachable(tx, f.target)
	if err != nil {
		return served{}, err
	}
	if to == nil {
		return served{}, refuse(relayproto.Refused_UNKNOWN_RECIPIENT, "")
	}
	dir, err := s.directory(tx, to.id)
	if err != nil {
		return served{}, err
	}
	if !dir.complete() {
		return served{}, refuse(relayproto.Refused_NO_PREKEYS, "")
	}
	if err := s.payFetch(tx, f, to.id); err != nil {
		return served{}, err
	}
	out := served{owner: to.id, bundle: &relayproto.Bundle{Identity: dir.identity, Signed: dir.signed}}
	if out.bundle.OneTime, out.left.oneTime, err = s.pop(tx, to.id, kindX25519); err != nil {
		return served{}, err
	}
	if out.bundle.Kem, out.left.oneTimeKEM, err = s.pop(tx, to.id, kindKEM); err != nil {
		return served{}, err
	}
	if out.bundle.Kem == nil {
		out.bundle.Kem, out.bundle.KemIsLastResort = dir.resort, true
	}
	return out, nil
}

// payFetch holds the pair of fetcher and target to the hourly limit.
func (s *store) payFetch(tx *sql.Tx, f fetch, target int64) error {
	if f.hourly < 0 {
		return nil
	}
	var paid int64
	err := tx.QueryRow(`SELECT paid_at FROM fetched WHERE fetcher = ? AND target = ?`, f.by, target).Scan(&paid)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	next, wait := admit(time.UnixMilli(paid), f.now, hourlyWindow/time.Duration(f.hourly), f.hourly)
	if wait > 0 {
		return later(relayproto.Refused_LIMITED, wait, "bundles of this target")
	}
	_, err = s.exec(tx, `INSERT OR REPLACE INTO fetched (fetcher, target, paid_at) VALUES (?, ?, ?)`, f.by, target, next.UnixMilli())
	return err
}

// pop takes the oldest one-time key, nil when there is none, and counts the rest.
func (s *store) pop(tx *sql.Tx, device int64, kind int) (*relayproto.Prekey, int, error) {
	k := new(relayproto.Prekey)
	err := tx.QueryRow(sqlPopKey, device, kind).Scan(&k.Id, &k.Key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	left, err := s.countOneTime(tx, device, kind)
	return k, left, err
}
