package onprem

import (
	"fmt"
	"slices"
	"strconv"

	"kabar"
	"kabar/internal/store"
)

// Bounds of what is kept of sticker packs.
const (
	maxPacks      = 1000 // of a number
	maxStickers   = 30   // of a pack
	maxStickerStr = 256  // characters of a name or a link
	maxEmojis     = 3    // of a sticker
)

// stickerPack is a pack as requests and answers have it (contract 1.12). Packs are kept and have no effect.
type stickerPack struct {
	ID        string  `json:"id,omitzero"`
	Publisher *string `json:"publisher,omitzero"`
	Name      *string `json:"name,omitzero"`
	IOS       *string `json:"ios_app_store_link,omitzero"`
	Android   *string `json:"android_app_store_link,omitzero"`
}

// sticker is a sticker of a pack in requests.
type sticker struct {
	Image  *string   `json:"image_data_id,omitzero"`
	Emojis *[]string `json:"emojis,omitzero"`
}

// packList: GET /v1/stickerpacks. The network has no packs of its own (namespace=whatsapp).
func (a *API) packList(x *exchange) error {
	all := []stickerPack{}
	if x.r.URL.Query().Get("namespace") != "whatsapp" {
		packs, err := a.engine.StickerPacks(x.r.Context(), x.number())
		if err != nil {
			return err
		}
		for _, p := range packs {
			all = append(all, stickerPack{ID: a.packID(p.ID)})
		}
	}
	return x.reply("stickerpacks", all)
}

// addPack: POST /v1/stickerpacks.
func (a *API) addPack(x *exchange) error {
	var body stickerPack
	if err := x.decode(&body); err != nil {
		return err
	}
	p := &store.StickerPack{Next: 1}
	if err := body.apply(p); err != nil {
		return err
	}
	if err := a.engine.AddStickerPack(x.r.Context(), x.number(), p, maxPacks); err != nil {
		return err
	}
	return x.made("stickerpacks", []stickerPack{{ID: a.packID(p.ID)}})
}

// pack: GET /v1/stickerpacks/{id}.
func (a *API) pack(x *exchange) error {
	p, err := a.packOf(x)
	if err != nil {
		return err
	}
	return x.reply("stickerpacks", []stickerPack{{a.packID(p.ID), &p.Publisher, &p.Name, &p.IOS, &p.Android}})
}

// changePack: PATCH /v1/stickerpacks/{id}.
func (a *API) changePack(x *exchange) error {
	var body stickerPack
	if err := x.decode(&body); err != nil {
		return err
	}
	return a.alter(x, body.apply)
}

// removePack: DELETE /v1/stickerpacks/{id}.
func (a *API) removePack(x *exchange) error {
	id, err := a.packKey(x)
	if err == nil {
		err = a.engine.RemoveStickerPack(x.r.Context(), x.number(), id)
	}
	if err != nil {
		return err
	}
	return x.done()
}

// stickers: GET /v1/stickerpacks/{id}/stickers.
func (a *API) stickers(x *exchange) error {
	p, err := a.packOf(x)
	if err != nil {
		return err
	}
	all := []map[string]int{}
	for _, s := range p.Stickers {
		all = append(all, map[string]int{"index": s.Index})
	}
	return x.reply("stickers", all)
}

// addSticker: POST /v1/stickerpacks/{id}/stickers.
func (a *API) addSticker(x *exchange) error {
	var body sticker
	if err := x.decode(&body); err != nil {
		return err
	}
	index := 0
	err := a.change(x, func(p *store.StickerPack) error {
		if len(p.Stickers) >= maxStickers {
			return kabar.Refuse(kabar.ReasonInvalid, "", "the pack has %d stickers, the limit is %d", len(p.Stickers), maxStickers)
		}
		s := store.Sticker{Index: p.Next}
		if err := body.apply(&s); err != nil {
			return err
		}
		index, p.Next, p.Stickers = p.Next, p.Next+1, append(p.Stickers, s)
		return nil
	})
	if err != nil {
		return err
	}
	return x.made("stickers", []map[string]int{{"index": index}})
}

// sticker: GET /v1/stickerpacks/{id}/stickers/{index}.
func (a *API) sticker(x *exchange) error {
	p, err := a.packOf(x)
	if err != nil {
		return err
	}
	i, err := at(x, p)
	if err != nil {
		return err
	}
	s := p.Stickers[i]
	return x.reply("stickers", []map[string]any{{"id": strconv.Itoa(s.Index), "emojis": append([]string{}, s.Emojis...), "image_data_id": s.Image}})
}

