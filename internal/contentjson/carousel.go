package contentjson

import (
	"fmt"
	"strings"

	"kabar"
)

// card is one of the cards of a carousel. Its place in the list is what it is: an index that says otherwise is refused.
type card[M any] struct {
	Index  *int       `json:"card_index"`
	Type   string     `json:"type"`
	Header *header[M] `json:"header"`
	Body   *caption   `json:"body"`
	Action *struct {
		Name       string `json:"name"`
		Parameters *struct {
			DisplayText string `json:"display_text"`
			URL         string `json:"url"`
		} `json:"parameters"`
		Buttons []struct {
			Type  string `json:"type"`
			Reply *struct {
				ID    string `json:"id"`
				Title string `json:"title"`
			} `json:"quick_reply"`
		} `json:"buttons"`
		Product string `json:"product_retailer_id"`
		Catalog string `json:"catalog_id"`
	} `json:"action"`
}

// cards keeps a list that was not given (nil) apart from an empty one.
func cards[M any](list []card[M], media Media[M]) ([]kabar.CarouselCard, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]kabar.CarouselCard, len(list))
	for n := range list {
		field := fmt.Sprintf("interactive.action.cards[%d]", n)
		if err := checkIndex(field, list[n].Index, n); err != nil {
			return nil, err
		}
		if err := list[n].read(field, media, &out[n]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// checkIndex checks what a card says of its place.
func checkIndex(field string, index *int, n int) error {
	if index != nil && *index != n {
		return kabar.Refuse(kabar.ReasonInvalid, field+".card_index", "is %d, want %d: the cards in their order, from 0", *index, n)
	}
	return nil
}

func (o *card[M]) read(field string, media Media[M], c *kabar.CarouselCard) (err error) {
	c.Type = strings.ToLower(o.Type)
	if o.Body != nil {
		c.Body = o.Body.Text
	}
	if o.Header != nil {
		if c.Header, err = o.Header.read(field+".header", media); err != nil {
			return err
		}
	}
	a := o.Action
	if a == nil {
		return kabar.Refuse(kabar.ReasonMissing, field+".action", "is required")
	}
	c.Product, c.Catalog = a.Product, a.Catalog
	if p := a.Parameters; p != nil {
		c.Link = &kabar.Link{Text: p.DisplayText, URL: p.URL}
	}
	for n, b := range a.Buttons {
		at := fmt.Sprintf("%s.action.buttons[%d]", field, n)
		switch {
		case b.Type != "quick_reply":
			return kabar.Refuse(kabar.ReasonInvalid, at+".type", "is %.40q, allowed is only quick_reply", b.Type)
		case b.Reply == nil:
			return kabar.Refuse(kabar.ReasonMissing, at+".quick_reply", "is required")
		}
		c.Buttons = append(c.Buttons, kabar.ReplyButton{ID: b.Reply.ID, Title: b.Reply.Title})
	}
	return nil
}
