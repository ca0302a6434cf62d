package phone

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"kabar"
)

// The drafts of stickers, contact cards, orders, forms, and of what a message is about.
type (
	draftSticker struct {
		ID   string             `json:"id"`
		Pack *kabar.StickerPack `json:"pack"`
	}
	draftOrder struct {
		Catalog string      `json:"catalog_id"`
		Text    string      `json:"text"`
		Items   []draftItem `json:"product_items"`
	}
	draftItem struct {
		RetailerID string  `json:"product_retailer_id"`
		Quantity   int     `json:"quantity"`
		Price      float64 `json:"item_price"`
		Currency   string  `json:"currency"`
	}
	draftForm struct {
		Name     string          `json:"name"`
		Body     string          `json:"body"`
		Response json.RawMessage `json:"response_json"` // an object, or one as text
	}
	draftReferral struct {
		Headline   string         `json:"headline"`
		Body       string         `json:"body"`
		SourceType string         `json:"source_type"`
		SourceID   string         `json:"source_id"`
		SourceURL  string         `json:"source_url"`
		Image      *draftPictured `json:"image"`
		Video      *draftPictured `json:"video"`
	}
	draftPictured struct {
		ID string `json:"id"`
	}
)

// maxQuantity bounds what is ordered of one product.
const maxQuantity = 9999

func (s *draftSticker) content(d *Draft) (kabar.Content, error) {
	c, err := d.media(kabar.KindSticker, s.ID, "", "")
	m, ok := c.(*kabar.Media)
	if !ok || s.Pack == nil {
		return c, err
	}
	m.Pack = s.Pack
	return c, errors.Join(checkLink("sticker.pack.ios", s.Pack.IOS), checkLink("sticker.pack.android", s.Pack.Android))
}

func contacts(cards []kabar.Card) (kabar.Content, error) {
	c := &kabar.Contacts{Cards: cards}
	if fault, ok := errors.AsType[*kabar.Error](c.Validate()); ok {
		return nil, refuse(CodeInvalid, "The %s %s. Correct it.", fault.Field, fault.Detail)
	}
	return c, nil
}

func (o *draftOrder) content() (kabar.Content, error) {
	if o.Catalog == "" || len(o.Items) == 0 {
		return nil, refuse(CodeInvalid, `The order has no "catalog_id" or no "product_items". Give both, or order from a message: POST …/messages/{id}/order.`)
	}
	out := &kabar.Order{Catalog: o.Catalog, Text: o.Text}
	for _, i := range o.Items {
		if i.RetailerID == "" || i.Quantity < 1 || i.Quantity > maxQuantity || i.Price < 0 || i.Price > 1e12 || len(i.Currency) != 3 {
			return nil, refuse(CodeInvalid, `An item of the order is not complete. Give {"product_retailer_id", "quantity": 1 to %d, "item_price", "currency": "EUR"}.`, maxQuantity)
		}
		out.Items = append(out.Items, kabar.OrderItem{RetailerID: i.RetailerID, Quantity: i.Quantity, Price: int64(math.Round(1000 * i.Price)), Currency: i.Currency})
	}
	return out, nil
}

func (f *draftForm) content() (kabar.Content, error) {
	if f.Name != kabar.FormFlow && f.Name != kabar.FormAddress {
		return nil, refuse(CodeInvalid, "The nfm_reply is of %.40q. Give the name %s or %s, or answer the message: POST …/messages/{id}/answer.",
			f.Name, kabar.FormFlow, kabar.FormAddress)
	}
	response := string(f.Response)
	var text string
	if json.Unmarshal(f.Response, &text) == nil {
		response = text
	}
	return formReply(f.Name, f.Body, response)
}

// formReply is a form with its answers, which are a JSON object.
func formReply(name, body, response string) (kabar.Content, error) {
	var answers map[string]any
	if err := json.Unmarshal([]byte(response), &answers); err != nil || answers == nil {
		return nil, refuse(CodeInvalid, `The answers are %.40q, which is no JSON object. Give one, such as {"size": "L"}.`, response)
	}
	if body == "" {
		body = "Sent"
	}
	return &kabar.Reply{Type: kabar.FormReply, Form: &kabar.Form{Name: name, Body: body, Response: response}}, nil
}

// referral notes the ad or post from which the customer comes.
func (r *draftReferral) referral(d *Draft) error {
	if r.SourceType == "" {
		r.SourceType = "ad"
	}
	if r.SourceType != "ad" && r.SourceType != "post" {
		return refuse(CodeInvalid, `The source_type of the referral is %.40q. Give "ad" or "post".`, r.SourceType)
	}
	d.Referral = &kabar.Referral{Headline: r.Headline, Body: r.Body, SourceType: r.SourceType, SourceID: r.SourceID, SourceURL: r.SourceURL}
	switch {
	case checkLink("referral.source_url", r.SourceURL) != nil:
		return checkLink("referral.source_url", r.SourceURL)
	case r.Image != nil && r.Video != nil:
		return refuse(CodeInvalid, `The referral has an image and a video. Give one of them.`)
	case r.Image != nil:
		d.Referral.Kind, d.Picture = kabar.KindImage, r.Image.ID
	case r.Video != nil:
		d.Referral.Kind, d.Picture = kabar.KindVideo, r.Video.ID
	}
	if d.Referral.Kind != "" && d.Picture == "" {
		return refuse(CodeInvalid, `The %s of the referral has no "id". Upload it first: POST …/media answers with one.`, d.Referral.Kind)
	}
	return nil
}

// number writes thousandths as a JSON number.
func number(thousandths int64) json.Number {
	return json.Number(fmt.Sprint(float64(thousandths) / 1000))
}
