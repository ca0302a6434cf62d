package store_test

import (
	"errors"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// adminNouns are what administrators of a number keep beside its settings.
func adminNouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) []*noun {
	type picture struct {
		jpeg    string
		created time.Time
	}
	photo := &picture{"photo " + tag, s.Now}
	pack := &store.StickerPack{Account: n.Account, Number: n.ID, Publisher: "pub " + tag, Name: "pack " + tag, Next: 1}
	kept := pack
	secret := []byte("known " + tag)
	return []*noun{
		{name: "photo",
			add: func(tx *store.Tx) error { return tx.SavePhoto(n, []byte(photo.jpeg), photo.created) },
			change: func(tx *store.Tx) error {
				photo.jpeg, photo.created = "new photo "+tag, s.Now.Add(time.Hour)
				return tx.SavePhoto(n, []byte(photo.jpeg), photo.created)
			},
			remove: func(tx *store.Tx) error { photo = nil; return tx.RemovePhoto(n.ID) },
			read: func() (any, error) {
				jpeg, created, err := s.DB.Photo(t.Context(), n.ID)
				return &picture{string(jpeg), created}, err
			},
			want: func() any { return orNil(photo) }},
		{name: "sticker pack",
			add: func(tx *store.Tx) error { return tx.AddStickerPack(pack) },
			change: func(tx *store.Tx) error {
				pack.Stickers, pack.Next = []store.Sticker{{Index: 1, Image: "image " + tag, Emojis: []string{"🙂"}}}, 2
				return tx.ChangeStickerPack(n.ID, pack.ID, func(p *store.StickerPack) error { *p = *pack; return nil })
			},
			remove: func(tx *store.Tx) error { kept = nil; return tx.RemoveStickerPack(n.ID, pack.ID) },
			read:   func() (any, error) { return s.DB.StickerPack(t.Context(), n.ID, pack.ID) },
			want:   func() any { return orNil(kept) }},
		qrCodeNoun(t, s, n, tag), uploadNoun(t, s, n, tag),
		{name: "known secret",
			add:    func(tx *store.Tx) error { return tx.SetSecret("known-"+tag[:4], secret) },
			remove: func(tx *store.Tx) error { secret = nil; return tx.RemoveSecret("known-" + tag[:4]) },
			read:   func() (any, error) { return s.DB.KnownSecret(t.Context(), "known-"+tag[:4]) },
			want: func() any {
				if secret == nil {
					return nil
				}
				return secret
			}},
	}
}

func qrCodeNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	q := &store.QRCode{Account: n.Account, Number: n.ID, Code: "CODE" + tag[:4], Prefilled: "text " + tag, Created: s.Now}
	kept := q
	return &noun{name: "QR code",
		add:    func(tx *store.Tx) error { return tx.SaveQRCode(q) },
		change: func(tx *store.Tx) error { q.Prefilled = "new text " + tag; return tx.SaveQRCode(q) },
		remove: func(tx *store.Tx) error { kept = nil; return tx.RemoveQRCode(n.ID, q.Code) },
		inside: func(tx *store.Tx) (any, error) { return tx.QRCode(n.ID, q.Code) },
		read:   func() (any, error) { return s.DB.QRCode(t.Context(), n.ID, q.Code) },
		want:   func() any { return orNil(kept) }}
}

func uploadNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	u := &store.UploadSession{Account: n.Account, Number: n.ID, Expires: s.Now.Add(time.Hour), Name: "file " + tag, MIME: "image/png", Length: 9}
	kept := u
	return &noun{name: "upload session",
		add: func(tx *store.Tx) error { return tx.SaveUploadSession(u) },
		change: func(tx *store.Tx) error {
			u.Offset, u.Parts, u.Expires = 9, []kabar.MediaID{5}, s.Now.Add(2*time.Hour)
			return tx.SaveUploadSession(u)
		},
		remove: func(tx *store.Tx) error { kept = nil; return tx.RemoveUploadSession(n.ID, u.ID) },
		inside: func(tx *store.Tx) (any, error) { return tx.UploadSession(n.ID, u.ID) },
		read:   func() (any, error) { return s.DB.UploadSession(t.Context(), n.ID, u.ID) },
		want:   func() any { return orNil(kept) }}
}

func TestStickerPacksAreTheNumbers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		p := &store.StickerPack{Account: s.A.Account, Number: s.A.ID, Publisher: "p", Name: "n"}
		s.Write(t, func(tx *store.Tx) error { return tx.AddStickerPack(p) })
		if all, err := s.DB.StickerPacks(t.Context(), s.A.ID); len(all) != 1 || err != nil {
			t.Errorf("A has %d packs, %v", len(all), err)
		}
		if all, err := s.DB.StickerPacks(t.Context(), s.B.ID); len(all) != 0 || err != nil {
			t.Errorf("B has %d packs, %v", len(all), err)
		}
		if _, err := s.DB.StickerPack(t.Context(), s.B.ID, p.ID); !errors.As(err, new(*store.NotFoundError)) {
			t.Errorf("B reads A's pack: %v", err)
		}
		if err := s.DB.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.RemoveStickerPack(s.B.ID, p.ID) }); !errors.As(err, new(*store.NotFoundError)) {
			t.Errorf("B removes A's pack: %v", err)
		}
	})
}
