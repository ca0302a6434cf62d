package engine

import (
	"context"
	"errors"
	"time"

	"kabar"
	"kabar/internal/photo"
	"kabar/internal/store"
)

// MaxPhoto is the largest file that MakePhoto looks at, in bytes.
const MaxPhoto = photo.MaxBytes

// MakePhoto makes the picture of a profile of a file that somebody has uploaded: one as the API gives it back, a small one as
// customers get it. Pictures are unpacked one by one, whoever sends them: each takes much memory.
func (e *Engine) MakePhoto(file []byte) (*photo.Picture, error) {
	e.unpacking.Lock()
	defer e.unpacking.Unlock()
	made, err := photo.Make(file, kabar.MaxProfilePhoto)
	if errors.Is(err, photo.ErrNotAPicture) {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "", "%s", err.Error())
	}
	return made, err
}

// SetPhoto stores the picture of a number's profile.
func (e *Engine) SetPhoto(ctx context.Context, id kabar.NumberID, made *photo.Picture) error {
	return e.ChangeProfileAndPhoto(ctx, id, made, func(*kabar.Profile) error { return nil })
}

// ChangeProfileAndPhoto does what ChangeProfile and SetPhoto do, in one commit.
func (e *Engine) ChangeProfileAndPhoto(ctx context.Context, id kabar.NumberID, made *photo.Picture, change func(*kabar.Profile) error) error {
	return e.changeProfile(ctx, id, func(p *kabar.Profile) error { p.Photo = made.Small; return change(p) },
		func(tx *store.Tx, n *kabar.Number) error { return tx.SavePhoto(n, made.Full, e.now()) })
}

// RemovePhoto removes the picture of a number's profile, if there is one.
func (e *Engine) RemovePhoto(ctx context.Context, id kabar.NumberID) error {
	return e.changeProfile(ctx, id, func(p *kabar.Profile) error { p.Photo = nil; return nil },
		func(tx *store.Tx, n *kabar.Number) error { return tx.RemovePhoto(n.ID) })
}

// Photo returns the picture of a number's profile and when it was set. That there is none is refused as not found.
func (e *Engine) Photo(ctx context.Context, id kabar.NumberID) (jpeg []byte, set time.Time, err error) {
	jpeg, set, err = e.db.Photo(ctx, id)
	return jpeg, set, store.Refusal(err)
}
