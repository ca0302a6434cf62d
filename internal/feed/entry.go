package feed

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/web"
)

// Entry is an event in the words of a dialect, and what one has to know of it in any.
type Entry struct {
	ID       string          `json:"id"` // the webhook-id, too
	Type     kabar.EventType `json:"type"`
	Time     string          `json:"time"`
	Number   string          `json:"number"`
	Customer string          `json:"customer,omitzero"` // wa_id, or the user id of one who hides the number
	Summary  string          `json:"summary,omitzero"`  // a few words for people
	Headers  http.Header     `json:"headers,omitzero"`  // that prove the body, in dialects that have such
	Error    string          `json:"error,omitzero"`    // the event cannot be told, and why: then there is no body
	Body     []byte          `json:"-"`
}

// JSON returns the entry with its body, byte for byte as it is: it may be signed.
func (e *Entry) JSON() ([]byte, error) {
	head, err := web.Encode(e)
	if err != nil || e.Error != "" {
		return head, err
	}
	return bytes.Join([][]byte{head[:len(head)-1], []byte(`,"body":`), e.Body, []byte("}")}, nil), nil
}

// entry renders an event; nil when its dialect has no words for it, or it is not wanted. One that cannot be told says so, so that whoever
// reads goes on behind it.
func (f *Feed) entry(it store.EventRead, n *kabar.Number, d kabar.Dialect) (*Entry, error) {
	settings, err := f.o.Settings(n.ID)
	if err != nil {
		return nil, fmt.Errorf("settings of a number: %w", err)
	}
	e := &Entry{ID: f.o.Store.EventID(n.ID, it.Seq, it.At), Type: it.Type(), Time: it.At.UTC().Format("2006-01-02T15:04:05.000Z"), Number: n.Digits,
		Customer: it.Customer.Handle()}
	wanted, err := true, it.Broken
	if err == nil {
		e.Body, wanted, err = f.o.Render[d](it.Event, n, settings)
	}
	switch {
	case store.IsOutage(err):
		return nil, err
	case err != nil:
		e.Body, e.Error = nil, f.fault(it, e.ID, n, err)
		return e, nil
	case !wanted:
		return nil, nil
	}
	e.Summary = summary(it.Event)
	if sign := f.o.Sign[d]; sign != nil {
		e.Headers = sign(e.Body)
	}
	return e, nil
}

// fault says, for people, why an event cannot be told. What exactly is amiss stands in the log.
func (f *Feed) fault(it store.EventRead, id string, n *kabar.Number, err error) string {
	f.o.Log.Warn("an event cannot be told, and is passed", "number", n.Digits, "event", id, "type", it.Type(), "err", err)
	if it.Broken != nil {
		return store.Unreadable + "; the server's log says why"
	}
	return fmt.Sprintf("the event cannot be put into words: %v", err)
}

// asRefusal returns the refusal in an error; nil for any other.
func asRefusal(err error) *kabar.Error {
	refused, _ := errors.AsType[*kabar.Error](err)
	return refused
}

// refusal makes of an error of the store what its caller is told.
func refusal(err error) error {
	if err == nil || asRefusal(err) != nil {
		return err
	}
	return store.Refusal(err)
}
