package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/feed"
	"kabar/internal/trace"
	"kabar/internal/ui"
)

// Events reads the logs of numbers; *feed.Feed does.
type Events interface {
	List(ctx context.Context, of trace.Of, q feed.Query) (*feed.Page, error)
	One(ctx context.Context, of trace.Of, id string, d kabar.Dialect) (*feed.Entry, error)
	Follow(ctx context.Context, of trace.Of, q feed.Query) (*feed.Follower, error)
}

func (a *API) eventHandlers() map[string]http.Handler {
	return map[string]http.Handler{
		"GET /kabar/v1/events":        http.HandlerFunc(a.listEvents),
		"GET /kabar/v1/events/stream": a.placed(a.streamEvents),
		"GET /kabar/v1/events/{id}":   http.HandlerFunc(a.showEvent),
	}
}

// listEvents: GET /kabar/v1/events, oldest first.
func (a *API) listEvents(w http.ResponseWriter, r *http.Request) {
	q, err := eventQuery(r, a.o.Now(), "message", "limit")
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	p, err := a.o.Events.List(r.Context(), a.o.Of(r), q)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	answer := struct {
		Data []json.RawMessage `json:"data"`
		Next string            `json:"next,omitempty"` // none for the events of one message
		More bool              `json:"more"`
	}{[]json.RawMessage{}, p.Next, p.More}
	for _, e := range p.Data {
		b, err := a.entry(r, e)
		if err != nil {
			a.Refuse(w, r, err)
			return
		}
		answer.Data = append(answer.Data, b)
	}
	a.write(w, http.StatusOK, answer)
}

// showEvent: GET /kabar/v1/events/{id}.
func (a *API) showEvent(w http.ResponseWriter, r *http.Request) {
	err := onlyKnown(r, "dialect")
	if err == nil {
		err = a.writeEvent(w, r)
	}
	if err != nil {
		a.Refuse(w, r, err)
	}
}

func (a *API) writeEvent(w http.ResponseWriter, r *http.Request) error {
	e, err := a.o.Events.One(r.Context(), a.o.Of(r), r.PathValue("id"), dialectOf(r))
	if err != nil {
		return err
	}
	if e.Error != "" {
		a.problem(w, http.StatusInternalServerError, "the event cannot be told", fmt.Sprintf("%s, of %s: %s", e.Type, e.Time, e.Error))
		return nil
	}
	b, err := a.entry(r, e)
	if err == nil {
		a.write(w, http.StatusOK, json.RawMessage(b))
	}
	return err
}

const (
	// streamTime is how long a stream goes on: then its client comes again, with a key that still has to be good, and finds the numbers
	// that were added since.
	streamTime = 10 * time.Minute
	// streamPiece is how many events are looked at before a stream asks whether it shall end.
	streamPiece = 200
)

// streamEvents: GET /kabar/v1/events/stream, as server-sent events. Their ids are cursors: who comes again brings the last one.
func (a *API) streamEvents(w http.ResponseWriter, r *http.Request) {
	q, err := eventQuery(r, a.o.Now())
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	q.After = cmp.Or(r.Header.Get("Last-Event-ID"), q.After)
	ctx, cancel := context.WithTimeout(r.Context(), streamTime)
	defer cancel()
	events, err := a.o.Events.Follow(ctx, a.o.Of(r), q)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	out, err := ui.OpenStream(w)
	if err != nil {
		return // the client has gone
	}
	if err := out.Send(events.Cursor(), nil); err != nil { // from where it goes on, also for one that sees no event
		return
	}
	err = ui.Follow(ctx, out, events.Ready(), func([]struct{}) error {
		return events.Read(ctx, streamPiece, func(cursor string, e *feed.Entry) error {
			b, err := a.entry(r, e)
			if err != nil {
				return err
			}
			return out.Send(cursor, b)
		})
	})
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		a.o.Log.Debug("stream of events ended", "err", err)
	}
}

// entry is an event as an answer shows it. What proves it to an application is for those who may say where events go.
func (a *API) entry(r *http.Request, e *feed.Entry) ([]byte, error) {
	if a.o.Proves == nil || !a.o.Proves(r) {
		e.Headers = nil
	}
	return e.JSON()
}

// eventQuery reads the parameters, of which none may be unknown.
func eventQuery(r *http.Request, now time.Time, more ...string) (q feed.Query, err error) {
	known := append([]string{"number", "type", "dialect", "after", "since"}, more...)
	if err := onlyKnown(r, known...); err != nil {
		return q, err
	}
	v := r.URL.Query()
	q = feed.Query{Number: strings.TrimPrefix(v.Get("number"), "+"), Message: v.Get("message"), Dialect: dialectOf(r), After: v.Get("after")}
	if types := v.Get("type"); types != "" {
		q.Filter.Types = strings.Split(types, ",")
	}
	if since := v.Get("since"); since != "" {
		if q.Since, err = moment("since", since, now); err != nil {
			return q, err
		}
	}
	if limit := v.Get("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 {
			return q, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %q, it must be 1 to %d", limit, feed.MaxPage)
		}
		q.Limit = n
	}
	return q, nil
}

// moment reads a time, or how long ago it was.
func moment(field, text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, kabar.Refuse(kabar.ReasonInvalid, field, "is %.40q, it must be a time such as 2031-05-02T10:15:00Z, or a duration such as 10m", text)
	}
	return t, nil
}

func dialectOf(r *http.Request) kabar.Dialect {
	return kabar.Dialect(cmp.Or(r.URL.Query().Get("dialect"), string(kabar.Kabar)))
}
