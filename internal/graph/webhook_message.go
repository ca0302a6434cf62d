package graph

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"kabar"
	"kabar/internal/contentjson"
)

// hookMessage is an inbound message. One of the objects after Type is set: the one that Type names.
type hookMessage struct {
	Context   *contentjson.Context `json:"context,omitzero"`
	From      string               `json:"from,omitzero"`
	User      string               `json:"from_user_id,omitzero"` // BSUID
	ID        string               `json:"id"`
	Timestamp string               `json:"timestamp"`
	Type      string               `json:"type"`

	Text        *hookText             `json:"text,omitzero"`
	Image       *hookMedia            `json:"image,omitzero"`
	Audio       *hookMedia            `json:"audio,omitzero"`
	Video       *hookMedia            `json:"video,omitzero"`
	Document    *hookMedia            `json:"document,omitzero"`
	Sticker     *hookMedia            `json:"sticker,omitzero"`
	Location    *contentjson.Place    `json:"location,omitzero"`
	Contacts    []kabar.Card          `json:"contacts,omitempty"` // its names are those of the API
	Button      *contentjson.Tap      `json:"button,omitzero"`
	Interactive *contentjson.Reply    `json:"interactive,omitzero"`
	Order       *contentjson.Order    `json:"order,omitzero"`
	Reaction    *contentjson.Reaction `json:"reaction,omitzero"`
	System      *hookSystem           `json:"system,omitzero"`
	Revoke      *hookOriginal         `json:"revoke,omitzero"`
	Unsupported *hookUnsupported      `json:"unsupported,omitzero"`

	Identity *hookIdentity `json:"identity,omitzero"`
	Referral *hookReferral `json:"referral,omitzero"`
	Errors   []hookFault   `json:"errors,omitempty"`
}

type hookText struct {
	Body string `json:"body"`
}

// hookMedia is a medium; without an id it could not be downloaded, or was not to be.
type hookMedia struct {
	Caption  string `json:"caption,omitzero"`
	Filename string `json:"filename,omitzero"`
	MIME     string `json:"mime_type"`
	SHA256   string `json:"sha256"` // in base64
	ID       string `json:"id,omitzero"`
	Voice    *bool  `json:"voice,omitzero"`    // audio
	Animated *bool  `json:"animated,omitzero"` // stickers
}

type hookSystem struct {
	Body string `json:"body"`
	WaID string `json:"wa_id,omitzero"`
	Type string `json:"type"`
}

type hookOriginal struct {
	ID string `json:"original_message_id"`
}

type hookUnsupported struct {
	Type string `json:"type"`
}

type hookIdentity struct {
	Acknowledged bool   `json:"acknowledged"`
	Created      string `json:"created_timestamp,omitzero"`
	Hash         string `json:"hash"`
}

type hookReferral struct {
	URL      string     `json:"source_url,omitzero"`
	ID       string     `json:"source_id,omitzero"`
	Type     string     `json:"source_type,omitzero"`
	Headline string     `json:"headline,omitzero"`
	Body     string     `json:"body,omitzero"`
	Media    kabar.Kind `json:"media_type,omitzero"`
}

// inbound tells what a customer wrote, and who that is.
func (a *API) inbound(v *hookValue, ev *kabar.Event, n *kabar.Number) error {
	content, err := ev.Content.Content()
	if err != nil {
		return err
	}
	c := ev.Customer
	m := hookMessage{From: c.WaID, User: c.BSUID, ID: messageID(false, n, c, ev.Ref), Timestamp: timestamp(ev.At), Context: contextOf(ev, n),
		Identity: identityOf(ev.Identity), Referral: referralOf(ev.Context.Referral)}
	if ev.Failure != "" {
		m.Errors = []hookFault{failure(ev.Failure, true)}
	}
	if err := a.put(&m, content, ev, n); err != nil {
		return err
	}
	v.Contacts, v.Messages = []hookContact{contactOf(c)}, []hookMessage{m}
	return nil
}

// put fills in type and object.
func (a *API) put(m *hookMessage, content kabar.Content, ev *kabar.Event, n *kabar.Number) error {
	m.Type = string(content.Kind())
	switch c := content.(type) {
	case *kabar.Text:
		m.Text = &hookText{c.Body}
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
		m.Type, m.Interactive = "interactive", contentjson.NewReply(c)
	case *kabar.Reaction:
		m.Reaction = &contentjson.Reaction{MessageID: wireID(n, ev.Customer, c.Unknown), Emoji: c.Emoji}
		if ev.TargetRef != 0 {
			m.Reaction.MessageID = messageID(ev.TargetOut, n, ev.Customer, ev.TargetRef)
		}
	case *kabar.Unsupported:
		m.Errors, m.Unsupported = append(m.Errors, unsupported()), &hookUnsupported{"unknown"}
		if c.Ephemeral {
			m.Unsupported.Type = "ephemeral"
		}
	default:
		return fmt.Errorf("a customer cannot send %q", content.Kind())
	}
	return nil
}

func (a *API) putMedia(m *hookMessage, c *kabar.Media) {
	o := &hookMedia{MIME: c.MIME, Caption: c.Caption, Filename: c.Filename}
	if sum, err := hex.DecodeString(c.SHA256); err == nil {
		o.SHA256 = base64.StdEncoding.EncodeToString(sum)
	}
	if c.ID != 0 {
		o.ID = a.nodeID(int64(c.ID))
	}
	switch c.Kind() {
	case kabar.KindAudio:
		m.Audio, o.Voice = o, &c.Voice
	case kabar.KindVideo:
		m.Video = o
	case kabar.KindDocument:
		m.Document = o
	case kabar.KindSticker:
		m.Sticker, o.Animated = o, new(bool)
	default:
		m.Image = o
	}
}

func contextOf(ev *kabar.Event, n *kabar.Number) *contentjson.Context {
	c := ev.Context
	h := &contentjson.Context{Forwarded: c.Forwarded && !c.Frequent, Frequent: c.Frequent, Product: c.Product}
	switch {
	case ev.ReplyRef != 0:
		h.From, h.ID = n.Digits, messageID(ev.ReplyOut, n, ev.Customer, ev.ReplyRef)
		if !ev.ReplyOut {
			h.From = ev.Customer.WaID
		}
	case c.Unknown != "":
		h.ID = wireID(n, ev.Customer, c.Unknown)
	}
	if *h == (contentjson.Context{}) {
		return nil
	}
	return h
}

func identityOf(i *kabar.Identity) *hookIdentity {
	if i == nil {
		return nil
	}
	h := &hookIdentity{Acknowledged: i.Acknowledged, Hash: i.Hash}
	if !i.Since.IsZero() {
		h.Created = timestamp(i.Since)
	}
	return h
}

func referralOf(r *kabar.Referral) *hookReferral {
	if r == nil {
		return nil
	}
	return &hookReferral{r.SourceURL, r.SourceID, r.SourceType, r.Headline, r.Body, r.Kind}
}
