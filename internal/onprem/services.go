package onprem

import (
	"kabar"
)

// collectMessages: PUT /v1/services/message/gc has old messages removed (contract 1.11). A webhook tells of the end.
func (a *API) collectMessages(x *exchange) error {
	return a.collect(x, "message", kabar.CollectMessages)
}

// collectMedia: PUT /v1/services/media/gc has media removed that nobody uses.
func (a *API) collectMedia(x *exchange) error { return a.collect(x, "media", kabar.CollectMedia) }

// collect answers that the collection is under way; one that is under way already is the one.
func (a *API) collect(x *exchange, node string, what kabar.Collection) error {
	if err := a.engine.Collect(x.number(), what); err != nil {
		return err
	}
	return x.reply("services", map[string]any{node: map[string]any{"gc": map[string]any{"status": "processing"}}})
}

// hookService tells of the end of a service in a webhook (contract 2.5).
type hookService struct {
	Message *hookCollection `json:"message,omitempty"`
	Media   *hookCollection `json:"media,omitempty"`
}

type hookCollection struct {
	GC hookGC `json:"gc"`
}

type hookGC struct {
	MessagesDeleted *int    `json:"messages_deleted,omitempty"`
	ItemsDeleted    *int    `json:"items_deleted,omitempty"`
	Status          string  `json:"status"`
	Errors          []fault `json:"errors,omitempty"`
}

func collected(c *kabar.Collected) hookService {
	gc := hookGC{Status: "complete"}
	if c.Failed {
		gc.Status = "failed"
		gc.Errors = []fault{{1014, "Internal error", "The store could not remove everything; what is left goes with the next collection."}}
	}
	if c.What == kabar.CollectMedia {
		gc.ItemsDeleted = &c.Removed
		return hookService{Media: &hookCollection{gc}}
	}
	gc.MessagesDeleted = &c.Removed
	return hookService{Message: &hookCollection{gc}}
}
