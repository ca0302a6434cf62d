package kabar

import (
	"encoding/json"
	"fmt"
	"strings"
)

// KindInteractive is a message with buttons or a list to choose from.
const KindInteractive Kind = "interactive"

// InteractiveType says what the customer can do with an interactive message.
type InteractiveType string

// The types of interactive messages.
const (
	InteractiveButton InteractiveType = "button" // up to three reply buttons
	InteractiveList   InteractiveType = "list"   // a button that opens a list of rows
)

// Limits of interactive messages. Lengths are in characters.
const (
	MaxInteractiveBody   = 1024
	MaxInteractiveFooter = 60
	MaxInteractiveHeader = 60

	MaxReplyButtons = 3
	MaxButtonID     = 256
	MaxButtonTitle  = 20

	MaxListButton     = 20
	MaxSections       = 10
	MaxSectionTitle   = 24
	MaxRows           = 10 // over all sections
	MaxRowID          = 200
	MaxRowTitle       = 24
	MaxRowDescription = 72
)

// Interactive is a message with buttons or a list to choose from. The customer's choice comes back as a Reply.
type Interactive struct {
	Type   InteractiveType `json:"type"`
	Header *Header         `json:"header,omitempty"`
	Body   string          `json:"body"`
	Footer string          `json:"footer,omitempty"`
	Action Action          `json:"action"`
}

// Header stands above the body: a line of text (KindText) or an image, a video or a document.
type Header struct {
	Type  Kind   `json:"type"`
	Text  string `json:"text,omitempty"`
	Media *Media `json:"media,omitempty"`
}

// UnmarshalJSON also gives the medium its kind, which the header's type says.
func (h *Header) UnmarshalJSON(b []byte) error {
	type plain Header
	if err := json.Unmarshal(b, (*plain)(h)); err != nil {
		return err
	}
	if h.Media != nil {
		h.Media.kind = h.Type
	}
	return nil
}

// Action is what there is to choose: Buttons in a button message, Button and Sections in a list.
type Action struct {
	Buttons  []ReplyButton `json:"buttons,omitempty"`
	Button   string        `json:"button,omitempty"` // the text of the button that opens the list
	Sections []Section     `json:"sections,omitempty"`
}

// ReplyButton is a button of a button message.
type ReplyButton struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Section is a part of a list.
type Section struct {
	Title string `json:"title,omitempty"` // optional in a list of one section
	Rows  []Row  `json:"rows"`
}

// Row is an entry of a list.
type Row struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// Kind returns KindInteractive.
func (i *Interactive) Kind() Kind { return KindInteractive }

// Validate checks the message by its type. A count outside its limits is ReasonInvalid; a list that is nil was not given
// and is ReasonMissing, so decoders keep nil and empty apart.
func (i *Interactive) Validate() error {
	return first(
		i.checkType(),
		i.checkHeader(),
		checkText("interactive.body.text", i.Body, MaxInteractiveBody),
		checkMax("interactive.footer.text", i.Footer, MaxInteractiveFooter),
		i.checkAction(),
	)
}

func (i *Interactive) checkType() error {
	switch i.Type {
	case InteractiveButton, InteractiveList:
		return nil
	case "":
		return fault(ReasonMissing, "interactive.type", "is required: %q or %q", InteractiveButton, InteractiveList)
	}
	return fault(ReasonInvalid, "interactive.type", "is %q, allowed are %q and %q", i.Type, InteractiveButton, InteractiveList)
}

func (i *Interactive) checkHeader() error {
	const field = "interactive.header"
	h := i.Header
	switch {
	case h == nil:
		return nil
	case h.Type == "":
		return fault(ReasonMissing, field+".type", "is required")
	case h.Type == KindText:
		return first(
			checkAbsent(field, h.Media == nil, "a text header has no medium"),
			checkText(field+".text", h.Text, MaxInteractiveHeader),
		)
	case i.Type == InteractiveList:
		return fault(ReasonInvalid, field+".type", "is %q, a list allows only %q", h.Type, KindText)
	}
	return h.checkMedia(field)
}

func (h *Header) checkMedia(field string) error {
	medium := field + "." + string(h.Type)
	switch {
	case h.Type != KindImage && h.Type != KindVideo && h.Type != KindDocument:
		return fault(ReasonInvalid, field+".type", "is %q, allowed are text, image, video and document", h.Type)
	case h.Text != "":
		return fault(ReasonNotRequired, field+".text", "a header of type %q has no text", h.Type)
	case h.Media == nil:
		return fault(ReasonMissing, medium, "is required in a header of type %q", h.Type)
	case h.Media.kind != h.Type:
		return fault(ReasonInvalid, medium, "is of kind %q, the header's type is %q", h.Media.kind, h.Type)
	}
	return h.Media.validate(medium)
}

func (i *Interactive) checkAction() error {
	const field = "interactive.action"
	a := &i.Action
	if i.Type == InteractiveButton {
		return first(
			checkAbsent(field+".button", a.Button == "", "belongs to a list"),
			checkAbsent(field+".sections", len(a.Sections) == 0, "belong to a list"),
			checkCount(field+".buttons", a.Buttons, MaxReplyButtons),
			checkButtons(field+".buttons", a.Buttons),
		)
	}
	return first(
		checkAbsent(field+".buttons", len(a.Buttons) == 0, "belong to a button message"),
		checkText(field+".button", a.Button, MaxListButton),
		checkCount(field+".sections", a.Sections, MaxSections),
		checkSections(field+".sections", a.Sections),
	)
}

func checkButtons(field string, buttons []ReplyButton) error {
	ids, titles := make(seen), make(seen)
	for n, b := range buttons {
		reply := fmt.Sprintf("%s[%d].reply", field, n)
		err := first(
			checkText(reply+".id", b.ID, MaxButtonID),
			checkTrimmed(reply+".id", b.ID),
			ids.check(reply+".id", b.ID),
			checkText(reply+".title", b.Title, MaxButtonTitle),
			titles.check(reply+".title", b.Title),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// checkSections counts the rows of all sections before it looks at any: their number is what the sender has to change.
func checkSections(field string, sections []Section) error {
	total := 0
	for _, s := range sections {
		total += len(s.Rows)
	}
	if total > MaxRows {
		return fault(ReasonInvalid, field, "have %d rows in all, the limit is %d", total, MaxRows)
	}
	ids := make(seen)
	for n, s := range sections {
		path := fmt.Sprintf("%s[%d]", field, n)
		if s.Title == "" && len(sections) > 1 {
			return fault(ReasonMissing, path+".title", "is required, for the list has %d sections", len(sections))
		}
		err := first(
			checkMax(path+".title", s.Title, MaxSectionTitle),
			checkCount(path+".rows", s.Rows, MaxRows),
			checkRows(path+".rows", s.Rows, ids),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

func checkRows(field string, rows []Row, ids seen) error {
	for n, r := range rows {
		path := fmt.Sprintf("%s[%d]", field, n)
		err := first(
			checkText(path+".id", r.ID, MaxRowID),
			ids.check(path+".id", r.ID),
			checkText(path+".title", r.Title, MaxRowTitle),
			checkMax(path+".description", r.Description, MaxRowDescription),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// seen remembers values that must be unique, and where each was first.
type seen map[string]string

func (s seen) check(field, value string) error {
	if at, ok := s[value]; ok {
		return fault(ReasonInvalid, field, "is the same as %s; each must be unique", at)
	}
	s[value] = field
	return nil
}

func checkTrimmed(field, s string) error {
	if strings.TrimSpace(s) != s {
		return fault(ReasonInvalid, field, "starts or ends with a space")
	}
	return nil
}
