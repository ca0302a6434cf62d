package manage_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/manage"
	"kabar/internal/trace"
)

// told is a Messages that remembers what it was asked for.
type told struct {
	of    trace.Of
	query trace.Query
	asked bool
}

func (m *told) Message(_ context.Context, of trace.Of, id string) (*trace.Message, error) {
	m.of, m.asked = of, true
	if id != "gBEG" {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "id", "there is no message with this id")
	}
	return &trace.Message{ID: id, Status: "read"}, nil
}

func (m *told) List(_ context.Context, of trace.Of, q trace.Query) (*trace.Page, error) {
	m.of, m.query, m.asked = of, q, true
	return &trace.Page{Data: []*trace.Message{}, After: "gBEG"}, nil
}

func TestMessagesAreAskedFor(t *testing.T) {
	for target, want := range map[string]struct {
		status int
		query  trace.Query
		says   string // in the answer
	}{
		"/kabar/v1/messages": {200, trace.Query{}, ""},
		"/kabar/v1/messages?number=62811&wa_id=34600111222&after=gBEG&limit=7": {200, trace.Query{Number: "62811", WaID: "34600111222", After: "gBEG", Limit: 7}, ""},
		"/kabar/v1/messages?limit=0":            {400, trace.Query{}, "it must be 1 to 100"},
		"/kabar/v1/messages?limit=ten":          {400, trace.Query{}, "it must be 1 to 100"},
		"/kabar/v1/messages?numbr=62811":        {400, trace.Query{}, "numbr is not one of number, wa_id, after, limit"},
		"/kabar/v1/messages?wa_id=1&wa_id=2":    {400, trace.Query{}, "each once"},
		"/kabar/v1/messages/gBEG":               {200, trace.Query{}, ""},
		"/kabar/v1/messages/gBEG-of-a-stranger": {404, trace.Query{}, "no message with this id"},
	} {
		source := &told{}
		api := manage.New(manage.Options{Messages: source, Of: func(*http.Request) trace.Of { return trace.Of{Number: 7} }})
		mux := http.NewServeMux()
		for pattern, h := range api.Handlers() {
			mux.Handle(pattern, h)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, http.NoBody))
		if w.Code != want.status || source.query != want.query || !strings.Contains(w.Body.String(), want.says) {
			t.Errorf("%s: %d %s, asked for %+v", target, w.Code, w.Body, source.query)
		}
		if source.asked && source.of != (trace.Of{Number: 7}) {
			t.Errorf("%s: on behalf of %+v", target, source.of)
		}
	}
}
