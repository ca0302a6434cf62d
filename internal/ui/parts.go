package ui

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"

	"kabar"
)

// Parts is what a bubble is made of. Every kind of content fills some of them, and the template draws them in this
// order: a new kind is one case of [Bubble.Parts].
type Parts struct {
	Title   []Span
	Medium  *Medium
	Place   *Place
	Goods   []Good
	People  []Person
	Preview *Preview
	Text    []Span
	Large   bool   // the text is a picture or three: draw it large
	Small   string // a second line, less important
	Footer  string
	Note    string // in place of what cannot be shown
	Cards   []CardParts
	Choices []Choice
	List    *List
	Form    *Form
}

// Medium is an image, an audio or voice message, a video, a document or a sticker.
type Medium struct {
	Kind  kabar.Kind
	URL   string // empty while it is not there
	Name  string // of a document
	Alt   string
	Type  string // such as "PDF"
	Size  int64  // bytes; 0: not known
	Voice bool
	GIF   bool // a video that plays over and over
}

// Place is a point on the map. The map itself is not drawn: it would have to be fetched from somebody.
type Place struct {
	Name, Address, URL string
	Coordinates        string // "41.40338, 2.17403"
}

// Preview is what a text's link leads to.
type Preview struct {
	Href, Host         string
	Title, Description string
	Image              string // address of its picture; empty: there is none
}

// Choice is a button below a bubble.
type Choice struct {
	Icon  string
	Title string
	Href  string // where it leads, for a link
	Tap   Tap
	Told  string // what is said once it was tapped
}

// Tap is the request that tells what was tapped. An empty Call means that there is nothing to tell, or nobody to tell it.
type Tap struct {
	Call string // method and address, "POST /api/…/tap"
	Body string // JSON
}

// List is a button that opens rows to choose from.
type List struct {
	ID       string // of the dialog with the rows
	Button   string
	Sections []ListSection
}

// ListSection is a part of a list.
type ListSection struct {
	Title string
	Rows  []ListRow
}

// ListRow is an entry of a list.
type ListRow struct {
	Title, Description string
	Tap                Tap
}

// Parts takes the content apart.
func (b Bubble) Parts() Parts {
	if b.Deleted {
		return Parts{Note: DeletedLine(b.Mine).Text}
	}
	switch c := b.Content.(type) {
	case *kabar.Text:
		return Parts{Preview: b.preview(c.Preview), Text: Spans(c.Body), Large: isEmojiOnly(c.Body)}
	case *kabar.Media:
		return Parts{Medium: b.medium(c), Text: Spans(c.Caption)}
	case *kabar.Location:
		return Parts{Place: place(c)}
	case *kabar.Contacts:
		return Parts{People: people(c.Cards)}
	case *kabar.Order:
		return orderParts(c)
	case *kabar.Reaction:
		return Parts{Text: []Span{{Text: c.Emoji}}, Large: true}
	case *kabar.Interactive:
		return b.interactive(c)
	case *kabar.Template:
		return b.template(c)
	case *kabar.Unsupported:
		if c.Ephemeral {
			return Parts{Note: "A message that disappears"}
		}
	case *kabar.Reply:
		switch {
		case c.Form != nil:
			return formParts(c.Form)
		case c.Call != nil:
			return Parts{Text: Spans(callAnswer(c.Call))}
		}
		return Parts{Text: []Span{{Text: c.Title}}, Small: c.Description}
	case *kabar.Button:
		return Parts{Text: []Span{{Text: c.Text}}}
	}
	return Parts{Note: "A message of a kind that cannot be shown here"}
}

// medium is the content's own medium.
func (b Bubble) medium(m *kabar.Media) *Medium { return b.mediumAt(m, b.Media) }

func (b Bubble) mediumAt(m *kabar.Media, address string) *Medium {
	name := cmp.Or(m.Filename, "Document")
	_, sub, _ := strings.Cut(m.MIME, "/")
	return &Medium{
		Kind: m.Kind(), URL: address, Name: name, Type: cmp.Or(fileType(strings.TrimPrefix(path.Ext(name), ".")), fileType(sub), "FILE"),
		Size: m.Size, Voice: m.Voice, GIF: m.GIF, Alt: cmp.Or(m.Caption, "Photo from "+b.Who),
	}
}

// preview shows the address from the link itself: the rest is what its page says of itself.
func (b Bubble) preview(p *kabar.Preview) *Preview {
	if p == nil || WebLink(p.URL) == "" {
		return nil
	}
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil
	}
	shown := &Preview{Href: WebLink(p.URL), Host: u.Hostname(), Title: p.Title, Description: p.Description}
	if len(p.Image) > 0 && b.Action != "" {
		shown.Image = b.Action + "/preview"
	}
	return shown
}

// fileType returns an extension as it is written on a file's icon; nothing when it does not fit there.
func fileType(ext string) string {
	if len(ext) > 5 || strings.ContainsFunc(ext, func(r rune) bool { return r > 'z' || !isWord(r) }) {
		return ""
	}
	return strings.ToUpper(ext)
}

