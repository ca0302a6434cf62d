package graph

import (
	"context"
	"strings"

	"kabar"
	"kabar/internal/contentjson"
	"kabar/internal/engine"
	"kabar/internal/web"
)

// messageRequest is the body of POST /{number}/messages. Each kind has an object of its own name.
type messageRequest struct {
	Product       string          `json:"messaging_product"`
	RecipientType string          `json:"recipient_type"`
	To            web.StringOrInt `json:"to"`
	Recipient     string          `json:"recipient"` // a BSUID, in the place of to
	Type          string          `json:"type"`
	Callback      string          `json:"biz_opaque_callback_data"`
	Identity      string          `json:"recipient_identity_key_hash"`
	Context       *struct {
		MessageID string `json:"message_id"`
	} `json:"context"`

	Policy  string `json:"product_policy"`           // marketing
	Sharing *bool  `json:"message_activity_sharing"` // marketing

	// In the place of a message: what was done with one of a customer.
	Status    string  `json:"status"`
	MessageID string  `json:"message_id"`
	Typing    *typing `json:"typing_indicator"`

	Text        *textObject                           `json:"text"`
	Image       *mediaObject                          `json:"image"`
	Audio       *mediaObject                          `json:"audio"`
	Video       *mediaObject                          `json:"video"`
	Document    *mediaObject                          `json:"document"`
	Sticker     *mediaObject                          `json:"sticker"`
	Contacts    []kabar.Card                          `json:"contacts"` // its names are those of the API
	Location    *contentjson.Location                 `json:"location"`
	Reaction    *reactionObject                       `json:"reaction"`
	Interactive *contentjson.Interactive[mediaObject] `json:"interactive"`
	Template    *contentjson.Template[mediaObject]    `json:"template"`

	// Not of the contract: what is sent when the window is closed.
	IfClosed *struct {
		Template *contentjson.Template[mediaObject] `json:"template"`
	} `json:"if_window_closed"`
}

type typing struct {
	Type string `json:"type"`
}

type textObject struct {
	Body       string `json:"body"`
	PreviewURL bool   `json:"preview_url"`
}

type reactionObject struct {
	MessageID string  `json:"message_id"`
	Emoji     *string `json:"emoji"`
}

// supported are the types that can be sent.
const supported = "text, image, audio, video, document, sticker, location, contacts, reaction, interactive and template"

// decoder turns bodies into requests. It checks what only the API knows (names, forms, ids); limits are the vocabulary's.
type decoder struct {
	medium  func(id string) (kabar.MediaID, bool)
	message func(id string) (*kabar.Message, error)
}

// decoder returns the decoder of a number's requests.
func (a *API) decoder(ctx context.Context, number kabar.NumberID) decoder {
	return decoder{medium: a.medium, message: func(id string) (*kabar.Message, error) { return a.message(ctx, number, id) }}
}

// request reads a message. The errors are *kabar.Error.
func (d decoder) request(r *messageRequest) (engine.Request, error) {
	if err := r.checkRecipient(); err != nil {
		return engine.Request{}, err
	}
	out := engine.Request{To: string(r.To), Callback: r.Callback, Identity: r.Identity}
	if out.To == "" {
		out.To = r.Recipient
	}
	var err error
	if out.Content, err = d.content(r); err != nil {
		return engine.Request{}, err
	}
	if r.IfClosed != nil {
		if out.IfClosed, err = contentjson.IfClosed(r.IfClosed.Template, d.media); err != nil {
			return engine.Request{}, err
		}
	}
	if r.Context != nil {
		if out.ReplyTo, err = contentjson.Target("context.message_id", r.Context.MessageID, d.message); err != nil {
			return engine.Request{}, err
		}
	}
	return out, nil
}

// fold has the values of lists understood whatever their case (contract, section 5).
func (r *messageRequest) fold() {
	for _, v := range []*string{&r.Type, &r.RecipientType, &r.Status} {
		*v = strings.ToLower(*v)
	}
	r.Policy = strings.ToUpper(r.Policy)
}

// checkProduct refuses what is not for this product.
func checkProduct(product string) error {
	switch product {
	case "whatsapp":
		return nil
	case "":
		return kabar.Refuse(kabar.ReasonMissing, "messaging_product", "The parameter messaging_product is required: whatsapp")
	}
	return kabar.Refuse(kabar.ReasonInvalid, "messaging_product", "is %q, allowed is whatsapp", clip(product))
}

func (r *messageRequest) checkRecipient() error {
	switch r.RecipientType {
	case "", "individual":
	case "group":
		return kabar.Refuse(kabar.ReasonGroup, "recipient_type", "this number has no groups")
	default:
		return kabar.Refuse(kabar.ReasonRecipientType, "recipient_type", "is %q, allowed is individual", clip(r.RecipientType))
	}
	if r.To == "" && r.Recipient == "" {
		return kabar.Refuse(kabar.ReasonMissing, "to", "The parameter to is required: the phone number of the recipient")
	}
	return nil
}

// content is the index of the kinds.
func (d decoder) content(r *messageRequest) (kabar.Content, error) {
	if r.Type == "" {
		r.Type = "text"
	}
	media := func(kind kabar.Kind, o *mediaObject) func() (kabar.Content, error) {
		return func() (kabar.Content, error) { return d.media(kind, r.Type, o) }
	}
	kinds := map[string]struct {
		there  bool
		decode func() (kabar.Content, error)
	}{
		"text": {r.Text != nil, func() (kabar.Content, error) {
			return &kabar.Text{Body: r.Text.Body, PreviewURL: r.Text.PreviewURL}, nil
		}},
		"image":       {r.Image != nil, media(kabar.KindImage, r.Image)},
		"audio":       {r.Audio != nil, media(kabar.KindAudio, r.Audio)},
		"video":       {r.Video != nil, media(kabar.KindVideo, r.Video)},
		"document":    {r.Document != nil, media(kabar.KindDocument, r.Document)},
		"sticker":     {r.Sticker != nil, media(kabar.KindSticker, r.Sticker)},
		"location":    {r.Location != nil, r.location},
		"contacts":    {r.Contacts != nil, func() (kabar.Content, error) { return &kabar.Contacts{Cards: r.Contacts}, nil }},
		"reaction":    {r.Reaction != nil, func() (kabar.Content, error) { return d.reaction(r.Reaction) }},
		"interactive": {r.Interactive != nil, func() (kabar.Content, error) { return r.Interactive.Content(d.media) }},
		"template":    {r.Template != nil, func() (kabar.Content, error) { return r.Template.Content(d.media) }},
	}
	k, known := kinds[r.Type]
	switch {
	case !known:
		return nil, kabar.Refuse(kabar.ReasonKind, "type", "%q is not supported; supported are %s", clip(r.Type), supported)
	case !k.there:
		return nil, kabar.Refuse(kabar.ReasonMissing, r.Type, "is required in a message of type %s", r.Type)
	}
	return k.decode()
}

func (r *messageRequest) location() (kabar.Content, error) {
	l, err := r.Location.Read("location")
	if err != nil {
		return nil, err
	}
	return l, nil
}

// reaction reads a reaction; without an emoji, or with an empty one, it takes the one before back.
func (d decoder) reaction(o *reactionObject) (kabar.Content, error) {
	target, err := contentjson.Target("reaction.message_id", o.MessageID, d.message)
	c := &kabar.Reaction{Target: target}
	if o.Emoji != nil {
		c.Emoji = *o.Emoji
	}
	return c, err
}
