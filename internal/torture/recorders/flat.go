//go:build unix

package recorders

import (
	"encoding/json"
	"time"

	"kabar/internal/torture/history"
)

// Flat is what a history calls the endpoint that is told in the dialect kabar, and FlatPath is where the sink takes that.
const (
	Flat     = "kabar"
	FlatPath = "/" + Flat
)

// flatBody is what the checker needs of an event in the dialect kabar.
type flatBody struct {
	Type, Status string
	Time         time.Time
	Sequence     uint64
	Number       string
	Customer     struct {
		WaID string `json:"wa_id"`
	}
	Message json.RawMessage
}

// readFlat notes what a body in the dialect kabar tells. Types that are about no message and no status have no items: of them there is to
// be judged that each is told, under one id, in order.
func readFlat(to *history.Record, body []byte) {
	to.Endpoint = Flat
	var b flatBody
	if json.Unmarshal(body, &b) != nil {
		return
	}
	to.Customer, to.Number, to.Seq, to.Happened = b.Customer.WaID, b.Number, b.Sequence, b.Time.UnixNano()
	var m struct {
		ID, Kind string
		Media    struct{ SHA256 string }
	}
	if b.Type != "message.received" && b.Status == "" || json.Unmarshal(b.Message, &m) != nil {
		return
	}
	item := history.Item{ID: m.ID, Customer: b.Customer.WaID, Status: b.Status}
	if b.Status == "" {
		item.Kind, item.Token, item.Hash = m.Kind, history.FindToken(unescape(b.Message)), m.Media.SHA256
	}
	to.Items = []history.Item{item}
}
