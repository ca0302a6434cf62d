package graph

import (
	"strings"

	"kabar"
)

// reserved is the status of every username: ours alone, and seen by no customer.
const reserved = "reserved"

// username: GET /{number}/username.
func (a *API) username(x *exchange, n *kabar.Number) error {
	name, err := a.usernameField(x, n, Field{})
	if err != nil {
		return err
	}
	if name == nil {
		return x.reply(map[string]string{})
	}
	return x.reply(map[string]any{"username": name, "status": reserved})
}

func (a *API) usernameField(_ *exchange, n *kabar.Number, _ Field) (any, error) {
	s, err := a.engine.Settings(n.ID)
	if err != nil || s.Cloud.Username == "" {
		return nil, err
	}
	return s.Cloud.Username, nil
}

// setUsername: POST /{number}/username.
func (a *API) setUsername(x *exchange, n *kabar.Number) error {
	var in struct {
		Name     string `json:"username"`
		Transfer string `json:"transfer_action"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	switch in.Transfer {
	case "", "none", "force_transfer":
	default:
		return kabar.Refuse(kabar.ReasonInvalid, "transfer_action", "is %q, allowed are none and force_transfer", clip(in.Transfer))
	}
	if in.Name == "" {
		return kabar.Refuse(kabar.ReasonMissing, "username", "is required")
	}
	if err := a.engine.SetUsername(x.r.Context(), n.ID, strings.ToLower(in.Name), in.Transfer == "force_transfer"); err != nil {
		return err
	}
	return x.reply(map[string]string{"status": reserved})
}

// removeUsername: DELETE /{number}/username. It may be repeated.
func (a *API) removeUsername(x *exchange, n *kabar.Number) error {
	if err := a.engine.SetUsername(x.r.Context(), n.ID, "", false); err != nil {
		return err
	}
	return x.success()
}
