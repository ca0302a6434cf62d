package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type broadcastRow struct {
	id, account, number                 int64
	state, why                          string
	recipients, created, startAt, ended int64
	body                                []byte
}

var broadcasts = &table[int64, broadcastRow]{
	shape: shape{"broadcast", cols("id:bigint"), cols("account_id:bigint number_id:bigint state:text why:text recipients:bigint created:bigint " +
		"start_at:bigint ended:bigint body:bytea")},
	key:  func(r *broadcastRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *broadcastRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.state, &r.why, &r.recipients, &r.created, &r.startAt, &r.ended, &r.body}
	},
	order: byID[int64],
}

// broadcastBody is the sealed part of a broadcast.
type broadcastBody struct {
	Template  string            `json:"template"`
	Language  string            `json:"language"`
	Map       map[string]string `json:"map,omitempty"`
	PerSecond int               `json:"per_second,omitempty"`
	By        string            `json:"by,omitempty"`
}

// AddBroadcast stores a new broadcast, and sets its ID.
func (tx *Tx) AddBroadcast(b *kabar.Broadcast) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	b.ID = kabar.BroadcastID(id)
	row, err := tx.b.db.sealBroadcast(b)
	if err != nil {
		return err
	}
	tx.broadcasts.fresh(*row)
	return nil
}

// WantBroadcast announces that the broadcast will be asked for.
func (tx *Tx) WantBroadcast(id kabar.BroadcastID) { tx.broadcasts.want(int64(id)) }

// Broadcast returns a broadcast of the number, or a NotFoundError.
func (tx *Tx) Broadcast(n kabar.NumberID, id kabar.BroadcastID) (*kabar.Broadcast, error) {
	row, err := tx.broadcasts.see(int64(id))
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"broadcast"}
	}
	return tx.b.db.openBroadcast(row)
}

// SaveBroadcast stores a changed broadcast.
func (tx *Tx) SaveBroadcast(b *kabar.Broadcast) error {
	if _, err := tx.Broadcast(b.Number, b.ID); err != nil {
		return err
	}
	row, err := tx.b.db.sealBroadcast(b)
	if err != nil {
		return err
	}
	return tx.broadcasts.put(*row)
}

// RemoveBroadcast removes a broadcast whose recipients are gone.
func (tx *Tx) RemoveBroadcast(n kabar.NumberID, id kabar.BroadcastID) error {
	if _, err := tx.Broadcast(n, id); err != nil {
		return err
	}
	return tx.broadcasts.del(int64(id))
}

func (db *DB) sealBroadcast(b *kabar.Broadcast) (*broadcastRow, error) {
	plain, err := json.Marshal(broadcastBody{b.Template, b.Language, b.Map, b.PerSecond, b.By})
	if err != nil {
		return nil, fmt.Errorf("encode a broadcast: %w", err)
	}
	key, err := db.numberKey(int64(b.Number))
	if err != nil {
		return nil, err
	}
	return &broadcastRow{id: int64(b.ID), account: int64(b.Account), number: int64(b.Number), state: string(b.State), why: b.Why,
		recipients: int64(b.Recipients), created: millis(b.Created), startAt: millis(b.StartAt), ended: millis(b.Ended),
		body: key.Seal(plain, secrets.AAD("broadcast", int64(b.ID)))}, nil
}

func (db *DB) openBroadcast(r *broadcastRow) (*kabar.Broadcast, error) {
	key, err := db.numberKey(r.number)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(r.body, secrets.AAD("broadcast", r.id))
	if err != nil {
		return nil, fmt.Errorf("unseal a broadcast: %w", err)
	}
	var body broadcastBody
	if err := json.Unmarshal(plain, &body); err != nil {
		return nil, fmt.Errorf("decode a broadcast: %w", err)
	}
	return &kabar.Broadcast{ID: kabar.BroadcastID(r.id), Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number),
		State: kabar.BroadcastState(r.state), Why: r.why, Recipients: int(r.recipients), Created: instant(r.created), StartAt: instant(r.startAt),
		Ended: instant(r.ended), Template: body.Template, Language: body.Language, Map: body.Map, PerSecond: body.PerSecond, By: body.By}, nil
}

func (db *DB) openBroadcasts(rows []broadcastRow, err error) ([]*kabar.Broadcast, error) {
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.Broadcast, len(rows))
	for i := range rows {
		if all[i], err = db.openBroadcast(&rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Broadcast returns a broadcast of the account, or a NotFoundError.
func (db *DB) Broadcast(ctx context.Context, a kabar.AccountID, id kabar.BroadcastID) (*kabar.Broadcast, error) {
	row, err := readOne(ctx, db, broadcasts, "id = $1 AND account_id = $2", int64(id), int64(a))
	if err != nil {
		return nil, notFound(err, "broadcast")
	}
	return db.openBroadcast(row)
}

// FindBroadcast returns a broadcast of whichever account, or a NotFoundError.
func (db *DB) FindBroadcast(ctx context.Context, id kabar.BroadcastID) (*kabar.Broadcast, error) {
	row, err := readOne(ctx, db, broadcasts, "id = $1", int64(id))
	if err != nil {
		return nil, notFound(err, "broadcast")
	}
	return db.openBroadcast(row)
}

const broadcastsBefore = "account_id = $1 AND id < $2"

// Broadcasts returns up to limit broadcasts of the account, newest first, from before the one given; zero means from the newest on. With
// a number only those of it.
func (db *DB) Broadcasts(ctx context.Context, a kabar.AccountID, n kabar.NumberID, before kabar.BroadcastID, limit int) ([]*kabar.Broadcast, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := readAll(ctx, db, broadcasts, broadcastsBefore+" AND state <> 'loading' AND ($3 = 0 OR number_id = $4) ORDER BY id DESC LIMIT $5",
		int64(a), int64(before), int64(n), int64(n), int64(limit))
	return db.openBroadcasts(rows, err)
}

const broadcastsIn = "state = $1"

// BroadcastsIn returns the broadcasts of all accounts that are in a state and whose time has come at now, oldest first. Without a time
// it returns all of them.
func (db *DB) BroadcastsIn(ctx context.Context, s kabar.BroadcastState, now time.Time) ([]*kabar.Broadcast, error) {
	if now.IsZero() {
		now = time.UnixMilli(math.MaxInt64)
	}
	rows, err := readAll(ctx, db, broadcasts, broadcastsIn+" AND start_at <= $2 ORDER BY start_at, id", string(s), millis(now))
	return db.openBroadcasts(rows, err)
}

// EndedBroadcasts returns up to limit broadcasts of a number that were done or cancelled by a time, oldest first.
func (db *DB) EndedBroadcasts(ctx context.Context, n kabar.NumberID, by time.Time, limit int) ([]*kabar.Broadcast, error) {
	rows, err := readAll(ctx, db, broadcasts, "number_id = $1 AND state IN ('done', 'cancelled') AND ended <= $2 ORDER BY id LIMIT $3", int64(n), millis(by), int64(limit))
	return db.openBroadcasts(rows, err)
}

// NextBroadcast returns when the next scheduled broadcast begins; zero: none does.
func (db *DB) NextBroadcast(ctx context.Context) (time.Time, error) {
	rows, err := readAll(ctx, db, broadcasts, broadcastsIn+" ORDER BY start_at LIMIT 1", string(kabar.BroadcastScheduled))
	if err != nil || len(rows) == 0 {
		return time.Time{}, err
	}
	return instant(rows[0].startAt), nil
}
