package graph

import (
	"slices"
	"strings"

	"kabar"
)

// verticals are what a business can be: the words of this API, in the order of verticalTexts.
const verticals = "AUTO BEAUTY APPAREL EDU ENTERTAIN EVENT_PLAN FINANCE GROCERY GOVT HOTEL HEALTH NONPROFIT PROF_SERVICES RETAIL TRAVEL RESTAURANT OTHER " +
	"ALCOHOL ONLINE_GAMBLING PHYSICAL_GAMBLING OTC_DRUGS"

// verticalTexts are the same in the words of the vocabulary.
func verticalTexts() []string { return append(kabar.Verticals(), kabar.RegulatedVerticals()...) }

// verticalOf returns the word of this API for one of the vocabulary.
func verticalOf(text string) string {
	if i := slices.Index(verticalTexts(), text); i >= 0 {
		return strings.Fields(verticals)[i]
	}
	return "UNDEFINED"
}

// profile: GET /{number}/whatsapp_business_profile. The fields lie flat in the only entry.
func (a *API) profile(x *exchange, n *kabar.Number) error {
	fields, err := ParseFields(x.r.URL.Query().Get("fields"))
	if err != nil {
		return err
	}
	p := n.Profile
	all := map[string]any{"about": p.About, "address": p.Address, "description": p.Description, "email": p.Email, "websites": p.Websites,
		"vertical": verticalOf(p.Vertical), "profile_picture_url": ""}
	if len(p.Photo) > 0 {
		if all["profile_picture_url"], err = a.photoURL(x, n.ID); err != nil {
			return err
		}
	}
	if fields == nil {
		fields = []Field{{Name: "vertical"}}
	}
	shown := map[string]any{"messaging_product": "whatsapp"}
	for _, f := range fields {
		value, known := all[f.Name]
		if !known && f.Name != "messaging_product" && f.Name != "id" {
			return kabar.Refuse(kabar.ReasonInvalid, "fields", "Tried accessing nonexisting field (%s) on node type (WhatsAppBusinessProfile)", clip(f.Name))
		}
		if sites, ok := value.([]string); known && value != "" && (!ok || len(sites) > 0) {
			shown[f.Name] = value
		}
	}
	return x.reply(list{Data: []any{shown}})
}

// profileChange is what a request changes of a profile: what it names.
type profileChange struct {
	Product     string    `json:"messaging_product"`
	About       *string   `json:"about"`
	Address     *string   `json:"address"`
	Description *string   `json:"description"`
	Email       *string   `json:"email"`
	Websites    *[]string `json:"websites"`
	Vertical    *string   `json:"vertical"`
	Picture     string    `json:"profile_picture_handle"`
}

// changeProfile: POST /{number}/whatsapp_business_profile.
func (a *API) changeProfile(x *exchange, n *kabar.Number) error {
	var in profileChange
	if err := x.decode(&in); err != nil {
		return err
	}
	if err := checkProduct(in.Product); err != nil {
		return err
	}
	if in.About != nil && *in.About == "" {
		return kabar.Refuse(kabar.ReasonInvalid, "about", "must have 1 to 139 characters")
	}
	var err error
	if in.Picture == "" {
		err = a.engine.ChangeProfile(x.r.Context(), n.ID, in.apply)
	} else {
		err = a.setPicture(x, n, in.Picture, in.apply)
	}
	if err != nil {
		return err
	}
	return x.success()
}

func (in *profileChange) apply(p *kabar.Profile) error {
	for to, from := range map[*string]*string{&p.About: in.About, &p.Address: in.Address, &p.Description: in.Description, &p.Email: in.Email} {
		if from != nil {
			*to = *from
		}
	}
	if in.Websites != nil {
		p.Websites = slices.Clone(*in.Websites)
	}
	if in.Vertical == nil {
		return nil
	}
	i := slices.Index(strings.Fields(verticals), strings.ToUpper(*in.Vertical))
	if i < 0 {
		return kabar.Refuse(kabar.ReasonInvalid, "vertical", "is %q, allowed are %s", clip(*in.Vertical), verticals)
	}
	p.Vertical = verticalTexts()[i]
	return nil
}
