package manage

import (
	"context"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/trace"
)

// Conversations tells how conversations stand; *trace.Tracer does.
type Conversations interface {
	Window(ctx context.Context, of trace.Of, number, customer string, now time.Time) (kabar.WindowState, error)
}

// conversation is how a conversation stands, as answers show it.
type conversation struct {
	Open       bool               `json:"open"`
	Since      string             `json:"since,omitempty"`
	Until      string             `json:"until,omitempty"`
	Reason     kabar.WindowReason `json:"reason"`
	EntryPoint string             `json:"entry_point_until,omitempty"`
}

// showConversation: GET /kabar/v1/conversations/{number}/{wa_id} says whether free-form messages may go to the customer.
func (a *API) showConversation(w http.ResponseWriter, r *http.Request) {
	s, err := a.o.Conversations.Window(r.Context(), a.o.Of(r), r.PathValue("number"), r.PathValue("wa_id"), a.o.Now())
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, conversation{s.Open, written(s.Since), written(s.Until), s.Reason, written(s.EntryPoint)})
}
