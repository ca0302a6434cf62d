package onprem

import (
	"errors"

	"github.com/go-json-experiment/json"

	"kabar"
)

// mediaObject names a stored medium or a link.
type mediaObject struct {
	ID       string       `json:"id"`
	Link     string       `json:"link"`
	Provider providerName `json:"provider"`
	Caption  string       `json:"caption"`
	Filename string       `json:"filename"`
}

// providerName reads {"name":"…"}, or the name alone, as one client sends it.
type providerName string

// UnmarshalJSON reads either form; a null leaves it unchanged.
func (p *providerName) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case 'n':
		return nil
	case '"':
		return json.Unmarshal(data, (*string)(p))
	case '{':
		var object struct {
			Name string `json:"name"`
		}
		err := json.Unmarshal(data, &object)
		*p = providerName(object.Name)
		return err
	}
	return errors.New("want an object with a name, or the name")
}

// media reads a medium of a kind, at a path of the request.
func (d decoder) media(kind kabar.Kind, field string, o *mediaObject) (*kabar.Media, error) {
	m := kabar.NewMedia(kind)
	m.Link, m.Provider, m.Caption, m.Filename = o.Link, string(o.Provider), o.Caption, o.Filename
	if o.ID == "" {
		return m, nil
	}
	var ok bool
	if m.ID, ok = d.medium(o.ID); !ok {
		return nil, kabar.Refuse(kabar.ReasonInvalid, field+".id", "there is no such medium: upload it first")
	}
	return m, nil
}
