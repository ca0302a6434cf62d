package store

import (
	"context"
	"time"

	"kabar"
)

type replayRow struct {
	id, account, number, endpoint, since, until, mark int64
	state                                             string
	created, ended                                    int64
}

var replays = &table[int64, replayRow]{
	shape: shape{"replay", cols("id:bigint"),
		cols("account_id:bigint number_id:bigint endpoint_id:bigint since:bigint until:bigint mark:bigint state:text created:bigint ended:bigint")},
	key:  func(r *replayRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *replayRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.endpoint, &r.since, &r.until, &r.mark, &r.state, &r.created, &r.ended}
	},
	order: byID[int64],
}

// ReplayState says how far a replay is.
type ReplayState string

// The states of replays.
const (
	ReplayRunning   ReplayState = "running"
	ReplayPaused    ReplayState = "paused"
	ReplayDone      ReplayState = "done"
	ReplayCancelled ReplayState = "cancelled"
)

// Replay is a reader of its own that tells an endpoint of events once more. It has a mark and rows of deliveries as an endpoint has,
// so it outlives the process, and moves nothing of the endpoint's.
type Replay struct {
	ID       kabar.EndpointID // that of a reader: no endpoint has the same
	Account  kabar.AccountID
	Number   kabar.NumberID
	Endpoint kabar.EndpointID
	Since    int64 // the seq before the first event
	Until    int64 // the last event's
	Mark     int64
	State    ReplayState
	Created  time.Time
	Ended    time.Time // zero: it has not
}

// Live reports whether the replay has not ended.
func (r *Replay) Live() bool { return r.State == ReplayRunning || r.State == ReplayPaused }

// AddReplay stores a new replay of an endpoint of the number and sets its ID.
func (tx *Tx) AddReplay(r *Replay, now time.Time) error {
	if _, err := tx.endpoint(r.Number, r.Endpoint); err != nil {
		return err
	}
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	r.ID, r.Mark, r.State, r.Created = kabar.EndpointID(id), r.Since, ReplayRunning, now
	tx.replays.fresh(sealReplay(r))
	return nil
}

// ChangeReplay changes a replay of the number.
func (tx *Tx) ChangeReplay(n kabar.NumberID, id kabar.EndpointID, change func(*Replay)) error {
	row, err := tx.replay(n, id)
	if err != nil {
		return err
	}
	r := openReplay(row)
	change(r)
	return tx.replays.put(sealReplay(r))
}

func (tx *Tx) replay(n kabar.NumberID, id kabar.EndpointID) (*replayRow, error) {
	row, err := tx.replays.get(int64(id))
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"replay"}
	}
	return row, nil
}

// Replays returns the replays of the number, oldest first; those that have ended stay as long as its events.
func (db *DB) Replays(ctx context.Context, n kabar.NumberID) ([]*Replay, error) {
	return db.openReplays(ctx, "number_id = $1 ORDER BY id", int64(n))
}

func (db *DB) openReplays(ctx context.Context, where string, args ...any) ([]*Replay, error) {
	rows, err := readAll(ctx, db, replays, where, args...)
	if err != nil {
		return nil, err
	}
	all := make([]*Replay, len(rows))
	for i := range rows {
		all[i] = openReplay(&rows[i])
	}
	return all, nil
}

// LiveReplays returns the replays of the number that have not ended, oldest first.
func (db *DB) LiveReplays(ctx context.Context, n kabar.NumberID) ([]*Replay, error) {
	return db.openReplays(ctx, "number_id = $1 AND ended = 0 ORDER BY id", int64(n))
}

// Replay returns a replay by its ID, whoever's it is, or a NotFoundError.
func (db *DB) Replay(ctx context.Context, id kabar.EndpointID) (*Replay, error) {
	row, err := readOne(ctx, db, replays, "id = $1", int64(id))
	if err != nil {
		return nil, notFound(err, "replay")
	}
	return openReplay(row), nil
}

func sealReplay(r *Replay) replayRow {
	return replayRow{int64(r.ID), int64(r.Account), int64(r.Number), int64(r.Endpoint), r.Since, r.Until, r.Mark, string(r.State), millis(r.Created), millis(r.Ended)}
}

func openReplay(r *replayRow) *Replay {
	return &Replay{ID: kabar.EndpointID(r.id), Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number), Endpoint: kabar.EndpointID(r.endpoint),
		Since: r.since, Until: r.until, Mark: r.mark, State: ReplayState(r.state), Created: instant(r.created), Ended: instant(r.ended)}
}
