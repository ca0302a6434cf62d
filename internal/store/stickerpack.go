package store

import (
	"context"
	"encoding/json"
	"fmt"

	"kabar"
	"kabar/internal/secrets"
)

type packRow struct {
	id, account, number int64
	body                []byte
}

var packs = &table[int64, packRow]{
	shape:  shape{"sticker_pack", cols("id:bigint"), cols("account_id:bigint number_id:bigint body:bytea")},
	key:    func(r *packRow) int64 { return r.id },
	args:   one[int64],
	fields: func(r *packRow) []any { return []any{&r.id, &r.account, &r.number, &r.body} },
	order:  byID[int64],
}

// StickerPack is a pack of stickers as an administrator of a number describes it. It is kept and has no effect.
type StickerPack struct {
	ID        int64           `json:"-"`
	Account   kabar.AccountID `json:"-"`
	Number    kabar.NumberID  `json:"-"`
	Publisher string          `json:"publisher"`
	Name      string          `json:"name"`
	IOS       string          `json:"ios_app_store_link,omitempty"`
	Android   string          `json:"android_app_store_link,omitempty"`
	Next      int             `json:"next"` // index of the next sticker: none is given out twice
	Stickers  []Sticker       `json:"stickers,omitempty"`
}

// Sticker is a sticker of a pack.
type Sticker struct {
	Index  int      `json:"index"`
	Image  string   `json:"image_data_id"`
	Emojis []string `json:"emojis,omitempty"`
}

// AddStickerPack stores a new pack and sets its ID.
func (tx *Tx) AddStickerPack(p *StickerPack) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	p.ID = id
	row, err := tx.b.db.sealPack(p)
	if err != nil {
		return err
	}
	tx.packs.fresh(row)
	return nil
}

// ChangeStickerPack changes a pack of the number; what change returns undoes it. A pack that is not there is a NotFoundError.
func (tx *Tx) ChangeStickerPack(n kabar.NumberID, id int64, change func(*StickerPack) error) error {
	row, err := tx.pack(n, id)
	if err != nil {
		return err
	}
	p, err := tx.b.db.openPack(row)
	if err != nil {
		return err
	}
	if err := change(p); err != nil {
		return err
	}
	sealed, err := tx.b.db.sealPack(p)
	if err != nil {
		return err
	}
	return tx.packs.put(sealed)
}

// RemoveStickerPack removes a pack of the number, or returns a NotFoundError.
func (tx *Tx) RemoveStickerPack(n kabar.NumberID, id int64) error {
	if _, err := tx.pack(n, id); err != nil {
		return err
	}
	return tx.packs.del(id)
}

func (tx *Tx) pack(n kabar.NumberID, id int64) (*packRow, error) {
	row, err := tx.packs.get(id)
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"sticker pack"}
	}
	return row, nil
}

// StickerPacks returns the packs of the number, oldest first.
func (db *DB) StickerPacks(ctx context.Context, n kabar.NumberID) ([]*StickerPack, error) {
	rows, err := readAll(ctx, db, packs, "number_id = $1 ORDER BY id", int64(n))
	if err != nil {
		return nil, err
	}
	all := make([]*StickerPack, len(rows))
	for i := range rows {
		if all[i], err = db.openPack(&rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// StickerPack returns a pack of the number, or a NotFoundError.
func (db *DB) StickerPack(ctx context.Context, n kabar.NumberID, id int64) (*StickerPack, error) {
	row, err := readOne(ctx, db, packs, "id = $1 AND number_id = $2", id, int64(n))
	if err != nil {
		return nil, notFound(err, "sticker pack")
	}
	return db.openPack(row)
}

func (db *DB) sealPack(p *StickerPack) (packRow, error) {
	key, err := db.numberKey(int64(p.Number))
	if err != nil {
		return packRow{}, err
	}
	body, err := json.Marshal(p)
	if err != nil {
		return packRow{}, fmt.Errorf("encode sticker pack: %w", err)
	}
	return packRow{p.ID, int64(p.Account), int64(p.Number), key.Seal(body, secrets.AAD("sticker_pack", p.ID))}, nil
}

func (db *DB) openPack(r *packRow) (*StickerPack, error) {
	key, err := db.numberKey(r.number)
	if err != nil {
		return nil, err
	}
	body, err := key.Open(r.body, secrets.AAD("sticker_pack", r.id))
	if err != nil {
		return nil, fmt.Errorf("unseal sticker pack: %w", err)
	}
	p := &StickerPack{ID: r.id, Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number)}
	if err := json.Unmarshal(body, p); err != nil {
		return nil, fmt.Errorf("decode sticker pack: %w", err)
	}
	return p, nil
}
