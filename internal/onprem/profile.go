package onprem

import (
	"slices"

	"kabar"
)

// businessProfile is what customers see of a business (contract 1.8). In a POST what is nil stays as it is.
type businessProfile struct {
	Address     *string   `json:"address,omitzero"`
	Description *string   `json:"description,omitzero"`
	Email       *string   `json:"email,omitzero"`
	Vertical    *string   `json:"vertical,omitzero"`
	Websites    *[]string `json:"websites,omitzero"`
}

// profile: GET /v1/settings/business/profile.
func (a *API) profile(x *exchange) error {
	n, err := a.engine.Number(x.number())
	if err != nil {
		return err
	}
	p := n.Profile
	sites := append([]string{}, p.Websites...) // an empty list is a list
	shown := businessProfile{&p.Address, &p.Description, &p.Email, &p.Vertical, &sites}
	return x.reply("settings", map[string]any{"business": map[string]any{"profile": shown}})
}

// changeProfile: POST /v1/settings/business/profile changes what the body names.
func (a *API) changeProfile(x *exchange) error {
	var body businessProfile
	if err := x.decode(&body); err != nil {
		return err
	}
	err := a.engine.ChangeProfile(x.r.Context(), x.number(), func(p *kabar.Profile) error {
		if body.Vertical != nil && *body.Vertical == "" && p.Vertical != "" {
			return kabar.Refuse(kabar.ReasonInvalid, "vertical", "cannot be emptied again")
		}
		set(&p.Address, body.Address)
		set(&p.Description, body.Description)
		set(&p.Email, body.Email)
		set(&p.Vertical, body.Vertical)
		if body.Websites != nil {
			p.Websites = slices.Clone(*body.Websites)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.done()
}

// aboutText is the line below a business's name.
type aboutText struct {
	Text *string `json:"text,omitzero"`
}

// about: GET /v1/settings/profile/about.
func (a *API) about(x *exchange) error {
	n, err := a.engine.Number(x.number())
	if err != nil {
		return err
	}
	return x.reply("settings", map[string]any{"profile": map[string]any{"about": aboutText{&n.Profile.About}}})
}

// changeAbout: PATCH /v1/settings/profile/about. An empty text takes the line away.
func (a *API) changeAbout(x *exchange) error {
	var body aboutText
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.Text == nil {
		return kabar.Refuse(kabar.ReasonMissing, "text", "is required, with up to 139 characters")
	}
	err := a.engine.ChangeProfile(x.r.Context(), x.number(), func(p *kabar.Profile) error { p.About = *body.Text; return nil })
	if err != nil {
		return err
	}
	return x.done()
}
