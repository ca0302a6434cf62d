package graph

import (
	"kabar"
	"kabar/internal/web"
)

// mediaObject names a stored medium or a link.
type mediaObject struct {
	ID       web.StringOrInt `json:"id"`
	Link     string          `json:"link"`
	Caption  string          `json:"caption"`
	Filename string          `json:"filename"`
	Voice    bool            `json:"voice"`
}

// media reads a medium of a kind, at a path of the request.
func (d decoder) media(kind kabar.Kind, field string, o *mediaObject) (*kabar.Media, error) {
	m := kabar.NewMedia(kind)
	m.Link, m.Caption, m.Filename, m.Voice = o.Link, o.Caption, o.Filename, o.Voice
	if o.ID == "" {
		return m, nil
	}
	var ok bool
	if m.ID, ok = d.medium(string(o.ID)); !ok {
		return nil, kabar.Refuse(kabar.ReasonInvalid, field+".id", "there is no such medium: upload it first")
	}
	return m, nil
}
