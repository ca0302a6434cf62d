package onprem

import (
	"kabar"
	"kabar/internal/contentjson"
)

// kind is a type of message that can be sent: whether its object, which has its name, is in a request, and how it is read.
type kind struct {
	name   string
	there  func(*sendRequest) bool
	decode func(decoder, *sendRequest) (kabar.Content, error)
}

// kinds are all types, in the order in which the contract has them.
func kinds() []kind {
	medium := func(k kabar.Kind, of func(*sendRequest) *mediaObject) kind {
		return kind{string(k), func(r *sendRequest) bool { return of(r) != nil },
			func(d decoder, r *sendRequest) (kabar.Content, error) { return d.media(k, string(k), of(r)) }}
	}
	return []kind{
		{"text", func(r *sendRequest) bool { return r.Text != nil }, func(_ decoder, r *sendRequest) (kabar.Content, error) { return r.text() }},
		medium(kabar.KindImage, func(r *sendRequest) *mediaObject { return r.Image }),
		medium(kabar.KindAudio, func(r *sendRequest) *mediaObject { return r.Audio }),
		medium(kabar.KindVideo, func(r *sendRequest) *mediaObject { return r.Video }),
		medium(kabar.KindDocument, func(r *sendRequest) *mediaObject { return r.Document }),
		medium(kabar.KindSticker, func(r *sendRequest) *mediaObject { return r.Sticker }),
		{"location", func(r *sendRequest) bool { return r.Location != nil }, func(_ decoder, r *sendRequest) (kabar.Content, error) { return r.location() }},
		{"contacts", func(r *sendRequest) bool { return r.Contacts != nil }, func(_ decoder, r *sendRequest) (kabar.Content, error) { return r.contacts() }},
		{"reaction", func(r *sendRequest) bool { return r.Reaction != nil }, func(d decoder, r *sendRequest) (kabar.Content, error) { return d.reaction(r.Reaction) }},
		{"interactive", func(r *sendRequest) bool { return r.Interactive != nil }, func(d decoder, r *sendRequest) (kabar.Content, error) { return d.interactive(r.Interactive) }},
		{"template", func(r *sendRequest) bool { return r.Template != nil }, func(d decoder, r *sendRequest) (kabar.Content, error) { return r.Template.Content(d.media) }},
		{"hsm", func(r *sendRequest) bool { return r.HSM != nil }, func(d decoder, r *sendRequest) (kabar.Content, error) { return d.hsm(r.HSM) }},
	}
}

func (r *sendRequest) text() (kabar.Content, error) {
	return &kabar.Text{Body: r.Text.Body, PreviewURL: r.PreviewURL}, nil
}

func (r *sendRequest) contacts() (kabar.Content, error) {
	return &kabar.Contacts{Cards: r.Contacts}, nil
}

func (r *sendRequest) location() (kabar.Content, error) {
	l, err := r.Location.Read("location")
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (d decoder) reaction(o *reactionObject) (kabar.Content, error) {
	if o.Emoji == nil {
		return nil, kabar.Refuse(kabar.ReasonMissing, "reaction.emoji", "is required; an empty one takes the reaction back")
	}
	target, err := contentjson.Target("reaction.message_id", o.MessageID, d.message)
	return &kabar.Reaction{Target: target, Emoji: *o.Emoji}, err
}
