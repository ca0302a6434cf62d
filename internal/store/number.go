package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type numberRow struct {
	id, account    int64
	digits         string
	key, profile   []byte
	profileVersion int64
	settings       []byte
	fence, created int64
	invite         []byte
}

var numbers = &table[int64, numberRow]{
	shape: shape{"number", cols("id:bigint"),
		cols("account_id:bigint digits:text key:bytea profile:bytea profile_version:bigint settings:bytea fence:bigint created:bigint " +
			"invite:bytea")},
	key:  func(r *numberRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *numberRow) []any {
		return []any{&r.id, &r.account, &r.digits, &r.key, &r.profile, &r.profileVersion, &r.settings, &r.fence, &r.created, &r.invite}
	},
	order: byID[int64],
}

// AddNumber stores a new number with its own key and sets its ID. A number that exists already is a StatementError.
func (tx *Tx) AddNumber(n *kabar.Number, s kabar.Settings, now time.Time) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	master, err := tx.master()
	if err != nil {
		return err
	}
	tx.about(int64(n.Account), "number/"+n.Digits)
	n.ID, n.ProfileVersion, n.Created = kabar.NumberID(id), 1, instant(millis(now))
	key := secrets.NewKey()
	tx.b.db.keepNumberKey(id, key) // harmless if the operation fails: the id is never used again
	row := numberRow{id: id, account: int64(n.Account), digits: n.Digits, key: master.Wrap(key, secrets.AAD("number", id)), created: millis(now)}
	if err := sealNumber(&row, key, n, s); err != nil {
		return err
	}
	tx.numbers.fresh(row)
	return nil
}

// SaveNumber stores a changed profile and changed settings. ProfileVersion must have been raised with a changed profile.
func (tx *Tx) SaveNumber(n *kabar.Number, s kabar.Settings) error {
	row, err := tx.numbers.get(int64(n.ID))
	if err != nil {
		return err
	}
	if row == nil {
		return &NotFoundError{"number"}
	}
	key, err := tx.b.db.numberKey(row.id)
	if err != nil {
		return err
	}
	if err := sealNumber(row, key, n, s); err != nil {
		return err
	}
	return tx.numbers.put(*row)
}

func sealNumber(row *numberRow, key secrets.Key, n *kabar.Number, s kabar.Settings) error {
	profile, err := json.Marshal(n.Profile)
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	settings, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	row.profileVersion = n.ProfileVersion
	row.profile = key.Seal(profile, secrets.AAD("number.profile", row.id))
	row.settings = key.Seal(settings, secrets.AAD("number.settings", row.id))
	return nil
}

// SetInvite keeps the invite with which the number registers at its relay. It is sealed; an empty one removes it.
func (tx *Tx) SetInvite(id kabar.NumberID, invite string) error {
	row, err := tx.numbers.get(int64(id))
	if err != nil {
		return err
	}
	if row == nil {
		return &NotFoundError{"number"}
	}
	if row.invite = nil; invite != "" {
		key, err := tx.b.db.numberKey(row.id)
		if err != nil {
			return err
		}
		row.invite = key.Seal([]byte(invite), secrets.AAD("number.invite", row.id))
	}
	return tx.numbers.put(*row)
}

// Invite returns what SetInvite has kept; empty if there is nothing.
func (db *DB) Invite(ctx context.Context, id kabar.NumberID) (string, error) {
	row, err := readOne(ctx, db, numbers, "id = $1", int64(id))
	if err != nil {
		return "", notFound(err, "number")
	}
	if len(row.invite) == 0 {
		return "", nil
	}
	key, err := db.numberKey(row.id)
	if err != nil {
		return "", err
	}
	invite, err := key.Open(row.invite, secrets.AAD("number.invite", row.id))
	if err != nil {
		return "", fmt.Errorf("unseal the invite of a number: %w", err)
	}
	return string(invite), nil
}

// Number returns a number and its settings.
func (tx *Tx) Number(id kabar.NumberID) (*kabar.Number, kabar.Settings, error) {
	row, err := tx.numbers.get(int64(id))
	if err != nil {
		return nil, kabar.Settings{}, err
	}
	if row == nil {
		return nil, kabar.Settings{}, &NotFoundError{"number"}
	}
	return tx.b.db.openNumber(row)
}

func (db *DB) openNumber(r *numberRow) (*kabar.Number, kabar.Settings, error) {
	n := &kabar.Number{ID: kabar.NumberID(r.id), Account: kabar.AccountID(r.account), Digits: r.digits, ProfileVersion: r.profileVersion,
		Created: instant(r.created)}
	var s kabar.Settings
	key, err := db.numberKey(r.id)
	if err != nil {
		return nil, s, err
	}
	for _, part := range []struct {
		place  string
		sealed []byte
		into   any
	}{{"number.profile", r.profile, &n.Profile}, {"number.settings", r.settings, &s}} {
		plain, err := key.Open(part.sealed, secrets.AAD(part.place, r.id))
		if err != nil {
			return nil, s, fmt.Errorf("unseal number: %w", err)
		}
		if err := json.Unmarshal(plain, part.into); err != nil {
			return nil, s, fmt.Errorf("decode number: %w", err)
		}
	}
	return n, s, nil
}

// Number returns a number and its settings.
func (db *DB) Number(ctx context.Context, id kabar.NumberID) (*kabar.Number, kabar.Settings, error) {
	row, err := readOne(ctx, db, numbers, "id = $1", int64(id))
	if err != nil {
		return nil, kabar.Settings{}, notFound(err, "number")
	}
	return db.openNumber(row)
}

// Numbers returns every number of the server, oldest first.
func (db *DB) Numbers(ctx context.Context) ([]*kabar.Number, error) {
	rows, err := readAll(ctx, db, numbers, "id > 0 ORDER BY id")
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.Number, len(rows))
	for i := range rows {
		if all[i], _, err = db.openNumber(&rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