// changeSticker: PATCH /v1/stickerpacks/{id}/stickers/{index}.
func (a *API) changeSticker(x *exchange) error {
	var body sticker
	if err := x.decode(&body); err != nil {
		return err
	}
	return a.alter(x, func(p *store.StickerPack) error {
		i, err := at(x, p)
		if err != nil {
			return err
		}
		return body.apply(&p.Stickers[i])
	})
}

// removeSticker: DELETE /v1/stickerpacks/{id}/stickers/{index}.
func (a *API) removeSticker(x *exchange) error {
	return a.alter(x, func(p *store.StickerPack) error {
		i, err := at(x, p)
		if err != nil {
			return err
		}
		p.Stickers = slices.Delete(p.Stickers, i, i+1)
		return nil
	})
}

// alter changes the pack in the path and answers without payload.
func (a *API) alter(x *exchange, change func(*store.StickerPack) error) error {
	if err := a.change(x, change); err != nil {
		return err
	}
	return x.done()
}

func (a *API) change(x *exchange, change func(*store.StickerPack) error) error {
	id, err := a.packKey(x)
	if err != nil {
		return err
	}
	return a.engine.ChangeStickerPack(x.r.Context(), x.number(), id, change)
}

func (a *API) packOf(x *exchange) (*store.StickerPack, error) {
	id, err := a.packKey(x)
	if err != nil {
		return nil, err
	}
	return a.engine.StickerPack(x.r.Context(), x.number(), id)
}

// packID returns the public id of a pack: media and packs have their keys from one sequence, so they share the form.
func (a *API) packID(key int64) string { return a.MediaID(kabar.MediaID(key)) }

func (a *API) packKey(x *exchange) (int64, error) {
	id, ok := a.medium(x.r.PathValue("id"))
	if !ok {
		return 0, kabar.Refuse(kabar.ReasonNotFound, "", "there is no sticker pack with this id")
	}
	return int64(id), nil
}

// at returns where the sticker in the path stands in the pack.
func at(x *exchange, p *store.StickerPack) (int, error) {
	i := slices.IndexFunc(p.Stickers, func(s store.Sticker) bool { return strconv.Itoa(s.Index) == x.r.PathValue("index") })
	if i < 0 {
		return 0, kabar.Refuse(kabar.ReasonNotFound, "", "there is no sticker with this index")
	}
	return i, nil
}

// apply changes p, which must have publisher and name then.
func (b *stickerPack) apply(p *store.StickerPack) error {
	if b.ID != "" {
		return kabar.Refuse(kabar.ReasonNotRequired, "id", "")
	}
	set(&p.Publisher, b.Publisher)
	set(&p.Name, b.Name)
	set(&p.IOS, b.IOS)
	set(&p.Android, b.Android)
	for _, f := range []struct {
		name, value string
		link        bool
	}{{"publisher", p.Publisher, false}, {"name", p.Name, false}, {"ios_app_store_link", p.IOS, true}, {"android_app_store_link", p.Android, true}} {
		if err := stickerText(f.name, f.value, !f.link); err != nil {
			return err
		}
		if f.link && f.value != "" {
			if err := kabar.CheckURL(f.name, f.value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *sticker) apply(s *store.Sticker) error {
	set(&s.Image, b.Image)
	set(&s.Emojis, b.Emojis)
	if len(s.Emojis) > maxEmojis {
		return kabar.Refuse(kabar.ReasonInvalid, "emojis", "has %d, the limit is %d", len(s.Emojis), maxEmojis)
	}
	for i, e := range s.Emojis {
		if err := stickerText(fmt.Sprintf("emojis[%d]", i), e, true); err != nil {
			return err
		}
	}
	return stickerText("image_data_id", s.Image, true)
}

func stickerText(field, s string, required bool) error {
	switch n := len([]rune(s)); {
	case n == 0 && required:
		return kabar.Refuse(kabar.ReasonMissing, field, "is required, with 1 to %d characters", maxStickerStr)
	case n > maxStickerStr:
		return kabar.Refuse(kabar.ReasonInvalid, field, "has %d characters, the limit is %d", n, maxStickerStr)
	}
	return nil
}
