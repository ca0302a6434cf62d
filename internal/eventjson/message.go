package eventjson

import (
	"cmp"
	"fmt"

	"kabar"
	"kabar/internal/contentjson"
	"kabar/internal/msgid"
)

// pair is what a message is called: by /v1 and the management API, and by the Cloud API. One that only the network knows may have the
// network's own id, and no other.
type pair struct {
	ID    string `json:"id"`
	Wamid string `json:"wamid,omitzero"`
}

// message is the message that an event is about. Of one that a customer wrote one of the objects after Forwarded is set, the one that Kind
// names, and media for all kinds of media; of one of the business none is: who sent it has it.
type message struct {
	pair
	Kind     kabar.Kind `json:"kind,omitzero"`
	Callback string     `json:"callback_data,omitzero"` // what the sender wanted to be told again

	ReplyTo   *reference        `json:"reply_to,omitzero"`
	Product   *kabar.ProductRef `json:"referred_product,omitzero"` // its names are those of the APIs
	Referral  *referral         `json:"referral,omitzero"`
	Forwarded bool              `json:"forwarded,omitzero"`
	Frequent  bool              `json:"frequently_forwarded,omitzero"`

	Text        *text              `json:"text,omitzero"`
	Media       *medium            `json:"media,omitzero"`
	Location    *contentjson.Place `json:"location,omitzero"`
	Contacts    []kabar.Card       `json:"contacts,omitempty"` // its names are those of the APIs
	Button      *contentjson.Tap   `json:"button,omitzero"`
	Reply       *contentjson.Reply `json:"reply,omitzero"`
	Order       *contentjson.Order `json:"order,omitzero"`
	Reaction    *reaction          `json:"reaction,omitzero"`
	Unsupported *unsupported       `json:"unsupported,omitzero"`
}

// reference is another message of the conversation.
type reference struct {
	pair
	Own bool `json:"from_business"`
}

type text struct {
	Body string `json:"body"`
}

// medium is a medium of any kind. Without an id it could not be fetched, and the event has an error, or it was not to be, by the settings
// of the number.
type medium struct {
	stored
	MIME     string             `json:"mime_type"`
	SHA256   string             `json:"sha256"` // lower-case hex
	Size     int64              `json:"size,omitzero"`
	Caption  string             `json:"caption,omitzero"`
	Filename string             `json:"filename,omitzero"`
	Voice    bool               `json:"voice,omitzero"`
	Pack     *kabar.StickerPack `json:"sticker_pack,omitzero"`
}

type reaction struct {
	Emoji string    `json:"emoji"` // empty: it is taken back
	To    reference `json:"to"`
}

type unsupported struct {
	Ephemeral bool   `json:"ephemeral"` // it disappears after a while: its content is withheld
	Detail    string `json:"detail,omitzero"`
}

// referral is the ad or post from which the customer opened the chat.
type referral struct {
	Type     string   `json:"source_type,omitzero"`
	ID       string   `json:"source_id,omitzero"`
	URL      string   `json:"source_url,omitzero"`
	Headline string   `json:"headline,omitzero"`
	Body     string   `json:"body,omitzero"`
	Picture  *picture `json:"picture,omitzero"`
}

type picture struct {
	stored
	Kind kabar.Kind `json:"kind"` // image or video
}

// stored is how a medium is downloaded: by GET /v1/media/{id}, or with CloudID from the Cloud API.
type stored struct {
	ID      string `json:"id,omitzero"`
	CloudID string `json:"cloud_id,omitzero"`
}

// received tells what a customer wrote.
func (d *Dialect) received(ev *kabar.Event, n *kabar.Number) (*message, error) {
	content, err := ev.Content.Content()
	if err != nil {
		return nil, err
	}
	c := ev.Context
	m := &message{pair: idsOf(false, n, ev.Customer, ev.Ref), Kind: content.Kind(), Forwarded: c.Forwarded, Frequent: c.Frequent, Product: c.Product,
		Referral: d.referral(c.Referral)}
	if ev.ReplyRef != 0 || c.Unknown != "" {
		to := referenceTo(n, ev.Customer, ev.ReplyRef, ev.ReplyOut, c.Unknown)
		m.ReplyTo = &to
	}
	return m, d.put(m, content, ev, n)
}

// put fills in the object of the message's kind.
func (d *Dialect) put(m *message, content kabar.Content, ev *kabar.Event, n *kabar.Number) error {
	switch c := content.(type) {
	case *kabar.Text:
		m.Text = &text{c.Body}
	case *kabar.Media:
		m.Media = d.media(c)
	case *kabar.Location:
		m.Location = contentjson.NewPlace(c)
	case *kabar.Contacts:
		m.Contacts = c.Cards
	case *kabar.Button:
		m.Button = contentjson.NewTap(c)
	case *kabar.Reply:
		m.Reply = contentjson.NewReply(c)
	case *kabar.Order:
		m.Order = contentjson.NewOrder(c)
	case *kabar.Reaction:
		m.Reaction = &reaction{c.Emoji, referenceTo(n, ev.Customer, ev.TargetRef, ev.TargetOut, c.Unknown)}
	case *kabar.Unsupported:
		m.Unsupported = &unsupported{c.Ephemeral, c.Detail}
	default:
		return fmt.Errorf("a customer cannot send %q", content.Kind())
	}
	return nil
}

func (d *Dialect) media(c *kabar.Media) *medium {
	return &medium{d.stored(c.ID), c.MIME, c.SHA256, c.Size, c.Caption, c.Filename, c.Voice, c.Pack}
}

// stored says by which ids a medium is downloaded; by none if it is not stored.
func (d *Dialect) stored(id kabar.MediaID) stored {
	if id == 0 {
		return stored{}
	}
	return stored{d.medium(id), d.node(int64(id))}
}

func (d *Dialect) referral(r *kabar.Referral) *referral {
	if r == nil {
		return nil
	}
	out := &referral{r.SourceType, r.SourceID, r.SourceURL, r.Headline, r.Body, nil}
	if r.Medium != 0 {
		out.Picture = &picture{d.stored(r.Medium), cmp.Or(r.Kind, kabar.KindImage)}
	}
	return out
}

// idsOf returns the ids of a message between a number and a customer.
func idsOf(outbound bool, n *kabar.Number, c kabar.Customer, ref uint64) pair {
	return named(outbound, n, c, msgid.Stanza(ref, outbound))
}

func named(outbound bool, n *kabar.Number, c kabar.Customer, stanza []byte) pair {
	return pair{msgid.Encode(outbound, n.Peer(c), stanza), msgid.EncodeWamid(outbound, n.Peer(c), stanza)}
}

// referenceTo names another message: one that the server has by its reference, another by what the network calls it.
func referenceTo(n *kabar.Number, c kabar.Customer, ref uint64, own bool, wire string) reference {
	if ref != 0 {
		return reference{idsOf(own, n, c, ref), own}
	}
	stanza, own, ok := msgid.Wire(wire)
	if !ok {
		return reference{pair: pair{ID: wire}}
	}
	return reference{named(own, n, c, stanza), own}
}
