package phone

import (
	"encoding/json"
	"fmt"
	"strconv"

	"kabar"
)

// present turns a stored message into what the handset shows, its JSON included.
func (m *message) present(c *customer) (Message, error) {
	out := Message{
		ID: publicID(c, m.business, m.wire), Wire: m.wire, Seq: m.seq, From: m.business, To: c.handle, Mine: m.mine, At: m.time(),
		Kind: m.kind, Content: m.content, Media: m.mediaID, Forwarded: m.forwarded > 0, Status: m.status, Deleted: m.deleted,
		Failure: m.failure, NoMedia: m.mediaFailure,
	}
	if m.mine {
		out.From, out.To = c.handle, m.business
	}
	if m.replyTo != "" {
		out.Context = publicID(c, m.business, m.replyTo)
	}
	if m.target != "" {
		out.Target = publicID(c, m.business, m.target)
	}
	for _, r := range []Reaction{{true, m.emoji}, {false, m.their}} {
		if r.Emoji != "" {
			out.Reactions = append(out.Reactions, r)
		}
	}
	b, err := json.Marshal(m.shown(c, &out))
	if err != nil {
		return Message{}, fmt.Errorf("write message as JSON: %w", err)
	}
	out.JSON = b
	return out, nil
}

// The shapes of the control API: as in the webhooks (contract On-Premises API, 2.1), and for kinds that only businesses
// send as in their requests (1.5).
type (
	messageJSON struct {
		ID        string `json:"id"`
		From      string `json:"from"`
		To        string `json:"to"`
		Timestamp string `json:"timestamp"` // seconds since 1970
		Type      string `json:"type"`

		Text        *textJSON        `json:"text,omitempty"`
		Image       *mediaJSON       `json:"image,omitempty"`
		Audio       *mediaJSON       `json:"audio,omitempty"`
		Voice       *mediaJSON       `json:"voice,omitempty"`
		Video       *mediaJSON       `json:"video,omitempty"`
		Document    *mediaJSON       `json:"document,omitempty"`
		Location    *kabar.Location  `json:"location,omitempty"`
		Reaction    *reactionJSON    `json:"reaction,omitempty"`
		Interactive *interactiveJSON `json:"interactive,omitempty"`
		Button      *kabar.Button    `json:"button,omitempty"`
		Template    *templateJSON    `json:"template,omitempty"`
		System      *textJSON        `json:"system,omitempty"`

		Context   *contextJSON    `json:"context,omitempty"`
		Referral  *kabar.Referral `json:"referral,omitempty"`
		Status    string          `json:"status"`
		Deleted   bool            `json:"deleted,omitempty"`
		Reactions []reactedJSON   `json:"reactions,omitempty"`
		Errors    []errorJSON     `json:"errors,omitempty"`
	}
	textJSON struct {
		Body string `json:"body"`
	}
	mediaJSON struct {
		ID       string `json:"id,omitempty"`
		MIME     string `json:"mime_type,omitempty"`
		SHA256   string `json:"sha256,omitempty"`
		Caption  string `json:"caption,omitempty"`
		Filename string `json:"filename,omitempty"`
	}
	reactionJSON struct {
		MessageID string `json:"message_id"`
		Emoji     string `json:"emoji,omitempty"`
	}
	contextJSON struct {
		ID       string `json:"id,omitempty"`
		From     string `json:"from,omitempty"`
		Forward  bool   `json:"forwarded,omitempty"`
		Frequent bool   `json:"frequently_forwarded,omitempty"`
	}
	reactedJSON struct {
		From  string `json:"from"`
		Emoji string `json:"emoji"`
	}
	errorJSON struct {
		Title string `json:"title"`
	}
	titledJSON struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description,omitempty"`
	}
	interactiveJSON struct {
		Type        string      `json:"type"`
		ButtonReply *titledJSON `json:"button_reply,omitempty"`
		ListReply   *titledJSON `json:"list_reply,omitempty"`
		Header      *headerJSON `json:"header,omitempty"`
		Body        *lineJSON   `json:"body,omitempty"`
		Footer      *lineJSON   `json:"footer,omitempty"`
		Action      *actionJSON `json:"action,omitempty"`
	}
	lineJSON struct {
		Text string `json:"text"`
	}
	headerJSON struct {
		Type     string     `json:"type"`
		Text     string     `json:"text,omitempty"`
		Image    *mediaJSON `json:"image,omitempty"`
		Video    *mediaJSON `json:"video,omitempty"`
		Document *mediaJSON `json:"document,omitempty"`
	}
	actionJSON struct {
		Buttons  []buttonJSON    `json:"buttons,omitempty"`
		Button   string          `json:"button,omitempty"`
		Sections []kabar.Section `json:"sections,omitempty"`
	}
	buttonJSON struct {
		Type  string     `json:"type"`
		Reply titledJSON `json:"reply"`
	}
	templateJSON struct {
		Name     string                 `json:"name"`
		Language kabar.Language         `json:"language"`
		Header   *headerJSON            `json:"header,omitempty"`
		Body     string                 `json:"body,omitempty"`
		Footer   string                 `json:"footer,omitempty"`
		Buttons  []kabar.RenderedButton `json:"buttons,omitempty"`
	}
)

