package ui

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"kabar"
)

// Ticks say how far a message has come.
type Ticks string

// The ticks, as the stylesheet knows them.
const (
	TicksNone      Ticks = ""
	TicksClock     Ticks = "clock"     // not yet taken by the network
	TicksSent      Ticks = "sent"      // one, grey
	TicksDelivered Ticks = "delivered" // two, grey
	TicksRead      Ticks = "read"      // two, blue
	TicksFailed    Ticks = "failed"    // red
)

// TicksOf returns the ticks of a status; what was received has none.
func TicksOf(s kabar.Status) Ticks {
	switch s {
	case kabar.Accepted:
		return TicksClock
	case kabar.Sent:
		return TicksSent
	case kabar.Delivered:
		return TicksDelivered
	case kabar.Read, kabar.Played:
		return TicksRead
	case kabar.Failed:
		return TicksFailed
	case kabar.Received:
		return TicksNone
	}
	return TicksNone
}

// Label names the ticks for those who do not see them.
func (t Ticks) Label() string {
	switch t {
	case TicksClock:
		return "Waiting for the network"
	case TicksSent:
		return "Sent"
	case TicksDelivered:
		return "Delivered"
	case TicksRead:
		return "Read"
	case TicksFailed:
		return "Failed"
	case TicksNone:
	}
	return ""
}

// Reaction is an emoji on a bubble.
type Reaction struct {
	Mine  bool // put there by the one who looks
	Emoji string
}

// Quote is the message that a bubble answers.
type Quote struct {
	ID   string // of the quoted bubble, to jump to; empty when it is not known here
	Mine bool
	Who  string
	Line Line
}

// Bubble is one message as it is drawn, whoever looks: on a phone the customer's own messages are on the right, in the
// console the business's. The template "bubble" draws it as a list item with the id "m-" + ID.
type Bubble struct {
	ID        string    // public id
	Into      string    // id of the list that it is appended to when it is new; empty on a whole page
	Mine      bool      // on the right, with ticks
	Who       string    // who wrote it
	At        time.Time // drawn in its own location
	Ticks     Ticks
	Unread    bool
	Deleted   bool
	Forwarded bool
	Frequent  bool   // forwarded many times
	Ad        *Ad    // where the customer came from with it
	About     string // the product that it is about
	Quote     *Quote
	Reactions []Reaction
	Content   kabar.Content
	Media     string                   // address of the content's medium; empty: there is none
	Cards     map[kabar.MediaID]string // the same of the media on its cards, by their keys in the content
	Page      *Page                    // of a flow that exchanges data: where the customer is; nil: it was not opened
	Action    string                   // address of the message in an API that can tap, react and delete; empty: only to be looked at
}

// Side returns the class for the side of the bubble.
func (b Bubble) Side() string {
	if b.Mine {
		return "out"
	}
	return "in"
}

// Time returns the time of day.
func (b Bubble) Time() string { return b.At.Format("15:04") }

// Stamp returns the time in full, for machines and tool tips.
func (b Bubble) Stamp() string { return b.At.Format(time.RFC3339) }

// Chip is a reaction of one or two people.
type Chip struct {
	Emoji string
	Count int
	Mine  bool
}

// Chips returns the reactions with equal ones put together, in the order in which they came.
func (b Bubble) Chips() []Chip {
	var chips []Chip
next:
	for _, r := range b.Reactions {
		for i := range chips {
			if chips[i].Emoji == r.Emoji {
				chips[i].Count++
				chips[i].Mine = chips[i].Mine || r.Mine
				continue next
			}
		}
		chips = append(chips, Chip{r.Emoji, 1, r.Mine})
	}
	return chips
}

// Line is a message in one line, for lists and quotes: an icon's name, which may be empty, and a text.
type Line struct {
	Icon string
	Text string
}

const maxLine = 120 // runes

// LineOf describes a content in one line.
func LineOf(c kabar.Content) Line {
	l := lineOf(c)
	text := []rune(strings.Join(strings.Fields(l.Text), " "))
	if len(text) > maxLine {
		text = append(text[:maxLine-1], '…')
	}
	return Line{l.Icon, string(text)}
}

// DeletedLine stands for a message that was deleted.
func DeletedLine(mine bool) Line {
	if mine {
		return Line{"none", "You deleted this message"}
	}
	return Line{"none", "This message was deleted"}
}

func lineOf(c kabar.Content) Line {
	switch c := c.(type) {
	case *kabar.Text:
		return Line{"", c.Body}
	case *kabar.Media:
		return mediaLine(c)
	case *kabar.Location:
		return Line{"pin", cmp.Or(c.Name, c.Address, "Location")}
	case *kabar.Reaction:
		if c.Emoji == "" {
			return Line{"", "A reaction was taken back"}
		}
		return Line{"", "Reacted " + c.Emoji}
	case *kabar.Interactive:
		if len(c.Action.Products) > 0 {
			return Line{"list", cmp.Or(c.Body, c.Action.Products[0].Name, "Product")}
		}
		return Line{"", c.Body}
	case *kabar.Template:
		if c.Rendered != nil {
			return Line{"", cmp.Or(c.Rendered.Body, c.Name)}
		}
		return Line{"", c.Name}
	case *kabar.Contacts:
		return contactsLine(c)
	case *kabar.Order:
		return Line{"list", fmt.Sprintf("Order of %d products", len(c.Items))}
	case *kabar.Reply:
		if c.Form != nil {
			return Line{"list", cmp.Or(c.Form.Body, "Sent")}
		}
		if c.Call != nil {
			return Line{"call", callAnswer(c.Call)}
		}
		return Line{"", c.Title}
	case *kabar.Button:
		return Line{"", c.Text}
	}
	return Line{"none", "A message that cannot be shown"}
}

func contactsLine(c *kabar.Contacts) Line {
	switch len(c.Cards) {
	case 0:
		return Line{"person", "Contact"}
	case 1:
		return Line{"person", cmp.Or(c.Cards[0].Name.Formatted, "Contact")}
	}
	return Line{"person", fmt.Sprintf("%s and %d more", c.Cards[0].Name.Formatted, len(c.Cards)-1)}
}

func mediaLine(m *kabar.Media) Line {
	switch m.Kind() {
	case kabar.KindImage:
		return Line{"image", cmp.Or(m.Caption, "Photo")}
	case kabar.KindSticker:
		return Line{"smile", "Sticker"}
	case kabar.KindVideo:
		return Line{"video", cmp.Or(m.Caption, "Video")}
	case kabar.KindAudio:
		if m.Voice {
			return Line{"mic", "Voice message"}
		}
		return Line{"audio", "Audio"}
	default:
		return Line{"file", cmp.Or(m.Caption, m.Filename, "Document")}
	}
}
