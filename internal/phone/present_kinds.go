package phone

import (
	"encoding/json"

	"kabar"
)

// The shapes of products, orders, forms and referrals in the control API.
type (
	stickerJSON struct {
		mediaJSON
		Pack *kabar.StickerPack `json:"pack,omitempty"`
	}
	orderJSON struct {
		Catalog string     `json:"catalog_id"`
		Text    string     `json:"text,omitempty"`
		Items   []itemJSON `json:"product_items"`
	}
	itemJSON struct {
		RetailerID string      `json:"product_retailer_id"`
		Quantity   int         `json:"quantity"`
		Price      json.Number `json:"item_price"`
		Currency   string      `json:"currency"`
	}
	productJSON struct {
		RetailerID   string             `json:"product_retailer_id"`
		Name         string             `json:"name"`
		Price        json.Number        `json:"price"`
		Currency     string             `json:"currency,omitempty"`
		Image        string             `json:"image,omitempty"`
		Availability kabar.Availability `json:"availability,omitempty"`
	}
	formJSON struct {
		Name     string `json:"name"`
		Body     string `json:"body"`
		Response string `json:"response_json"`
	}
	callJSON struct {
		Response string `json:"response"`
		Expires  int64  `json:"expiration_timestamp,omitempty"`
		Source   string `json:"response_source"`
	}
	cardJSON struct {
		Index   int          `json:"card_index"`
		Type    string       `json:"type"`
		Header  *headerJSON  `json:"header,omitempty"`
		Body    *lineJSON    `json:"body,omitempty"`
		Link    *kabar.Link  `json:"link,omitempty"`
		Buttons []buttonJSON `json:"buttons,omitempty"`
		Product string       `json:"product_retailer_id,omitempty"`
	}
	referralJSON struct {
		*kabar.Referral
		Image *picturedJSON `json:"image,omitempty"`
		Video *picturedJSON `json:"video,omitempty"`
	}
	picturedJSON struct {
		ID string `json:"id"`
	}
)

func order(o *kabar.Order) *orderJSON {
	out := &orderJSON{Catalog: o.Catalog, Text: o.Text}
	for _, i := range o.Items {
		out.Items = append(out.Items, itemJSON{i.RetailerID, i.Quantity, number(i.Price), i.Currency})
	}
	return out
}

func (m *message) shownReferral() *referralJSON {
	if m.referral == nil {
		return nil
	}
	r := *m.referral
	out := &referralJSON{Referral: &r}
	if m.mediaID != "" {
		switch r.Kind {
		case kabar.KindImage:
			out.Image = &picturedJSON{m.mediaID}
		case kabar.KindVideo:
			out.Video = &picturedJSON{m.mediaID}
		default: // the medium is the message's own
		}
	}
	r.Kind = ""
	return out
}

// action shows what there is to do, as the business's request had it, with the products as the message brought them.
func (m *message) action(i *kabar.Interactive) *actionJSON {
	a := &i.Action
	out := &actionJSON{Button: a.Button, Sections: a.Sections, Catalog: a.Catalog, Product: a.Product, Products: products(a.Products)}
	for _, b := range a.Buttons {
		out.Buttons = append(out.Buttons, buttonJSON{"reply", titledJSON{ID: b.ID, Title: b.Title}})
	}
	for n := range a.Cards {
		out.Cards = append(out.Cards, m.card(n, &a.Cards[n]))
	}
	switch {
	case a.Link != nil:
		out.Parameters = map[string]any{"display_text": a.Link.Text, "url": a.Link.URL}
	case a.Flow != nil:
		out.Parameters = map[string]any{"flow_message_version": a.Flow.Version, "flow_id": a.Flow.ID, "flow_token": a.Flow.Token, "flow_cta": a.Flow.Text,
			"flow_action": a.Flow.Action, "flow_action_payload": a.Flow.Payload}
		if a.Flow.Draft {
			out.Parameters["mode"] = "draft"
		}
	case a.Call != nil:
		out.Parameters = map[string]any{"display_text": a.Call.Text, "ttl_minutes": a.Call.Minutes}
	case a.Payment != nil:
		out.Parameters = map[string]any{"payment": a.Payment}
	case a.Update != nil:
		out.Parameters = map[string]any{"order": a.Update}
	case a.Address != nil:
		out.Parameters = map[string]any{"country": a.Address.Country, "values": a.Address.Values, "validation_errors": a.Address.Errors,
			"saved_addresses": a.Address.Saved}
	}
	return out
}

func products(all []kabar.Product) (out []productJSON) {
	for _, p := range all {
		out = append(out, productJSON{p.RetailerID, p.Name, number(p.Price), p.Currency, p.Image, p.Availability})
	}
	return out
}

func (m *message) card(n int, c *kabar.CarouselCard) cardJSON {
	out := cardJSON{Index: n, Type: c.Type, Header: m.header(c.Header), Link: c.Link, Product: c.Product}
	if c.Body != "" {
		out.Body = &lineJSON{c.Body}
	}
	for _, b := range c.Buttons {
		out.Buttons = append(out.Buttons, buttonJSON{"quick_reply", titledJSON{ID: b.ID, Title: b.Title}})
	}
	return out
}