func place(l *kabar.Location) *Place {
	return &Place{
		Name: l.Name, Address: l.Address, URL: WebLink(l.URL),
		Coordinates: fmt.Sprintf("%.5f, %.5f", l.Latitude, l.Longitude),
	}
}

func (b Bubble) header(h *kabar.Header, p *Parts) {
	switch {
	case h == nil:
	case h.Media != nil:
		p.Medium = b.medium(h.Media)
	case h.Location != nil:
		p.Place = place(h.Location)
	default:
		p.Title = Spans(h.Text)
	}
}

func (b Bubble) interactive(i *kabar.Interactive) Parts {
	p := Parts{Text: Spans(i.Body), Footer: i.Footer, Goods: goods(i.Action.Products), Form: b.toFill(i)}
	b.header(i.Header, &p)
	if l := i.Action.Link; l != nil {
		p.Choices = append(p.Choices, Choice{Icon: "link", Title: l.Text, Href: WebLink(l.URL), Tap: b.tap("url", l.URL)})
	}
	for _, button := range i.Action.Buttons {
		p.Choices = append(p.Choices, Choice{Icon: "reply", Title: button.Title, Tap: b.tap("button", button.ID)})
	}
	b.special(i, &p)
	if i.Type != kabar.InteractiveList || len(i.Action.Sections) == 0 {
		return p
	}
	p.List = &List{ID: "list-" + b.ID, Button: cmp.Or(i.Action.Button, "Choose")}
	for _, s := range i.Action.Sections {
		section := ListSection{Title: s.Title}
		for _, r := range s.Rows {
			section.Rows = append(section.Rows, ListRow{r.Title, r.Description, b.tap("row", r.ID)})
		}
		p.List.Sections = append(p.List.Sections, section)
	}
	return p
}

func (b Bubble) template(t *kabar.Template) Parts {
	r := t.Rendered
	if r == nil {
		return Parts{Note: "Template " + t.Name}
	}
	p := Parts{Text: Spans(r.Body), Footer: r.Footer, Small: offerText(r.Offer), Goods: goods(r.Products), Form: b.toOrder(t)}
	b.header(r.Header, &p)
	for _, button := range r.Buttons {
		if button.Flow != nil && button.Flow.Form != "" && p.Form == nil {
			p.Form = b.flow(button.Flow.Flow(button.Text))
			continue
		}
		if p.Form != nil && sells(button) {
			continue
		}
		if button.Payment != nil {
			p.Goods = append(p.Goods, bill(button.Payment)...)
		}
		p.Choices = append(p.Choices, b.templateChoice(button, 0))
	}
	if r.Permission {
		p.Choices = append(p.Choices, b.permission()...)
	}
	for n := range r.Cards {
		p.Cards = append(p.Cards, b.templateCard(&r.Cards[n], n+1))
	}
	return p
}

// templateChoice is a button of a template, on one of its cards or, when card is 0, below the message itself. A link is named by its
// text, for others may lead to the same place.
func (b Bubble) templateChoice(button kabar.RenderedButton, card int) Choice {
	switch button.Type {
	case kabar.ButtonURL:
		return Choice{Icon: "link", Title: button.Text, Href: WebLink(button.URL), Tap: b.tapOn(card, "url", button.Text)}
	case kabar.ButtonPhone:
		return Choice{Icon: "call", Title: button.Text + " · " + button.Phone}
	case kabar.ButtonCopyCode, kabar.ButtonOTP:
		return Choice{Icon: "copy", Title: cmp.Or(button.Text, "Copy code") + " · " + button.Code}
	case kabar.ButtonCatalog, kabar.ButtonProducts, kabar.ButtonProduct, kabar.ButtonFlow, kabar.ButtonOrder: // nothing opens here, as of a flow that did not come along
		return Choice{Icon: "list", Title: button.Text}
	case kabar.ButtonCall: // a label: there are no calls
		return Choice{Icon: "call", Title: button.Text}
	case kabar.ButtonContact:
		return Choice{Icon: "person", Title: button.Text, Tap: b.tapOn(card, "button", button.Text)}
	case kabar.ButtonApp:
		return Choice{Icon: "phone", Title: button.Text, Tap: b.tapOn(card, "button", button.Text), Told: "This opens an app of the business, which is not on this phone."}
	case kabar.ButtonQuickReply:
	}
	return Choice{Icon: "reply", Title: button.Text, Tap: b.tapOn(card, "button", cmp.Or(button.Payload, button.Text))}
}

// tap makes the request that tells what was tapped.
func (b Bubble) tap(what, id string) Tap { return b.tapOn(0, what, id) }

// tapOn is tap for what stands on a card of a carousel, from 1, or on none.
func (b Bubble) tapOn(card int, what, id string) Tap {
	told := map[string]any{what: id}
	if card > 0 {
		told["card"] = card
	}
	body, err := json.Marshal(told)
	if b.Action == "" || err != nil {
		return Tap{}
	}
	return Tap{"POST " + b.Action + "/tap", string(body)}
}
