package onprem

import "kabar"

// The objects of inbound stickers and referrals.

type hookSticker struct {
	hookMedia
	Metadata *hookPack `json:"metadata,omitzero"`
}

type hookPack struct {
	ID         string   `json:"sticker-pack-id,omitzero"`
	Name       string   `json:"sticker-pack-name,omitzero"`
	Publisher  string   `json:"sticker-pack-publisher,omitzero"`
	Emojis     []string `json:"emojis,omitempty"`
	IOS        string   `json:"ios-app-store-link,omitzero"`
	Android    string   `json:"android-app-store-link,omitzero"`
	FirstParty int      `json:"is-first-party-sticker"` // 1: yes
}

func packOf(p *kabar.StickerPack) *hookPack {
	if p == nil {
		return nil
	}
	h := &hookPack{ID: p.ID, Name: p.Name, Publisher: p.Publisher, Emojis: p.Emojis, IOS: p.IOS, Android: p.Android}
	if p.FirstParty {
		h.FirstParty = 1
	}
	return h
}

type hookReferral struct {
	Headline   string          `json:"headline,omitzero"`
	Body       string          `json:"body,omitzero"`
	SourceType string          `json:"source_type,omitzero"`
	SourceID   string          `json:"source_id,omitzero"`
	SourceURL  string          `json:"source_url,omitzero"`
	Image      *hookReferenced `json:"image,omitzero"`
	Video      *hookReferenced `json:"video,omitzero"`
}

type hookReferenced struct {
	ID string `json:"id"`
}

func (a *API) referral(r *kabar.Referral) *hookReferral {
	if r == nil {
		return nil
	}
	h := &hookReferral{Headline: r.Headline, Body: r.Body, SourceType: r.SourceType, SourceID: r.SourceID, SourceURL: r.SourceURL}
	switch {
	case r.Medium == 0: // there is none, or it could not be fetched, or was not to be
	case r.Kind == kabar.KindVideo:
		h.Video = &hookReferenced{a.MediaID(r.Medium)}
	default:
		h.Image = &hookReferenced{a.MediaID(r.Medium)}
	}
	return h
}
