package phone

import (
	"errors"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/payload"
)

// draftJSON is the body of a message that a customer writes: type, and the member of that name.
type draftJSON struct {
	To   string `json:"to"`
	Type string `json:"type"`

	Text        *draftText        `json:"text"`
	Image       *draftMedia       `json:"image"`
	Audio       *draftAudio       `json:"audio"`
	Voice       *draftAudio       `json:"voice"`
	Video       *draftMedia       `json:"video"`
	Document    *draftDocument    `json:"document"`
	Location    *draftLocation    `json:"location"`
	Reaction    *draftReaction    `json:"reaction"`
	Interactive *draftInteractive `json:"interactive"`
	Button      *kabar.Button     `json:"button"`
	Sticker     *draftSticker     `json:"sticker"`
	Contacts    []kabar.Card      `json:"contacts"`
	Order       *draftOrder       `json:"order"`
	Unsupported *struct{}         `json:"unsupported"`
	Ephemeral   *struct{}         `json:"ephemeral"`

	Context *struct {
		MessageID string            `json:"message_id"`
		Product   *kabar.ProductRef `json:"referred_product"`
	} `json:"context"`
	Referral            *draftReferral `json:"referral"`
	Forwarded           bool           `json:"forwarded"`
	FrequentlyForwarded bool           `json:"frequently_forwarded"`
}

type (
	draftText struct {
		Body string `json:"body"`
	}
	draftMedia struct {
		ID      string `json:"id"`
		Caption string `json:"caption"`
	}
	draftAudio struct {
		ID    string `json:"id"`
		Voice bool   `json:"voice"`
	}
	draftDocument struct {
		ID       string `json:"id"`
		Caption  string `json:"caption"`
		Filename string `json:"filename"`
	}
	draftLocation struct {
		Latitude  *float64 `json:"latitude"`
		Longitude *float64 `json:"longitude"`
		Name      string   `json:"name"`
		Address   string   `json:"address"`
		URL       string   `json:"url"`
	}
	draftReaction struct {
		MessageID string `json:"message_id"`
		Emoji     string `json:"emoji"`
	}
	draftChoice struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description"`
	}
	draftInteractive struct {
		Type        kabar.ReplyType `json:"type"`
		ButtonReply *draftChoice    `json:"button_reply"`
		ListReply   *draftChoice    `json:"list_reply"`
		FormReply   *draftForm      `json:"nfm_reply"`
		CallReply   *callJSON       `json:"call_permission_reply"`
	}
)

// draft checks the body and returns the message it describes.
func (j *draftJSON) draft() (Draft, error) {
	if err := j.checkMembers(); err != nil {
		return Draft{}, err
	}
	d := Draft{To: j.To, Forwarded: j.Forwarded, Frequent: j.FrequentlyForwarded}
	if j.Context != nil {
		if d.ReplyTo, d.Product = j.Context.MessageID, j.Context.Product; d.ReplyTo == "" && d.Product == nil {
			return Draft{}, refuse(CodeInvalid, `The "context" has no "message_id" and no "referred_product". Give what the message is about.`)
		}
	}
	if j.Referral != nil {
		if err := j.Referral.referral(&d); err != nil {
			return Draft{}, err
		}
	}
	var err error
	d.Content, err = j.content(&d)
	return d, err
}

// members tells which of the contents are given.
func (j *draftJSON) members() map[string]bool {
	return map[string]bool{
		"text": j.Text != nil, "image": j.Image != nil, "audio": j.Audio != nil, "voice": j.Voice != nil, "video": j.Video != nil,
		"document": j.Document != nil, "location": j.Location != nil, "reaction": j.Reaction != nil,
		"interactive": j.Interactive != nil, "button": j.Button != nil, "unsupported": j.Unsupported != nil, "ephemeral": j.Ephemeral != nil,
		"sticker": j.Sticker != nil, "contacts": j.Contacts != nil, "order": j.Order != nil,
	}
}

// checkMembers wants the member that the type names, and no other.
func (j *draftJSON) checkMembers() error {
	if j.Type == "" {
		j.Type = "text"
	}
	members := j.members()
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Contains(names, j.Type) {
		return refuse(CodeInvalid, "The type is %.40q, which a customer cannot send. Give one of %s.", j.Type, strings.Join(names, ", "))
	}
	for _, name := range names {
		if members[name] && name != j.Type {
			return refuse(CodeInvalid, `The type is %q, but there is a member %q. Give only the member that the type names.`, j.Type, name)
		}
	}
	if !members[j.Type] && j.Type != "unsupported" && j.Type != "ephemeral" {
		return refuse(CodeInvalid, "The type is %q, but there is no member of that name. Give %q: {…}.", j.Type, j.Type)
	}
	return nil
}