// shown is the message as the control API prints it. A deleted one keeps its type and loses its content.
func (m *message) shown(c *customer, out *Message) *messageJSON {
	j := &messageJSON{
		ID: out.ID, From: out.From, To: out.To, Timestamp: strconv.FormatInt(m.at/1000, 10), Type: string(m.kind),
		Referral: m.referral, Status: m.status.String(), Deleted: m.deleted,
	}
	for _, r := range out.Reactions {
		from := m.business
		if r.Mine {
			from = c.handle
		}
		j.Reactions = append(j.Reactions, reactedJSON{from, r.Emoji})
	}
	if out.Context != "" || m.forwarded > 0 {
		j.Context = &contextJSON{ID: out.Context, Forward: m.forwarded == 1, Frequent: m.forwarded > 1}
	}
	if out.Context != "" {
		j.Context.From = m.business
		if len(m.replyTo) == customerWire {
			j.Context.From = c.handle
		}
	}
	for _, failure := range []string{m.failure, m.mediaFailure} {
		if failure != "" {
			j.Errors = append(j.Errors, errorJSON{failure})
		}
	}
	m.fill(j, out)
	if m.deleted {
		*j = messageJSON{
			ID: j.ID, From: j.From, To: j.To, Timestamp: j.Timestamp, Type: j.Type, Context: j.Context, Status: j.Status,
			Deleted: true, Reactions: j.Reactions,
		}
	}
	return j
}

// fill puts the content where its kind belongs.
func (m *message) fill(j *messageJSON, out *Message) {
	switch content := m.content.(type) {
	case *kabar.Text:
		text := &textJSON{content.Body}
		if m.kind == KindRemark {
			j.System = text
		} else {
			j.Text = text
		}
	case *kabar.Media:
		m.fillMedia(j, content)
	case *kabar.Location:
		j.Location = content
	case *kabar.Reaction:
		j.Reaction = &reactionJSON{MessageID: out.Target, Emoji: content.Emoji}
	case *kabar.Button:
		j.Button = content
	case *kabar.Reply:
		j.Type = string(kabar.KindInteractive)
		j.Interactive = &interactiveJSON{Type: string(content.Type)}
		choice := &titledJSON{content.ID, content.Title, content.Description}
		if content.Type == kabar.ListReply {
			j.Interactive.ListReply = choice
		} else {
			j.Interactive.ButtonReply = choice
		}
	case *kabar.Interactive:
		j.Interactive = m.interactive(content)
	case *kabar.Template:
		j.Template = m.template(content)
	}
}

func (m *message) shownMedium(media *kabar.Media) *mediaJSON {
	return &mediaJSON{ID: m.mediaID, MIME: media.MIME, SHA256: media.SHA256, Caption: media.Caption, Filename: media.Filename}
}

func (m *message) fillMedia(j *messageJSON, media *kabar.Media) {
	shown := m.shownMedium(media)
	switch media.Kind() {
	case kabar.KindImage:
		j.Image = shown
	case kabar.KindVideo:
		j.Video = shown
	case kabar.KindDocument:
		j.Document = shown
	case kabar.KindAudio:
		if media.Voice {
			j.Type, j.Voice = "voice", shown
		} else {
			j.Audio = shown
		}
	default: // no other content is a medium
	}
}

func (m *message) interactive(i *kabar.Interactive) *interactiveJSON {
	out := &interactiveJSON{Type: string(i.Type), Header: m.header(i.Header), Body: &lineJSON{i.Body}}
	if i.Footer != "" {
		out.Footer = &lineJSON{i.Footer}
	}
	out.Action = &actionJSON{Button: i.Action.Button, Sections: i.Action.Sections}
	for _, b := range i.Action.Buttons {
		out.Action.Buttons = append(out.Action.Buttons, buttonJSON{"reply", titledJSON{ID: b.ID, Title: b.Title}})
	}
	return out
}

func (m *message) header(h *kabar.Header) *headerJSON {
	if h == nil {
		return nil
	}
	out := &headerJSON{Type: string(h.Type), Text: h.Text}
	if h.Media == nil {
		return out
	}
	switch shown := m.shownMedium(h.Media); h.Type {
	case kabar.KindImage:
		out.Image = shown
	case kabar.KindVideo:
		out.Video = shown
	case kabar.KindDocument:
		out.Document = shown
	default: // a header shows no other media
	}
	return out
}

func (m *message) template(t *kabar.Template) *templateJSON {
	out := &templateJSON{Name: t.Name, Language: t.Language}
	if r := t.Rendered; r != nil {
		out.Header, out.Body, out.Footer, out.Buttons = m.header(r.Header), r.Body, r.Footer, r.Buttons
	}
	return out
}
