package phoneui

import (
	"context"
	"net/url"

	"kabar"
	"kabar/internal/phone"
	"kabar/internal/ui"
)

// drawer makes bubbles of the messages of one handset.
type drawer struct {
	src   Source
	h     *handset
	known []phone.Message // where quoted messages are looked up first
}

// item draws m. Into is the list that a new item is appended to.
func (d *drawer) item(ctx context.Context, m *phone.Message, into string) item {
	if m.Kind == phone.KindRemark {
		return item{Remark: &remark{ID: m.ID, Text: lineOf(m).Text, Into: into}}
	}
	return item{Bubble: d.bubble(ctx, m, into)}
}

func (d *drawer) bubble(ctx context.Context, m *phone.Message, into string) *ui.Bubble {
	b := &ui.Bubble{
		ID: m.ID, Into: into, Mine: m.Mine, Who: d.who(m.Mine), At: m.At.Local(),
		Unread: isUnread(m), Deleted: m.Deleted, Forwarded: m.Forwarded, Frequent: m.Frequent, Content: m.Content,
		Action: d.h.API + "/messages/" + url.PathEscape(m.ID),
		Quote:  d.quote(ctx, m.Context),
	}
	if p := m.Flow; p != nil {
		b.Page = &ui.Page{Screen: p.Screen, Data: p.Data, Answers: p.All, Back: p.Back, Waiting: p.Waiting, Told: p.Fault, Over: p.Over}
	}
	if m.Mine {
		b.Ticks = ui.TicksOf(m.Status)
	}
	b.Media = d.address(m.Media, m.NoMedia)
	for key, card := range m.Cards {
		if b.Cards == nil {
			b.Cards = make(map[kabar.MediaID]string, len(m.Cards))
		}
		b.Cards[key] = d.address(card.Media, card.NoMedia)
	}
	if p := m.Product; p != nil {
		b.About = p.RetailerID + " of " + p.Catalog
	}
	if r := m.Referral; r != nil {
		b.Ad = &ui.Ad{Headline: r.Headline, Body: r.Body, URL: ui.WebLink(r.SourceURL), Video: r.Kind == kabar.KindVideo}
		if r.Kind != "" {
			b.Ad.Picture = b.Media
		}
	}
	for _, r := range m.Reactions {
		b.Reactions = append(b.Reactions, ui.Reaction{Mine: r.Mine, Emoji: r.Emoji})
	}
	return b
}

// address is where a medium is read; empty: there is none, or it could not be fetched. One on its way is waited for there.
func (d *drawer) address(id, failure string) string {
	if id == "" || failure != "" {
		return ""
	}
	return d.h.API + "/media/" + url.PathEscape(id)
}

func (d *drawer) who(mine bool) string {
	if mine {
		return "You"
	}
	return d.h.Business.DisplayName()
}

// quote describes the message with an id; nil for none. The page may not go back as far as it.
func (d *drawer) quote(ctx context.Context, id string) *ui.Quote {
	if id == "" {
		return nil
	}
	quoted := func(m *phone.Message) *ui.Quote {
		return &ui.Quote{ID: id, Mine: m.Mine, Who: d.who(m.Mine), Line: lineOf(m)}
	}
	for i := range d.known {
		if d.known[i].ID == id {
			return quoted(&d.known[i])
		}
	}
	m, err := d.src.Find(ctx, d.h.WaID, id)
	if err != nil {
		return &ui.Quote{Who: "Message", Line: ui.Line{Text: "It is not on this handset"}}
	}
	return quoted(&m)
}

func lineOf(m *phone.Message) ui.Line {
	if m.Deleted {
		return ui.DeletedLine(m.Mine)
	}
	return ui.LineOf(m.Content)
}

// isDrawn reports whether m has a place in the thread. A reaction is drawn on its target.
func isDrawn(m *phone.Message) bool { return m.Kind != kabar.KindReaction }

// isUnread reports whether m waits for the customer to read it.
func isUnread(m *phone.Message) bool {
	return !m.Mine && !m.Deleted && m.Status == kabar.Received && isDrawn(m) && m.Kind != phone.KindRemark
}
