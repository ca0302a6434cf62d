package onprem

import (
	"fmt"

	"kabar"
	"kabar/internal/contentjson"
)

// hookMessage is an inbound message. One of the objects after Type is set: the one that Type names.
type hookMessage struct {
	From      string               `json:"from"`
	ID        string               `json:"id"`
	Timestamp string               `json:"timestamp"`
	Type      string               `json:"type"`
	Context   *contentjson.Context `json:"context,omitzero"`

	Text        *textObject           `json:"text,omitzero"`
	Image       *hookMedia            `json:"image,omitzero"`
	Audio       *hookMedia            `json:"audio,omitzero"`
	Voice       *hookMedia            `json:"voice,omitzero"`
	Video       *hookMedia            `json:"video,omitzero"`
	Document    *hookMedia            `json:"document,omitzero"`
	Sticker     *hookSticker          `json:"sticker,omitzero"`
	Location    *contentjson.Place    `json:"location,omitzero"`
	Contacts    []kabar.Card          `json:"contacts,omitempty"` // its names are those of the API
	Button      *contentjson.Tap      `json:"button,omitzero"`
	Interactive *contentjson.Reply    `json:"interactive,omitzero"`
	Order       *contentjson.Order    `json:"order,omitzero"`
	Reaction    *contentjson.Reaction `json:"reaction,omitzero"`
	System      *hookSystem           `json:"system,omitzero"`

	Identity *identity     `json:"identity,omitzero"`
	Referral *hookReferral `json:"referral,omitzero"`
	Errors   []fault       `json:"errors,omitempty"`
}

// hookMedia is a medium; without an id it could not be downloaded, or was not to be.
type hookMedia struct {
	ID       string `json:"id,omitzero"`
	MIME     string `json:"mime_type"`
	SHA256   string `json:"sha256"`
	Caption  string `json:"caption,omitzero"`
	Filename string `json:"filename,omitzero"`
}

type hookSystem struct {
	Body     string `json:"body"`
	Type     string `json:"type"`
	Identity string `json:"identity,omitzero"`
	User     string `json:"user,omitzero"`
	NewWaID  string `json:"new_wa_id,omitzero"`
}

// inbound tells what a customer wrote, and who that is.
func (a *API) inbound(ev *kabar.Event, n *kabar.Number) (hook, error) {
	content, err := ev.Content.Content()
	if err != nil {
		return hook{}, err
	}
	m := hookMessage{From: ev.Customer.Handle(), ID: MessageID(false, n, ev.Customer, ev.Ref), Timestamp: timestamp(ev.At),
		Context: contextOf(ev, n), Identity: identityOf(ev.Identity), Referral: a.referral(ev.Context.Referral)}
	if ev.Failure != "" {
		m.Errors = []fault{failure(ev.Failure)}
	}
	if err := a.put(&m, content, ev, n); err != nil {
		return hook{}, err
	}
	who := hookContact{WaID: m.From}
	if ev.Customer.Name != "" {
		who.Profile = &hookProfile{ev.Customer.Name}
	}
	return hook{Contacts: []hookContact{who}, Messages: []hookMessage{m}}, nil
}

// put fills in type and object.
func (a *API) put(m *hookMessage, content kabar.Content, ev *kabar.Event, n *kabar.Number) error {
	m.Type = string(content.Kind())
	switch c := content.(type) {
	case *kabar.Text:
		m.Text = &textObject{c.Body}
	case *kabar.Media:
		a.putMedia(m, c)
	case *kabar.Location:
		m.Location = contentjson.NewPlace(c)
	case *kabar.Contacts:
		m.Contacts = c.Cards
	case *kabar.Order:
		m.Order = contentjson.NewOrder(c)
	case *kabar.Button:
		m.Button = contentjson.NewTap(c)
	case *kabar.Reply:
		if c.Type == kabar.CallReply { // this API has no word for it
			m.Type, m.Errors = "unknown", append(m.Errors, unknownMessage)
			return nil
		}
		m.Type, m.Interactive = "interactive", contentjson.NewReply(c)
	case *kabar.Reaction:
		m.Reaction = &contentjson.Reaction{MessageID: wireID(n, ev.Customer, c.Unknown), Emoji: c.Emoji}
		if ev.TargetRef != 0 {
			m.Reaction.MessageID = MessageID(ev.TargetOut, n, ev.Customer, ev.TargetRef)
		}
	case *kabar.Unsupported:
		m.Type, m.Errors = "unknown", append(m.Errors, unknownMessage)
		if c.Ephemeral {
			m.Type = "ephemeral"
		}
	default:
		return fmt.Errorf("a customer cannot send %q", content.Kind())
	}
	return nil
}

func (a *API) putMedia(m *hookMessage, c *kabar.Media) {
	o := &hookMedia{MIME: c.MIME, SHA256: c.SHA256, Caption: c.Caption, Filename: c.Filename}
	if c.ID != 0 {
		o.ID = a.MediaID(c.ID)
	}
	switch {
	case c.Voice:
		m.Type, m.Voice = "voice", o
	case c.Kind() == kabar.KindImage:
		m.Image = o
	case c.Kind() == kabar.KindAudio:
		m.Audio = o
	case c.Kind() == kabar.KindVideo:
		m.Video = o
	case c.Kind() == kabar.KindDocument:
		m.Document = o
	case c.Kind() == kabar.KindSticker:
		m.Sticker = &hookSticker{*o, packOf(c.Pack)}
	}
}

// contextOf says what an inbound message refers to; nil for nothing. From is who wrote the quoted message.
func contextOf(ev *kabar.Event, n *kabar.Number) *contentjson.Context {
	c := contentjson.Context{Forwarded: ev.Context.Forwarded, Frequent: ev.Context.Frequent, Product: ev.Context.Product}
	switch {
	case ev.ReplyRef != 0:
		c.ID, c.From = MessageID(ev.ReplyOut, n, ev.Customer, ev.ReplyRef), ev.Customer.Handle()
		if ev.ReplyOut {
			c.From = n.Digits
		}
	case ev.Context.Unknown != "":
		c.ID = wireID(n, ev.Customer, ev.Context.Unknown)
	}
	if c == (contentjson.Context{}) {
		return nil
	}
	return &c
}
