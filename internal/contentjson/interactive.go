package contentjson

import (
	"fmt"
	"strings"

	"kabar"
)

// Interactive is the object of an interactive message; M is how the dialect writes a medium.
type Interactive[M any] struct {
	Type   string     `json:"type"`
	Header *header[M] `json:"header"`
	Body   *caption   `json:"body"`
	Footer *caption   `json:"footer"`
	Action *action[M] `json:"action"`
}

type action[M any] struct {
	Name       string      `json:"name"`
	Buttons    []button    `json:"buttons"`
	Button     string      `json:"button"`
	Sections   []section   `json:"sections"`
	Catalog    string      `json:"catalog_id"`
	Product    string      `json:"product_retailer_id"`
	Parameters *parameters `json:"parameters"`
	Cards      []card[M]   `json:"cards"` // carousel
}

type caption struct {
	Text string `json:"text"`
}

type header[M any] struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Image    *M     `json:"image"`
	Video    *M     `json:"video"`
	Document *M     `json:"document"`
}

type button struct {
	Type  string `json:"type"`
	Reply *struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	} `json:"reply"`
}

type section struct {
	Title string `json:"title"`
	Rows  []struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description"`
	} `json:"rows"`
	Items []struct {
		RetailerID string `json:"product_retailer_id"`
	} `json:"product_items"`
}

// Content reads the object.
func (o *Interactive[M]) Content(media Media[M]) (kabar.Content, error) {
	i := &kabar.Interactive{Type: kabar.InteractiveType(strings.ToLower(o.Type))}
	if o.Body != nil {
		i.Body = o.Body.Text
	}
	if o.Footer != nil {
		i.Footer = o.Footer.Text
	}
	if o.Action == nil {
		return nil, kabar.Refuse(kabar.ReasonMissing, "interactive.action", "is required")
	}
	var err error
	if i.Action.Buttons, err = replyButtons(o.Action.Buttons); err != nil {
		return nil, err
	}
	i.Action.Button, i.Action.Sections = o.Action.Button, sections(o.Action.Sections)
	i.Action.Catalog, i.Action.Product = o.Action.Catalog, o.Action.Product
	if err := o.Action.named(i); err != nil {
		return nil, err
	}
	if i.Action.Cards, err = cards(o.Action.Cards, media); err != nil {
		return nil, err
	}
	if o.Header != nil {
		i.Header, err = o.Header.read("interactive.header", media)
	}
	return i, err
}

// read reads the header. The medium of another type than the header's is not looked at.
func (o *header[M]) read(field string, media Media[M]) (*kabar.Header, error) {
	h := &kabar.Header{Type: kabar.Kind(strings.ToLower(o.Type)), Text: o.Text}
	object := map[kabar.Kind]*M{kabar.KindImage: o.Image, kabar.KindVideo: o.Video, kabar.KindDocument: o.Document}[h.Type]
	if object == nil {
		return h, nil
	}
	var err error
	h.Media, err = media(h.Type, field+"."+string(h.Type), object)
	return h, err
}

// replyButtons keeps a list that was not given (nil) apart from an empty one; so does sections.
func replyButtons(list []button) ([]kabar.ReplyButton, error) {
	if list == nil {
		return nil, nil
	}
	buttons := make([]kabar.ReplyButton, len(list))
	for n, b := range list {
		field := fmt.Sprintf("interactive.action.buttons[%d]", n)
		switch {
		case b.Type == "":
			return nil, kabar.Refuse(kabar.ReasonMissing, field+".type", "is required: reply")
		case b.Type != "reply":
			return nil, kabar.Refuse(kabar.ReasonInvalid, field+".type", "is %q, allowed is only reply", b.Type)
		case b.Reply == nil:
			return nil, kabar.Refuse(kabar.ReasonMissing, field+".reply", "is required")
		}
		buttons[n] = kabar.ReplyButton{ID: b.Reply.ID, Title: b.Reply.Title}
	}
	return buttons, nil
}

func sections(list []section) []kabar.Section {
	if list == nil {
		return nil
	}
	out := make([]kabar.Section, len(list))
	for n, s := range list {
		out[n].Title = s.Title
		if s.Rows != nil {
			out[n].Rows = make([]kabar.Row, len(s.Rows))
		}
		if s.Items != nil {
			out[n].Products = make([]string, len(s.Items))
		}
		for i, item := range s.Items {
			out[n].Products[i] = item.RetailerID
		}
		for i, r := range s.Rows {
			out[n].Rows[i] = kabar.Row{ID: r.ID, Title: r.Title, Description: r.Description}
		}
	}
	return out
}
