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
		Kind: m.kind, Content: m.content, Media: m.mediaID, Cards: m.cards, Forwarded: m.forwarded > 0, Frequent: m.forwarded > 1, Referral: m.referral, Product: m.product, Status: m.status, Deleted: m.deleted,
		Failure: m.failure, NoMedia: m.mediaFailure, Flow: m.flow.page(c, m.business),
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

// shown is the message as the control API prints it. A deleted one keeps its type and loses its content.
func (m *message) shown(c *customer, out *Message) *messageJSON {
	j := &messageJSON{
		ID: out.ID, From: out.From, To: out.To, Timestamp: strconv.FormatInt(m.at/1000, 10), Type: string(m.kind),
		Referral: m.shownReferral(), Status: m.status.String(), Deleted: m.deleted,
		Flow: out.Flow,
	}
	for _, r := range out.Reactions {
		from := m.business
		if r.Mine {
			from = c.handle
		}
		j.Reactions = append(j.Reactions, reactedJSON{from, r.Emoji})
	}
	if out.Context != "" || m.forwarded > 0 || m.product != nil {
		j.Context = &contextJSON{ID: out.Context, Forward: m.forwarded == 1, Frequent: m.forwarded > 1, Product: m.product}
	}
	if out.Context != "" {
		j.Context.From = m.business
		if len(m.replyTo) == customerWire {
			j.Context.From = c.handle
		}
	}
	for _, failure := range append([]string{m.failure, m.mediaFailure}, m.cardFailures()...) {
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
		text := &textJSON{Body: content.Body}
		if p := content.Preview; p != nil {
			text.Preview = &previewJSON{p.URL, p.Title, p.Description, len(p.Image) > 0}
		}
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
	case *kabar.Contacts:
		j.Contacts = content.Cards
	case *kabar.Order:
		j.Order = order(content)
	case *kabar.Unsupported:
		if content.Ephemeral {
			j.Type = "ephemeral"
		}
	case *kabar.Button:
		j.Button = content
	case *kabar.Reply:
		j.Type = string(kabar.KindInteractive)
		j.Interactive = &interactiveJSON{Type: string(content.Type)}
		choice := &titledJSON{content.ID, content.Title, content.Description}
		switch {
		case content.Form != nil:
			j.Interactive.FormReply = &formJSON{content.Form.Name, content.Form.Body, content.Form.Response}
		case content.Call != nil:
			j.Interactive.CallReply = &callJSON{content.Call.Response, content.Call.Expires, content.Call.Source}
		case content.Type == kabar.ListReply:
			j.Interactive.ListReply = choice
		default:
			j.Interactive.ButtonReply = choice
		}
	case *kabar.Interactive:
		j.Interactive = m.interactive(content)
	case *kabar.Template:
		j.Template = m.template(content)
	}
}

// cardFailures says which cards lack their media, and why.
func (m *message) cardFailures() (all []string) {
	for n, media := range kabar.CardMedia(m.content) {
		if why := m.cards[media.ID].NoMedia; why != "" {
			all = append(all, fmt.Sprintf("card %d: %s", n+1, why))
		}
	}
	return all
}

// shownMedium shows a medium of the message: its own or one on its cards.
func (m *message) shownMedium(media *kabar.Media) *mediaJSON {
	id := m.mediaID
	if media != kabar.MediumOf(m.content) {
		id = m.cards[media.ID].Media
	}
	return &mediaJSON{ID: id, MIME: media.MIME, SHA256: media.SHA256, Caption: media.Caption, Filename: media.Filename, GIF: media.GIF}
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
	case kabar.KindSticker:
		j.Sticker = &stickerJSON{*shown, media.Pack}
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
	out.Action = m.action(i)
	return out
}

func (m *message) header(h *kabar.Header) *headerJSON {
	if h == nil {
		return nil
	}
	out := &headerJSON{Type: string(h.Type), Text: h.Text, Location: h.Location, Product: h.Product}
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
		out.Header, out.Body, out.Footer, out.Buttons, out.Offer = m.header(r.Header), r.Body, r.Footer, r.Buttons, r.Offer
		out.Products, out.Permission = products(r.Products), r.Permission
		for _, c := range r.Cards {
			card := templateCardJSON{Header: m.header(c.Header), Body: c.Body, Buttons: c.Buttons, Products: products(c.Products)}
			out.Cards = append(out.Cards, card)
		}
	}
	return out
}
