package graph

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/media"
)

// setPicture changes a profile, and its picture to an uploaded one.
func (a *API) setPicture(x *exchange, n *kabar.Number, handle string, change func(*kabar.Profile) error) error {
	const field = "profile_picture_handle"
	file, err := a.readFileHandle(x, field, handle, engine.MaxPhoto)
	if err != nil {
		return err
	}
	made, err := a.engine.MakePhoto(file)
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		return kabar.Refuse(refused.Reason, field, "%s", refused.Detail)
	}
	if err != nil {
		return err
	}
	return a.engine.ChangeProfileAndPhoto(x.r.Context(), n.ID, made, change)
}

// photoURL leads to the picture of a profile until there is another one: every customer sees it anyway.
func (a *API) photoURL(x *exchange, n kabar.NumberID) (string, error) {
	_, at, err := a.engine.Photo(x.r.Context(), n)
	if err != nil {
		if isNone(err) {
			return "", nil
		}
		return "", err
	}
	return a.link(x, photoLink, url.Values{"nid": {a.nodeID(int64(n))}, "at": {strconv.FormatInt(at.UnixMilli(), 10)}}), nil
}

// photo: GET /whatsapp_business/photos answers the picture.
func (a *API) photo(x *exchange) error {
	q, ok := a.followed(x, photoLink, "nid", "at")
	if !ok {
		return gone("the profile")
	}
	number, _ := a.nodeKey(q.Get("nid"))
	jpeg, set, err := a.engine.Photo(x.r.Context(), kabar.NumberID(number))
	if isNone(err) || err == nil && strconv.FormatInt(set.UnixMilli(), 10) != q.Get("at") {
		return gone("the profile")
	}
	if err != nil {
		return err
	}
	media.ServeHeaders(x.w.Header(), "image/jpeg", "photo.jpg")
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write(jpeg) // that the client is gone is nobody's fault
	return nil
}
