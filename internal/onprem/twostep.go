package onprem

import (
	"kabar"
	"kabar/internal/web"
)

// setPIN: POST /v1/settings/account/two-step switches two-step verification on, or changes its PIN (contract 1.3).
func (a *API) setPIN(x *exchange) error {
	var body struct {
		PIN *web.StringOrInt `json:"pin"`
	}
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.PIN == nil {
		return kabar.Refuse(kabar.ReasonMissing, "pin", "is required: six digits")
	}
	hash, err := a.auth.HashPIN(x.r.Context(), string(*body.PIN))
	if err != nil {
		return err
	}
	return a.keepPIN(x, hash)
}

// removePIN: DELETE /v1/settings/account/two-step switches it off.
func (a *API) removePIN(x *exchange) error { return a.keepPIN(x, "") }

func (a *API) keepPIN(x *exchange, hash string) error {
	err := a.engine.ChangeSettings(x.r.Context(), x.number(), func(s *kabar.Settings, _ *string) error {
		s.PIN = hash
		return nil
	})
	if err != nil {
		return err
	}
	return x.done()
}
