package manage

import (
	"context"
	"net/http"
	"strconv"

	"kabar"
	"kabar/internal/trace"
)

// Messages tells what became of messages; *trace.Tracer does.
type Messages interface {
	Message(ctx context.Context, of trace.Of, id string) (*trace.Message, error)
	List(ctx context.Context, of trace.Of, q trace.Query) (*trace.Page, error)
}

// showMessage: GET /kabar/v1/messages/{id}, with the id that either API has given the message.
func (a *API) showMessage(w http.ResponseWriter, r *http.Request) {
	m, err := a.o.Messages.Message(r.Context(), a.o.Of(r), r.PathValue("id"))
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, m)
}

// listMessages: GET /kabar/v1/messages, newest first.
func (a *API) listMessages(w http.ResponseWriter, r *http.Request) {
	q, err := queryOf(r)
	if err == nil {
		var page *trace.Page
		if page, err = a.o.Messages.List(r.Context(), a.o.Of(r), q); err == nil {
			a.write(w, http.StatusOK, page)
			return
		}
	}
	a.Refuse(w, r, err)
}

// queryOf reads the parameters, of which none may be unknown: a misspelt one would list what nobody asked for.
func queryOf(r *http.Request) (q trace.Query, err error) {
	if err := onlyKnown(r, "number", "wa_id", "after", "limit"); err != nil {
		return q, err
	}
	values := r.URL.Query()
	q = trace.Query{Number: values.Get("number"), WaID: values.Get("wa_id"), After: values.Get("after")}
	if limit := values.Get("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 {
			return q, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %q, it must be 1 to %d", limit, trace.MaxList)
		}
		q.Limit = n
	}
	return q, nil
}
