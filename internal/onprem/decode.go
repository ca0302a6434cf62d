package onprem

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/contentjson"
	"kabar/internal/engine"
	"kabar/internal/web"
)

// sendRequest is the body of POST /v1/messages. Each kind has an object of its own name.
type sendRequest struct {
	To            string           `json:"to"`
	Type          string           `json:"type"`
	RecipientType string           `json:"recipient_type"`
	PreviewURL    bool             `json:"preview_url"`
	TTL           *web.StringOrInt `json:"ttl"`
	Context       *struct {
		MessageID string `json:"message_id"`
	} `json:"context"`

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
	HSM         *hsmObject                            `json:"hsm"`

	// Not of the contract: what is sent when the window is closed.
	IfClosed *struct {
		Template *contentjson.Template[mediaObject] `json:"template"`
	} `json:"if_window_closed"`
}

type textObject struct {
	Body string `json:"body"`
}

type reactionObject struct {
	MessageID string  `json:"message_id"`
	Emoji     *string `json:"emoji"`
}

// decoder turns bodies into requests. It checks what only the API knows (names, forms, ids); limits are the vocabulary's.
type decoder struct {
	kinds   []kind
	medium  func(id string) (kabar.MediaID, bool)
	message func(id string) (*kabar.Message, error)
}

// decoder returns the decoder of a number's requests.
func (a *API) decoder(ctx context.Context, number kabar.NumberID) decoder {
	return decoder{
		kinds:   a.kinds,
		medium:  a.medium,
		message: func(id string) (*kabar.Message, error) { return a.message(ctx, number, id) },
	}
}

// request reads a body. The errors are those of web.Decode and *kabar.Error.
func (d decoder) request(body []byte) (engine.Request, error) {
	var r sendRequest
	if err := web.Decode(body, &r, web.Options{}); err != nil {
		return engine.Request{}, d.blameType(body, err)
	}
	if err := r.checkRecipient(); err != nil {
		return engine.Request{}, err
	}
	out := engine.Request{To: r.To, AnyFlow: true}
	var err error
	if out.Content, err = d.content(&r); err != nil {
		return engine.Request{}, err
	}
	if r.IfClosed != nil {
		if out.IfClosed, err = contentjson.IfClosed(r.IfClosed.Template, d.media); err != nil {
			return engine.Request{}, err
		}
	}
	if out.TTL, err = r.ttl(); err != nil {
		return engine.Request{}, err
	}
	if r.Context != nil {
		if out.ReplyTo, err = contentjson.Target("context.message_id", r.Context.MessageID, d.message); err != nil {
			return engine.Request{}, err
		}
	}
	return out, nil
}

// blameType names the type of a message rather than its object when both are unknown: the type is what is wrong.
func (d decoder) blameType(body []byte, err error) error {
	var fault *web.Error
	var r struct {
		Type string `json:"type"`
	}
	if !errors.As(err, &fault) || fault.Kind != web.UnknownKey || web.Decode(body, &r, web.Options{Unknown: web.Ignore}) != nil ||
		r.Type == "" || fault.Key != r.Type {
		return err
	}
	return d.unsupported(r.Type)
}

func (d decoder) unsupported(name string) error {
	var names []string
	for _, k := range d.kinds {
		names = append(names, k.name)
	}
	last := len(names) - 1
	return kabar.Refuse(kabar.ReasonInvalid, "type", "%q is not supported; supported are %s and %s", name, strings.Join(names[:last], ", "), names[last])
}

func (r *sendRequest) checkRecipient() error {
	switch r.RecipientType {
	case "", "individual":
	case "group":
		return kabar.Refuse(kabar.ReasonDenied, "recipient_type", "this number has no groups")
	default:
		return kabar.Refuse(kabar.ReasonRecipientType, "recipient_type", "is %q, allowed is individual", r.RecipientType)
	}
	if r.To == "" {
		return kabar.Refuse(kabar.ReasonMissing, "to", "is required: the phone number of the recipient")
	}
	return nil
}

// content reads the object that the type names.
func (d decoder) content(r *sendRequest) (kabar.Content, error) {
	if r.Type == "" {
		r.Type = "text"
	}
	at := slices.IndexFunc(d.kinds, func(k kind) bool { return k.name == r.Type })
	if at < 0 {
		return nil, d.unsupported(r.Type)
	}
	if !d.kinds[at].there(r) { // a null is not there
		return nil, kabar.Refuse(kabar.ReasonMissing, r.Type, "is required in a message of type %s", r.Type)
	}
	for _, k := range d.kinds {
		if k.name != r.Type && k.there(r) {
			return nil, kabar.Refuse(kabar.ReasonInvalid, k.name, "has no place in a message of type %s", r.Type)
		}
	}
	return d.kinds[at].decode(d, r)
}

// templateTTL is how long a template is tried when the request does not say; other messages have the engine's default.
const templateTTL = 7 * 24 * time.Hour

func (r *sendRequest) ttl() (time.Duration, error) {
	if r.TTL == nil || strings.TrimSpace(string(*r.TTL)) == "" {
		if r.Type == "template" || r.Type == "hsm" {
			return templateTTL, nil
		}
		return 0, nil
	}
	d, ok := parseTTL(string(*r.TTL))
	if !ok {
		return 0, kabar.Refuse(kabar.ReasonInvalid, "ttl", `must be 1 second to 30 days, as seconds (86400) or as a duration of ISO 8601 ("P1D")`)
	}
	return d, nil
}
