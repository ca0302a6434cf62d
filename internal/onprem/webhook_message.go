package onprem

import (
	"fmt"

	"kabar"
)

// hookMessage is an inbound message. One of the objects after Type is set: the one that Type names.
type hookMessage struct {
	From      string       `json:"from"`
	ID        string       `json:"id"`
	Timestamp string       `json:"timestamp"`
	Type      string       `json:"type"`
	Context   *hookContext `json:"context,omitzero"`

	Text        *textObject      `json:"text,omitzero"`
	Image       *hookMedia       `json:"image,omitzero"`
	Audio       *hookMedia       `json:"audio,omitzero"`
	Voice       *hookMedia       `json:"voice,omitzero"`
	Video       *hookMedia       `json:"video,omitzero"`
	Document    *hookMedia       `json:"document,omitzero"`
	Location    *hookLocation    `json:"location,omitzero"`
	Button      *hookButton      `json:"button,omitzero"`
	Interactive *hookInteractive `json:"interactive,omitzero"`
	Reaction    *hookReaction    `json:"reaction,omitzero"`
	System      *hookSystem      `json:"system,omitzero"`

	Referral *kabar.Referral `json:"referral,omitzero"` // its names are those of the API
	Errors   []fault         `json:"errors,omitempty"`
}

type hookContext struct {
	From      string `json:"from,omitzero"`
	ID        string `json:"id,omitzero"`
	Forwarded bool   `json:"forwarded,omitzero"`
	Frequent  bool   `json:"frequently_forwarded,omitzero"`
}

// hookMedia is a medium; without an id it could not be downloaded, or was not to be.
type hookMedia struct {
	ID       string `json:"id,omitzero"`
	MIME     string `json:"mime_type"`
	SHA256   string `json:"sha256"`
	Caption  string `json:"caption,omitzero"`
	Filename string `json:"filename,omitzero"`
}

type hookLocation struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitzero"`
	Address   string  `json:"address,omitzero"`
	URL       string  `json:"url,omitzero"`
}

type hookButton struct {
	Text    string `json:"text"`
	Payload string `json:"payload"`
}

type hookInteractive struct {
	Type   kabar.ReplyType `json:"type"`
	List   *hookReply      `json:"list_reply,omitzero"`
	Button *hookReply      `json:"button_reply,omitzero"`
}

type hookReply struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitzero"`
}

type hookReaction struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji,omitzero"` // none: the reaction is taken back
}

type hookSystem struct {
	Body     string `json:"body"`
	Type     string `json:"type"`
	Identity string `json:"identity,omitzero"`
	User     string `json:"user,omitzero"`
}

// inbound tells what a customer wrote, and who that is.
func (a *API) inbound(ev *kabar.Event, n *kabar.Number) (hook, error) {
	content, err := ev.Content.Content()
	if err != nil {
		return hook{}, err
	}
	m := hookMessage{From: ev.Customer.Handle(), ID: messageID(false, n, ev.Customer, ev.Ref), Timestamp: timestamp(ev.At),
		Context: contextOf(ev, n), Referral: ev.Context.Referral}
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
		m.Location = &hookLocation{c.Latitude, c.Longitude, c.Name, c.Address, c.URL}
	case *kabar.Button:
		m.Button = &hookButton{c.Text, c.Payload}
	case *kabar.Reply:
		m.Type, m.Interactive = "interactive", interactiveReply(c)
	case *kabar.Reaction:
		m.Reaction = &hookReaction{wireID(n, ev.Customer, c.Unknown), c.Emoji}
		if ev.TargetRef != 0 {
			m.Reaction.MessageID = messageID(ev.TargetOut, n, ev.Customer, ev.TargetRef)
		}
	case *kabar.Unsupported:
		m.Type, m.Errors = "unknown", append(m.Errors, unknownMessage)
	default:
		return fmt.Errorf("a customer cannot send %q", content.Kind())
	}
	return nil
}

func (a *API) putMedia(m *hookMessage, c *kabar.Media) {
	o := &hookMedia{MIME: c.MIME, SHA256: c.SHA256, Caption: c.Caption, Filename: c.Filename}
	if c.ID != 0 {
		o.ID = a.mediaID(c.ID)
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
	}
}

func interactiveReply(c *kabar.Reply) *hookInteractive {
	r := &hookReply{c.ID, c.Title, c.Description}
	if c.Type == kabar.ListReply {
		return &hookInteractive{Type: c.Type, List: r}
	}
	r.Description = "" // buttons have none
	return &hookInteractive{Type: c.Type, Button: r}
}

// contextOf says what an inbound message refers to; nil for nothing. From is who wrote the quoted message.
func contextOf(ev *kabar.Event, n *kabar.Number) *hookContext {
	c := hookContext{Forwarded: ev.Context.Forwarded, Frequent: ev.Context.Frequent}
	switch {
	case ev.ReplyRef != 0:
		c.ID, c.From = messageID(ev.ReplyOut, n, ev.Customer, ev.ReplyRef), ev.Customer.Handle()
		if ev.ReplyOut {
			c.From = n.Digits
		}
	case ev.Context.Unknown != "":
		c.ID = wireID(n, ev.Customer, ev.Context.Unknown)
	}
	if c == (hookContext{}) {
		return nil
	}
	return &c
}
