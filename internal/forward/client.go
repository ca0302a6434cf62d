// Package forward follows a server's events from a developer's machine, by its management API, and hands them to an application there: the
// way of webhooks to where no webhook can go.
//
// A Client reads the stream and comes again when it breaks, where it was. A Forwarder posts what it reads, signed as Standard Webhooks has
// it, in order for each customer and side by side for several, and remembers how far it is. The application's address is what the person at
// the machine has typed, mostly on the machine itself: that is the point, so that no rule of where a server's requests may lead holds here.
package forward

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Entry is an event as the stream tells it. Body is byte for byte what the server would post; one with an Error has none.
type Entry struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Time     time.Time       `json:"time"`
	Number   string          `json:"number"`
	Customer string          `json:"customer,omitempty"`
	Summary  string          `json:"summary,omitempty"`
	Headers  http.Header     `json:"headers,omitempty"`
	Error    string          `json:"error,omitempty"` // why the server cannot tell of it
	Body     json.RawMessage `json:"body,omitempty"`
}

// Query says which events are asked for; what is empty is left out.
type Query struct {
	Number, Types, Dialect, After, Since string
}

func (q Query) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"number": q.Number, "type": q.Types, "dialect": q.Dialect, "after": q.After, "since": q.Since} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// Client reads events from a server.
type Client struct {
	Server string // URL, without a path
	Key    string // with the scope read
	HTTP   *http.Client
	// Lost is told when the stream has broken, with why, and when it is there again, with nil; may be nil.
	Lost func(err error)
}

// Limits of what is read, and of waiting.
const (
	maxLine    = 4 << 20 // bytes of an event; the largest is a message with 257 contact cards
	silence    = 45 * time.Second
	firstPause = 250 * time.Millisecond
	maxPause   = 10 * time.Second
)

// Follow hands the events to each, one after another with the cursor behind it, and goes on until ctx ends, each fails, or the server
// refuses (*RefusedError). It begins at the query's cursor, or with what happens from now on; each is told of that beginning with a nil
// entry. A stream that breaks is taken up where it was, also when it could not be opened before, or too many are open (429): the first time, that
// is an error.
func (c *Client) Follow(ctx context.Context, q Query, each func(cursor string, e *Entry) error) error {
	began, lost, pause := false, false, firstPause
	for {
		err := c.once(ctx, q, func(cursor string, e *Entry) error {
			if lost {
				lost = false
				c.tell(nil)
			}
			began, pause, q.After, q.Since = true, firstPause, cursor, ""
			if err := each(cursor, e); err != nil {
				return &eachError{err}
			}
			return nil
		})
		own, ended := errors.AsType[*eachError](err)
		refused, no := errors.AsType[*RefusedError](err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case ended:
			return own.error
		case no && refused.Status < http.StatusInternalServerError && (refused.Status != http.StatusTooManyRequests || !began), err != nil && !began:
			return err
		}
		if err != nil && !lost {
			lost = true
			c.tell(err)
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, maxPause)
	}
}

// eachError is an error of whom events are handed to.
type eachError struct{ error }

func (c *Client) tell(err error) {
	if c.Lost != nil {
		c.Lost(err)
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once reads one stream to its end; nil when the server has ended it.
func (c *Client) once(ctx context.Context, q Query, each func(cursor string, e *Entry) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	res, err := c.get(ctx, "/kabar/v1/events/stream?"+q.values().Encode())
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	quiet := time.AfterFunc(silence, func() { cancel(errors.New("the server is silent")) }) // it sends a comment every 15 seconds
	defer quiet.Stop()
	err = read(res.Body, func() { quiet.Reset(silence) }, each)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// read takes a stream of server-sent events apart; alive is told of each line.
func read(stream io.Reader, alive func(), each func(cursor string, e *Entry) error) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, maxLine)
	var cursor string
	var data []byte
	for lines.Scan() {
		alive()
		name, value, _ := bytes.Cut(lines.Bytes(), []byte(": "))
		switch {
		case string(name) == "id":
			cursor = string(value)
		case string(name) == "data":
			data = append(data, value...)
		case len(lines.Bytes()) == 0:
			e, err := entryOf(data)
			if err != nil {
				return err
			}
			if cursor != "" {
				err = each(cursor, e)
			}
			if err != nil {
				return err
			}
			cursor, data = "", nil
		}
	}
	return lines.Err()
}

// entryOf reads an entry; nil for the beginning of a stream, which has none.
func entryOf(data []byte) (*Entry, error) {
	if len(data) == 0 {
		return nil, nil
	}
	e := new(Entry)
	if err := json.Unmarshal(data, e); err != nil {
		return nil, fmt.Errorf("read an event: %w", err)
	}
	return e, nil
}

// List returns a page of events, oldest first, the cursor behind it, and whether there may be more.
func (c *Client) List(ctx context.Context, q Query) (all []*Entry, next string, more bool, err error) {
	v := q.values()
	v.Set("limit", "100")
	res, err := c.get(ctx, "/kabar/v1/events?"+v.Encode())
	if err != nil {
		return nil, "", false, err
	}
	defer func() { _ = res.Body.Close() }()
	var page struct {
		Data []*Entry
		Next string
		More bool
	}
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		return nil, "", false, fmt.Errorf("read a page of events: %w", err)
	}
	return page.Data, page.Next, page.More, nil
}

// Line is an event on one line: its type, the customer if there is one, and a few words, or why there are none.
func (e *Entry) Line() string {
	words := []string{e.Type}
	for _, w := range []string{e.Customer, e.Summary} {
		if w != "" {
			words = append(words, w)
		}
	}
	if e.Error != "" {
		words = append(words, "(cannot be told: "+e.Error+")")
	}
	return strings.Join(words, " ")
}
