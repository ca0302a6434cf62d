package engine

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// Sticker packs are rows that an administrator keeps. Nothing else looks at them. A pack that is not there is refused as not
// found.

// AddStickerPack stores a pack of a number and sets its ID, unless the number has most of them.
func (e *Engine) AddStickerPack(ctx context.Context, n kabar.NumberID, p *store.StickerPack, most int) error {
	l, err := e.line(n)
	if err != nil {
		return err
	}
	all, err := e.StickerPacks(ctx, n)
	if err != nil {
		return err
	}
	if len(all) >= most {
		return kabar.Refuse(kabar.ReasonInvalid, "", "the number has %d sticker packs, the limit is %d", len(all), most)
	}
	p.Account, p.Number = l.number.Account, n
	return store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.AddStickerPack(p) }))
}

// ChangeStickerPack changes a pack; what change refuses undoes it. change may be called more than once.
func (e *Engine) ChangeStickerPack(ctx context.Context, n kabar.NumberID, id int64, change func(*store.StickerPack) error) error {
	return store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.ChangeStickerPack(n, id, change) }))
}

// RemoveStickerPack removes a pack.
func (e *Engine) RemoveStickerPack(ctx context.Context, n kabar.NumberID, id int64) error {
	return store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.RemoveStickerPack(n, id) }))
}

// StickerPacks returns the packs of a number, oldest first.
func (e *Engine) StickerPacks(ctx context.Context, n kabar.NumberID) ([]*store.StickerPack, error) {
	all, err := e.db.StickerPacks(ctx, n)
	return all, store.Refusal(err)
}

// StickerPack returns a pack of a number.
func (e *Engine) StickerPack(ctx context.Context, n kabar.NumberID, id int64) (*store.StickerPack, error) {
	p, err := e.db.StickerPack(ctx, n, id)
	return p, store.Refusal(err)
}
