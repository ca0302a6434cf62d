// Package feed reads the event logs of several numbers as one: in pages, one event by its id, and as it grows. An application that polls
// the management API, or follows its stream, reads through it.
//
// Each number's events come in the order of its log. Between numbers the older comes first, as far as is known: an event that is committed
// after another number's may be read after it though it happened before. A Cursor says how far somebody has read each log, so nothing is
// told twice or left out, however long somebody was away; what retention has removed meanwhile is not told. An event that cannot be told, by a
// fault of ours or of the disk, is an Entry that says so, and no more than that: it does not hold up what comes behind it.
//
// What an event looks like says a Renderer of its dialect; whose it may be says a trace.Of. The package keeps nothing but who waits (Hub),
// and reads a log in small pieces: memory depends on the number of logs, not on what stands in them. All of it but a Reader is safe for
// concurrent use.
package feed

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/trace"
)

// MaxNumbers is how many logs are read as one: a cursor names them all, and travels in a header.
const MaxNumbers = 250

// Store is where the logs are; *store.DB is one.
type Store interface {
	Numbers(context.Context) ([]*kabar.Number, error)
	ReadEvents(ctx context.Context, n kabar.NumberID, s store.Span, limit int) ([]store.EventRead, error)
	ReadEvent(ctx context.Context, n kabar.NumberID, seq int64) (store.EventRead, error)
	LastSeq(ctx context.Context, n kabar.NumberID) (int64, error)
	SeqBefore(ctx context.Context, n kabar.NumberID, at time.Time) (int64, error)
	EventID(n kabar.NumberID, seq int64, at time.Time) string
	ParseEventID(id string) (n kabar.NumberID, seq int64, ok bool)
}

// Renderer makes the body that tells of ev, as webhook.Renderer does. wanted is false when the dialect has no words for it, or the settings
// do not ask for it.
type Renderer = func(ev *kabar.Event, n *kabar.Number, s kabar.Settings) (body []byte, wanted bool, err error)

// Options are what a Feed works with.
type Options struct {
	Store    Store
	Render   map[kabar.Dialect]Renderer
	Sign     map[kabar.Dialect]func(body []byte) http.Header // headers that prove a body; none where a dialect has none
	Settings func(kabar.NumberID) (kabar.Settings, error)
	// Message returns the number of a message with a public id, and which events of its log tell of it, oldest first.
	Message func(ctx context.Context, of trace.Of, id string) (n kabar.NumberID, seqs []int64, err error)
	Log     *slog.Logger
}

// Feed reads event logs.
type Feed struct {
	o   Options
	hub *Hub
}

// New returns a Feed.
func New(o Options) *Feed { return &Feed{o, newHub()} }

// Wake says that the number's log has grown. It does not block.
func (f *Feed) Wake(n kabar.NumberID) { f.hub.wake(n) }

// Query says which events are read, and in which words.
type Query struct {
	Number  string // digits; empty: all that there are
	Filter  kabar.EventFilter
	Message string // public id of a message: only events that tell of it
	Dialect kabar.Dialect
	After   string    // a Cursor; empty: from the beginning, or as Since says
	Since   time.Time // without After: only what happened since, about
	Limit   int       // 1 to MaxPage; 0: DefaultPage
}

// numbers returns those whose logs are read as one, by their digits.
func (f *Feed) numbers(ctx context.Context, of trace.Of, digits string) ([]*kabar.Number, error) {
	all, err := f.visible(ctx, of)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(n *kabar.Number) bool { return digits != "" && n.Digits != digits })
	switch {
	case len(all) == 0 && digits != "":
		return nil, kabar.Refuse(kabar.ReasonNotFound, "number", "there is no such number")
	case len(all) > MaxNumbers:
		return nil, kabar.Refuse(kabar.ReasonMissing, "number", "is required: there are %d numbers, and %d logs at most are read as one", len(all), MaxNumbers)
	}
	return all, nil
}

// visible returns the numbers that somebody may see.
func (f *Feed) visible(ctx context.Context, of trace.Of) ([]*kabar.Number, error) {
	all, err := f.o.Store.Numbers(ctx)
	return slices.DeleteFunc(all, func(n *kabar.Number) bool { return !of.Has(n) }), store.Refusal(err)
}

// check refuses what no event can be read by.
func (f *Feed) check(q *Query) error {
	if f.o.Render[q.Dialect] == nil {
		return kabar.Refuse(kabar.ReasonInvalid, "dialect", "is %.40q, it must be %s, %s or %s", string(q.Dialect), kabar.Kabar, kabar.OnPrem, kabar.Cloud)
	}
	err := q.Filter.Check()
	if refused := asRefusal(err); refused != nil && refused.Field == "events" {
		return kabar.Refuse(refused.Reason, "type", "%s", refused.Detail)
	}
	return err
}

// One returns the event with a public id in the words of a dialect, or ReasonNotFound. One that cannot be told has an Error.
func (f *Feed) One(ctx context.Context, of trace.Of, id string, d kabar.Dialect) (*Entry, error) {
	if err := f.check(&Query{Dialect: d}); err != nil {
		return nil, err
	}
	none := kabar.Refuse(kabar.ReasonNotFound, "", "there is no event with this id; events are kept as long as their messages")
	key, seq, ok := f.o.Store.ParseEventID(id)
	if !ok {
		return nil, none
	}
	all, err := f.visible(ctx, of)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(n *kabar.Number) bool { return n.ID == key })
	if i < 0 {
		return nil, none
	}
	it, err := f.o.Store.ReadEvent(ctx, key, seq)
	if store.IsNotFound(err) {
		return nil, none
	}
	if err != nil {
		return nil, store.Refusal(err)
	}
	if it.Gone() || f.o.Store.EventID(key, seq, it.At) != id {
		return nil, none
	}
	e, err := f.entry(it, all[i], d)
	if err == nil && e == nil {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "", "the dialect %s has no words for this event, or the number's settings do not ask for it", d)
	}
	return e, store.Refusal(err)
}
