package onprem

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/web"
)

// maxPhotos is how many pictures may be on their way in at a time; they are unpacked one by one.
const maxPhotos = 4

// photoLink is where the link to a picture leads, outside the API: it needs no credentials, since its name cannot be guessed.
const photoLink = "/photo/"

// setPhoto: POST /v1/settings/profile/photo stores the raw body as the picture of the profile.
func (a *API) setPhoto(x *exchange) error {
	select {
	case a.photos <- struct{}{}:
		defer func() { <-a.photos }()
	default:
		web.Drain(x.w, x.r)
		return &kabar.Error{Reason: kabar.ReasonTooMany, Detail: "other pictures are being uploaded", After: time.Second}
	}
	body, err := web.ReadBody(x.w, x.r, engine.MaxPhoto)
	if err != nil {
		return err
	}
	made, err := a.engine.MakePhoto(body)
	if err != nil {
		return err
	}
	if err := a.engine.SetPhoto(x.r.Context(), x.number(), made); err != nil {
		return err
	}
	return x.done()
}

// photo: GET /v1/settings/profile/photo answers the picture, or with format=link where it can be had.
func (a *API) photo(x *exchange) error {
	jpeg, at, err := a.photoOf(x, x.number())
	if err != nil {
		return err
	}
	switch format := x.r.URL.Query().Get("format"); format {
	case "link":
		link := x.origin() + photoLink + a.photoName(x.number(), at)
		return x.reply("settings", map[string]any{"profile": map[string]any{"photo": map[string]string{"link": link}}})
	case "":
		x.picture(jpeg, at)
		return nil
	default:
		return kabar.Refuse(kabar.ReasonInvalid, "format", "is %.20q, allowed is link", format)
	}
}

// linkedPhoto: GET /photo/{name} is the link of a picture. It ends when the picture is replaced or removed.
func (a *API) linkedPhoto(x *exchange) error {
	none := kabar.Refuse(kabar.ReasonNotFound, "", "No picture set.")
	name, err := base64.RawURLEncoding.Strict().DecodeString(x.r.PathValue("name"))
	if err != nil || len(name) != photoNameLen {
		return none
	}
	number := kabar.NumberID(a.store.RevealMedia(binary.BigEndian.Uint64(name)))
	if _, err := a.engine.Number(number); err != nil {
		return none
	}
	jpeg, at, err := a.photoOf(x, number)
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(a.photoName(number, at)), []byte(x.r.PathValue("name"))) {
		return none
	}
	x.picture(jpeg, at)
	return nil
}

// removePhoto: DELETE /v1/settings/profile/photo. It may be repeated.
func (a *API) removePhoto(x *exchange) error {
	if err := a.engine.RemovePhoto(x.r.Context(), x.number()); err != nil {
		return err
	}
	return x.done()
}

func (a *API) photoOf(x *exchange, n kabar.NumberID) ([]byte, time.Time, error) {
	jpeg, at, err := a.engine.Photo(x.r.Context(), n)
	return jpeg, at, noPicture(err)
}

// noPicture says it in the contract's words.
func noPicture(err error) error {
	var refused *kabar.Error
	if errors.As(err, &refused) && refused.Reason == kabar.ReasonNotFound {
		return kabar.Refuse(kabar.ReasonNotFound, "", "No picture set.")
	}
	return err
}

// photoNameLen is the length of a name in bytes: the number behind the permutation that media ids use, and a check.
const photoNameLen = 8 + 16

// photoName names a number's picture of a moment.
func (a *API) photoName(n kabar.NumberID, at time.Time) string {
	name := binary.BigEndian.AppendUint64(nil, a.store.HideMedia(kabar.MediaID(n)))
	return base64.RawURLEncoding.EncodeToString(append(name, a.mac("photo", int64(n), at.UnixMilli())[:photoNameLen-8]...))
}

// origin is how the caller reaches this server.
func (x *exchange) origin() string {
	if x.r.TLS != nil || x.r.Header.Get("X-Forwarded-Proto") == "https" { // a proxy that speaks TLS for us
		return "https://" + x.r.Host
	}
	return "http://" + x.r.Host
}

// picture answers a JPEG.
func (x *exchange) picture(jpeg []byte, at time.Time) {
	h := x.w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Disposition", `attachment; filename="photo.jpg"`)
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(x.w, x.r, "", at, bytes.NewReader(jpeg))
}
