package onprem

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kabar"
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

	Text        *textObject        `json:"text"`
	Image       *mediaObject       `json:"image"`
	Audio       *mediaObject       `json:"audio"`
	Video       *mediaObject       `json:"video"`
	Document    *mediaObject       `json:"document"`
	Location    *locationObject    `json:"location"`
	Reaction    *reactionObject    `json:"reaction"`
	Interactive *interactiveObject `json:"interactive"`
	Template    *templateObject    `json:"template"`

	// Known, and not supported: the type is refused, whatever they hold.
	Sticker  jsontext.Value `json:"sticker"`
	Contacts jsontext.Value `json:"contacts"`
	HSM      jsontext.Value `json:"hsm"`
}

type textObject struct {
	Body string `json:"body"`
}

type locationObject struct {
	Latitude  *web.NumberOrString `json:"latitude"`
	Longitude *web.NumberOrString `json:"longitude"`
	Name      string              `json:"name"`
	Address   string              `json:"address"`
}

type reactionObject struct {
	MessageID string  `json:"message_id"`
	Emoji     *string `json:"emoji"`
}

// supported are the types that can be sent.
const supported = "text, image, audio, video, document, location, reaction, interactive and template"

// decoder turns bodies into requests. It checks what only the API knows (names, forms, ids); limits are the vocabulary's.
type decoder struct {
	medium  func(id string) (kabar.MediaID, bool)
	message func(id string) (*kabar.Message, error)
}

// decoder returns the decoder of a number's requests.
func (a *API) decoder(ctx context.Context, number kabar.NumberID) decoder {
	return decoder{
		medium:  a.medium,
		message: func(id string) (*kabar.Message, error) { return a.message(ctx, number, id) },
	}
}

// request reads a body. The errors are those of web.Decode and *kabar.Error.
func (d decoder) request(body []byte) (engine.Request, error) {
	var r sendRequest
	if err := web.Decode(body, &r, web.Options{}); err != nil {
		return engine.Request{}, blameType(body, err)
	}
	if err := r.checkRecipient(); err != nil {
		return engine.Request{}, err
	}
	out := engine.Request{To: r.To}
	var err error
	if out.Content, err = d.content(&r); err != nil {
		return engine.Request{}, err
	}
	if out.TTL, err = r.ttl(); err != nil {
		return engine.Request{}, err
	}
	if r.Context != nil {
		if out.ReplyTo, err = d.target("context.message_id", r.Context.MessageID); err != nil {
			return engine.Request{}, err
		}
	}
	return out, nil
}

// blameType names the type of a message rather than its object when both are unknown: the type is what is wrong.
func blameType(body []byte, err error) error {
	var fault *web.Error
	var r struct {
		Type string `json:"type"`
	}
	if !errors.As(err, &fault) || fault.Kind != web.UnknownKey || web.Decode(body, &r, web.Options{Unknown: web.Ignore}) != nil ||
		r.Type == "" || fault.Key != r.Type {
		return err
	}
	return unsupported(r.Type)
}

func unsupported(kind string) error {
	return kabar.Refuse(kabar.ReasonInvalid, "type", "%q is not supported; supported are %s", kind, supported)
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

// content is the index of the kinds.
func (d decoder) content(r *sendRequest) (kabar.Content, error) {
	if r.Type == "" {
		r.Type = "text"
	}
	var decode func() (kabar.Content, error)
	switch r.Type {
	case "text":
		decode = r.text
	case "image":
		decode = func() (kabar.Content, error) { return d.media(kabar.KindImage, "image", r.Image) }
	case "audio":
		decode = func() (kabar.Content, error) { return d.media(kabar.KindAudio, "audio", r.Audio) }
	case "video":
		decode = func() (kabar.Content, error) { return d.media(kabar.KindVideo, "video", r.Video) }
	case "document":
		decode = func() (kabar.Content, error) { return d.media(kabar.KindDocument, "document", r.Document) }
	case "location":
		decode = r.location
	case "reaction":
		decode = func() (kabar.Content, error) { return d.reaction(r.Reaction) }
	case "interactive":
		decode = func() (kabar.Content, error) { return d.interactive(r.Interactive) }
	case "template":
		decode = func() (kabar.Content, error) { return d.template(r.Template) }
	default:
		return nil, unsupported(r.Type)
	}
	if err := r.checkObjects(); err != nil {
		return nil, err
	}
	return decode()
}

// checkObjects checks that there is the object of the type, and none of another type. A null is not there.
func (r *sendRequest) checkObjects() error {
	given := func(v jsontext.Value) bool { return v != nil && v.Kind() != 'n' }
	there := []struct {
		name string
		is   bool
	}{
		{"text", r.Text != nil}, {"image", r.Image != nil}, {"audio", r.Audio != nil}, {"video", r.Video != nil},
		{"document", r.Document != nil}, {"location", r.Location != nil}, {"reaction", r.Reaction != nil},
		{"interactive", r.Interactive != nil}, {"template", r.Template != nil},
		{"sticker", given(r.Sticker)}, {"contacts", given(r.Contacts)}, {"hsm", given(r.HSM)},
	}
	for _, o := range there {
		if o.name == r.Type && !o.is {
			return kabar.Refuse(kabar.ReasonMissing, o.name, "is required in a message of type %s", r.Type)
		}
	}
	for _, o := range there {
		if o.name != r.Type && o.is {
			return kabar.Refuse(kabar.ReasonInvalid, o.name, "has no place in a message of type %s", r.Type)
		}
	}
	return nil
}

func (r *sendRequest) text() (kabar.Content, error) {
	return &kabar.Text{Body: r.Text.Body, PreviewURL: r.PreviewURL}, nil
}

func (r *sendRequest) location() (kabar.Content, error) {
	l := r.Location
	switch {
	case l.Latitude == nil:
		return nil, kabar.Refuse(kabar.ReasonMissing, "location.latitude", "is required")
	case l.Longitude == nil:
		return nil, kabar.Refuse(kabar.ReasonMissing, "location.longitude", "is required")
	}
	return &kabar.Location{Latitude: float64(*l.Latitude), Longitude: float64(*l.Longitude), Name: l.Name, Address: l.Address}, nil
}

func (d decoder) reaction(o *reactionObject) (kabar.Content, error) {
	if o.Emoji == nil {
		return nil, kabar.Refuse(kabar.ReasonMissing, "reaction.emoji", "is required; an empty one takes the reaction back")
	}
	target, err := d.target("reaction.message_id", o.MessageID)
	return &kabar.Reaction{Target: target, Emoji: *o.Emoji}, err
}

// target reads the id of a message that the new one is about.
func (d decoder) target(field, id string) (kabar.MessageID, error) {
	if id == "" {
		return 0, kabar.Refuse(kabar.ReasonMissing, field, "is required: the id of a message of this conversation")
	}
	m, err := d.message(id)
	var refused *kabar.Error
	if errors.As(err, &refused) && refused.Reason == kabar.ReasonNotFound {
		return 0, kabar.Refuse(kabar.ReasonInvalid, field, "there is no such message in this conversation")
	}
	if err != nil {
		return 0, err
	}
	return m.ID, nil
}

// templateTTL is how long a template is tried when the request does not say; other messages have the engine's default.
const templateTTL = 7 * 24 * time.Hour

func (r *sendRequest) ttl() (time.Duration, error) {
	if r.TTL == nil || strings.TrimSpace(string(*r.TTL)) == "" {
		if r.Type == "template" {
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
