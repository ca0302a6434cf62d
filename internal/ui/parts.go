package ui

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	Text    []Span
	Large   bool   // the text is a picture or three: draw it large
	Small   string // a second line, less important
	Footer  string
	Note    string // in place of what cannot be shown
	Choices []Choice
	List    *List
}

// Medium is an image, an audio or voice message, a video or a document.
type Medium struct {
	Kind  kabar.Kind
	URL   string // empty while it is not there
	Name  string // of a document
	Alt   string
	Type  string // such as "PDF"
	Size  int64  // bytes; 0: not known
	Voice bool
}

// Place is a point on the map. The map itself is not drawn: it would have to be fetched from somebody.
type Place struct {
	Name, Address, URL string
	Coordinates        string // "41.40338, 2.17403"
}

// Choice is a button below a bubble.
type Choice struct {
	Icon  string
	Title string
	Href  string // where it leads, for a link
	Tap   Tap
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
		return Parts{Text: Spans(c.Body), Large: isEmojiOnly(c.Body)}
	case *kabar.Media:
		return Parts{Medium: b.medium(c), Text: Spans(c.Caption)}
	case *kabar.Location:
		return Parts{Place: place(c)}
	case *kabar.Reaction:
		return Parts{Text: []Span{{Text: c.Emoji}}, Large: true}
	case *kabar.Interactive:
		return b.interactive(c)
	case *kabar.Template:
		return b.template(c)
	case *kabar.Reply:
		return Parts{Text: []Span{{Text: c.Title}}, Small: c.Description}
	case *kabar.Button:
		return Parts{Text: []Span{{Text: c.Text}}}
	}
	return Parts{Note: "A message of a kind that cannot be shown here"}
}

func (b Bubble) medium(m *kabar.Media) *Medium {
	name := cmp.Or(m.Filename, "Document")
	_, sub, _ := strings.Cut(m.MIME, "/")
	return &Medium{
		Kind: m.Kind(), URL: b.Media, Name: name, Type: cmp.Or(fileType(strings.TrimPrefix(path.Ext(name), ".")), fileType(sub), "FILE"),
		Size: m.Size, Voice: m.Voice, Alt: cmp.Or(m.Caption, "Photo from "+b.Who),
	}
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
	default:
		p.Title = Spans(h.Text)
	}
}

func (b Bubble) interactive(i *kabar.Interactive) Parts {
	p := Parts{Text: Spans(i.Body), Footer: i.Footer}
	b.header(i.Header, &p)
	for _, button := range i.Action.Buttons {
		p.Choices = append(p.Choices, Choice{Icon: "reply", Title: button.Title, Tap: b.tap("button", button.ID)})
	}
	if len(i.Action.Sections) == 0 {
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
	p := Parts{Text: Spans(r.Body), Footer: r.Footer}
	b.header(r.Header, &p)
	for _, button := range r.Buttons {
		p.Choices = append(p.Choices, b.templateChoice(button))
	}
	return p
}

func (b Bubble) templateChoice(button kabar.RenderedButton) Choice {
	switch button.Type {
	case kabar.ButtonURL:
		return Choice{Icon: "link", Title: button.Text, Href: WebLink(button.URL), Tap: b.tap("url", button.URL)}
	case kabar.ButtonPhone:
		return Choice{Icon: "call", Title: button.Text + " · " + button.Phone}
	case kabar.ButtonQuickReply:
	}
	return Choice{Icon: "reply", Title: button.Text, Tap: b.tap("button", cmp.Or(button.Payload, button.Text))}
}

// tap makes the request that tells what was tapped.
func (b Bubble) tap(what, id string) Tap {
	body, err := json.Marshal(map[string]string{what: id})
	if b.Action == "" || err != nil {
		return Tap{}
	}
	return Tap{"POST " + b.Action + "/tap", string(body)}
}
