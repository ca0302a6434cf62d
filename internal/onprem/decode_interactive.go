package onprem

import (
	"fmt"

	"kabar"
)

type interactiveObject struct {
	Type   string        `json:"type"`
	Header *headerObject `json:"header"`
	Body   *captionText  `json:"body"`
	Footer *captionText  `json:"footer"`
	Action *struct {
		Buttons  []buttonObject  `json:"buttons"`
		Button   string          `json:"button"`
		Sections []sectionObject `json:"sections"`
	} `json:"action"`
}

type captionText struct {
	Text string `json:"text"`
}

type headerObject struct {
	Type     string       `json:"type"`
	Text     string       `json:"text"`
	Image    *mediaObject `json:"image"`
	Video    *mediaObject `json:"video"`
	Document *mediaObject `json:"document"`
}

type buttonObject struct {
	Type  string `json:"type"`
	Reply *struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	} `json:"reply"`
}

type sectionObject struct {
	Title string `json:"title"`
	Rows  []struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description"`
	} `json:"rows"`
}

func (d decoder) interactive(o *interactiveObject) (kabar.Content, error) {
	i := &kabar.Interactive{Type: kabar.InteractiveType(o.Type)}
	if o.Body != nil {
		i.Body = o.Body.Text
	}
	if o.Footer != nil {
		i.Footer = o.Footer.Text
	}
	if o.Action == nil {
		return nil, kabar.Refuse(kabar.ReasonMissing, "interactive.action", "is required")
	}
	var err error
	if i.Action.Buttons, err = replyButtons(o.Action.Buttons); err != nil {
		return nil, err
	}
	i.Action.Button, i.Action.Sections = o.Action.Button, sections(o.Action.Sections)
	if o.Header != nil {
		i.Header, err = d.header("interactive.header", o.Header)
	}
	return i, err
}

// header reads the header. The medium of another type than the header's is not looked at.
func (d decoder) header(field string, o *headerObject) (*kabar.Header, error) {
	h := &kabar.Header{Type: kabar.Kind(o.Type), Text: o.Text}
	object := map[kabar.Kind]*mediaObject{kabar.KindImage: o.Image, kabar.KindVideo: o.Video, kabar.KindDocument: o.Document}[h.Type]
	if object == nil {
		return h, nil
	}
	var err error
	h.Media, err = d.media(h.Type, field+"."+o.Type, object)
	return h, err
}

// replyButtons keeps a list that was not given (nil) apart from an empty one; so does sections.
func replyButtons(list []buttonObject) ([]kabar.ReplyButton, error) {
	if list == nil {
		return nil, nil
	}
	buttons := make([]kabar.ReplyButton, len(list))
	for n, b := range list {
		field := fmt.Sprintf("interactive.action.buttons[%d]", n)
		switch {
		case b.Type == "":
			return nil, kabar.Refuse(kabar.ReasonMissing, field+".type", "is required: reply")
		case b.Type != "reply":
			return nil, kabar.Refuse(kabar.ReasonInvalid, field+".type", "is %q, allowed is only reply", b.Type)
		case b.Reply == nil:
			return nil, kabar.Refuse(kabar.ReasonMissing, field+".reply", "is required")
		}
		buttons[n] = kabar.ReplyButton{ID: b.Reply.ID, Title: b.Reply.Title}
	}
	return buttons, nil
}

func sections(list []sectionObject) []kabar.Section {
	if list == nil {
		return nil
	}
	out := make([]kabar.Section, len(list))
	for n, s := range list {
		out[n].Title = s.Title
		if s.Rows != nil {
			out[n].Rows = make([]kabar.Row, len(s.Rows))
		}
		for i, r := range s.Rows {
			out[n].Rows[i] = kabar.Row{ID: r.ID, Title: r.Title, Description: r.Description}
		}
	}
	return out
}
