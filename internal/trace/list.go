package trace

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// MaxList is how many messages one page has at most, and DefaultList how many it has unless somebody says.
const (
	MaxList     = 100
	DefaultList = 25
)

// Query says which messages are listed: those of a number, or of one of its customers.
type Query struct {
	Number string // digits; empty: the only one there is
	WaID   string // wa_id or BSUID; empty: all customers
	After  string // id of the last message of the page before; empty: the first page
	Limit  int    // 1 to MaxList; 0: DefaultList
}

// Page is a part of a list, newest first.
type Page struct {
	Data  []*Message `json:"data"`
	After string     `json:"after,omitempty"` // gives the next page; empty on the last
}

// List returns the messages of a query, newest first.
func (t *Tracer) List(ctx context.Context, of Of, q Query) (*Page, error) {
	if q.Limit == 0 {
		q.Limit = DefaultList
	}
	if q.Limit < 1 || q.Limit > MaxList {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %d, allowed are 1 to %d", q.Limit, MaxList)
	}
	n, err := t.number(ctx, of, q.Number)
	if err != nil {
		return nil, err
	}
	var last *kabar.Message
	if q.After != "" {
		m, _, _, err := t.find(ctx, Of{Number: n.ID}, q.After)
		if err != nil {
			return nil, kabar.Refuse(kabar.ReasonInvalid, "after", "is no id of a message of this number")
		}
		last = m
	}
	all, err := t.messages(ctx, n, q, last)
	if err != nil {
		return nil, err
	}
	page := &Page{Data: []*Message{}}
	lastHeard := map[kabar.ConversationID]heard{}
	more := len(all) > q.Limit
	for _, m := range all[:min(q.Limit, len(all))] {
		c, err := t.db.Conversation(ctx, n.ID, m.Conversation)
		if err != nil {
			return nil, err
		}
		told, err := t.whole(ctx, n, c, m, lastHeard)
		if err != nil {
			return nil, err
		}
		page.Data = append(page.Data, told)
	}
	if more {
		page.After = page.Data[len(page.Data)-1].ID
	}
	return page, nil
}

// number finds the number that is meant.
func (t *Tracer) number(ctx context.Context, of Of, digits string) (*kabar.Number, error) {
	all, err := t.db.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	var seen []*kabar.Number
	for _, n := range all {
		if of.Has(n) && (digits == "" || n.Digits == digits) {
			seen = append(seen, n)
		}
	}
	switch len(seen) {
	case 1:
		return seen[0], nil
	case 0:
		return nil, kabar.Refuse(kabar.ReasonNotFound, "number", "there is no such number")
	}
	return nil, kabar.Refuse(kabar.ReasonMissing, "number", "is required: there are several numbers")
}

// messages returns one message more than the page has, if there is one.
func (t *Tracer) messages(ctx context.Context, n *kabar.Number, q Query, last *kabar.Message) ([]*kabar.Message, error) {
	if q.WaID == "" {
		before := kabar.MessageID(0)
		if last != nil {
			before = last.ID
		}
		return t.db.Messages(ctx, n.ID, before, q.Limit+1)
	}
	c, err := t.db.FindConversation(ctx, n.ID, q.WaID)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch {
	case last == nil:
		return t.db.History(ctx, n.ID, c.ID, 0, q.Limit+1)
	case last.Conversation != c.ID:
		return nil, kabar.Refuse(kabar.ReasonInvalid, "after", "is no id of a message of this customer")
	case last.Prev == 0:
		return nil, nil
	}
	return t.db.History(ctx, n.ID, c.ID, last.Prev, q.Limit+1)
}