// content makes the content and notes in d what lies beside it.
func (j *draftJSON) content(d *Draft) (kabar.Content, error) {
	switch j.Type {
	case "image":
		return d.media(kabar.KindImage, j.Image.ID, j.Image.Caption, "")
	case "video":
		return d.media(kabar.KindVideo, j.Video.ID, j.Video.Caption, "")
	case "document":
		return d.media(kabar.KindDocument, j.Document.ID, j.Document.Caption, j.Document.Filename)
	case "audio":
		return d.audio(j.Audio.ID, j.Audio.Voice)
	case "voice":
		return d.audio(j.Voice.ID, true)
	case "location":
		return j.Location.content()
	case "reaction":
		if d.Target = j.Reaction.MessageID; d.Target == "" {
			return nil, refuse(CodeInvalid, `The reaction has no "message_id". Give the id of the message it is about.`)
		}
		r := &kabar.Reaction{Emoji: j.Reaction.Emoji}
		return r, checkReaction(r)
	case "interactive":
		return j.Interactive.content()
	case "button":
		if j.Button.Text == "" || j.Button.Payload == "" {
			return nil, refuse(CodeInvalid, `The button has no "text" or no "payload". Give both, or tap on the template.`)
		}
		return j.Button, nil
	case "sticker":
		return j.Sticker.content(d)
	case "contacts":
		return contacts(j.Contacts)
	case "order":
		return j.Order.content()
	case "unsupported":
		return &kabar.Unsupported{}, nil
	case "ephemeral":
		return &kabar.Unsupported{Ephemeral: true}, nil
	}
	if j.Text.Body == "" || len(j.Text.Body) > payload.MaxSize/2 {
		return nil, refuse(CodeInvalid, "The text has %d bytes. Give 1 to %d.", len(j.Text.Body), payload.MaxSize/2)
	}
	return &kabar.Text{Body: j.Text.Body}, nil
}

func (d *Draft) media(kind kabar.Kind, id, caption, filename string) (kabar.Content, error) {
	if id == "" {
		return nil, refuse(CodeInvalid, `The %s has no "id". Upload it first: POST …/media answers with one.`, kind)
	}
	m := kabar.NewMedia(kind)
	m.Caption, m.Filename, d.Media = caption, filename, id
	return m, nil
}

func (d *Draft) audio(id string, voice bool) (kabar.Content, error) {
	c, err := d.media(kabar.KindAudio, id, "", "")
	if m, ok := c.(*kabar.Media); ok {
		m.Voice = voice
	}
	return c, err
}

func (l *draftLocation) content() (kabar.Content, error) {
	if l.Latitude == nil || l.Longitude == nil {
		return nil, refuse(CodeInvalid, `The location has no "latitude" or no "longitude". Give both, in degrees.`)
	}
	c := &kabar.Location{Latitude: *l.Latitude, Longitude: *l.Longitude, Name: l.Name, Address: l.Address, URL: l.URL}
	if fault, ok := errors.AsType[*kabar.Error](c.Validate()); ok {
		return nil, refuse(CodeInvalid, "The %s %s. Correct it.", fault.Field, fault.Detail)
	}
	return c, checkLink("location.url", l.URL)
}

// checkLink refuses what a page must not lead to: a link has http:// or https:// and a host name. There may be none.
func checkLink(field, link string) error {
	if link == "" {
		return nil
	}
	if fault, ok := errors.AsType[*kabar.Error](kabar.CheckURL(field, link)); ok {
		return refuse(CodeInvalid, "The %s %s. Correct it, or leave it out.", fault.Field, fault.Detail)
	}
	return nil
}

func (i *draftInteractive) content() (kabar.Content, error) {
	var choice *draftChoice
	switch i.Type {
	case kabar.CallReply:
		if a := i.CallReply; a != nil && (a.Response == kabar.CallAccepted || a.Response == kabar.CallRejected) {
			return &kabar.Reply{Type: i.Type, Call: &kabar.CallPermission{Response: a.Response, Expires: a.Expires, Source: "user_action"}}, nil
		}
	case kabar.FormReply:
		if i.FormReply != nil && i.ButtonReply == nil && i.ListReply == nil {
			return i.FormReply.content()
		}
	case kabar.ButtonReply:
		choice = i.ButtonReply
	case kabar.ListReply:
		choice = i.ListReply
	}
	if choice == nil || choice.ID == "" || choice.Title == "" || (i.ButtonReply != nil) == (i.ListReply != nil) {
		return nil, refuse(CodeInvalid, `The interactive is not a customer's answer. Give {"type": "button_reply", "button_reply": {"id", "title"}} or the same with list_reply or nfm_reply, or tap on the message.`)
	}
	return &kabar.Reply{Type: i.Type, ID: choice.ID, Title: choice.Title, Description: choice.Description}, nil
}
