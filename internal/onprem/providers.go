package onprem

import (
	"errors"
	"fmt"
	"strings"

	"kabar"
	"kabar/internal/web"
)

// providerObject is a media provider (contract 1.7), in requests and answers.
type providerObject struct {
	Name   string         `json:"name"`
	Type   string         `json:"type"`
	Config providerConfig `json:"config"`
}

type providerConfig struct {
	Basic  *basicConfig `json:"basic,omitempty"`
	Bearer string       `json:"bearer,omitempty"`
}

type basicConfig struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// providers: GET /v1/settings/application/media/providers shows the media providers, as they were given.
func (a *API) providers(x *exchange) error {
	all, err := a.engine.Providers(x.r.Context(), x.number())
	if err != nil {
		return err
	}
	shown := make([]providerObject, len(all))
	for i, p := range all {
		shown[i] = providerObject{Name: p.Name, Type: "www", Config: providerConfig{Bearer: p.Bearer}}
		if p.Bearer == "" {
			shown[i].Config.Basic = &basicConfig{p.Username, p.Password}
		}
	}
	return x.reply("settings", map[string]any{"application": map[string]any{"media": map[string]any{"providers": shown}}})
}

// saveProvider: POST /v1/settings/application/media/providers stores the provider of a list of one, in the place of one of
// the same name.
func (a *API) saveProvider(x *exchange) error {
	var list []providerObject
	if err := web.DecodeRequest(x.w, x.r, &list, web.Options{Unknown: web.RefuseAll, RefuseNUL: true}); err != nil {
		return err
	}
	if len(list) != 1 {
		return kabar.Refuse(kabar.ReasonInvalid, "", "the body must be a list with one provider; it has %d", len(list))
	}
	p, err := list[0].provider()
	if err == nil {
		err = a.engine.SaveProvider(x.r.Context(), x.number(), p)
	}
	var refused *kabar.Error
	if errors.As(err, &refused) && refused.Field != "" {
		at := *refused
		at.Field = fmt.Sprintf("[0].%s", refused.Field)
		return &at
	}
	if err != nil {
		return err
	}
	return x.done()
}

// provider reads a provider.
func (o *providerObject) provider() (*kabar.Provider, error) {
	switch o.Type {
	case "www", "WWW":
	case "":
		return nil, kabar.Refuse(kabar.ReasonMissing, "type", "is required: www")
	default:
		return nil, kabar.Refuse(kabar.ReasonInvalid, "type", "is %q, allowed is www", o.Type)
	}
	if o.Config.Basic != nil && o.Config.Bearer != "" {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "config", "has both basic and bearer; give one of them")
	}
	p := &kabar.Provider{Name: o.Name, Bearer: strings.TrimSpace(o.Config.Bearer)}
	if b := o.Config.Basic; b != nil {
		p.Username, p.Password = b.Username, b.Password
	}
	return p, nil
}

// removeProvider: DELETE /v1/settings/application/media/providers/{name}.
func (a *API) removeProvider(x *exchange) error {
	if err := a.engine.RemoveProvider(x.r.Context(), x.number(), x.r.PathValue("name")); err != nil {
		return err
	}
	return x.done()
}
