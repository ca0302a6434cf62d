//go:build unix

package recorders

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"kabar/internal/torture/history"
)

const (
	aSaying = `{"id":"evt_1","type":"message.received","time":"2031-05-02T10:15:00.250Z","sequence":12,"number":"15550001111","customer":{"wa_id":"34600111222"},
		"message":{"id":"ABGG","wamid":"wamid.x","kind":"image","media":{"sha256":"9f86","caption":"\u003c34600111222\u003e15550001111#3"}}}`
	aStatus = `{"id":"evt_2","type":"message.failed","time":"2031-05-02T10:15:01Z","sequence":13,"customer":{"wa_id":"34600111222"},
		"message":{"id":"ABGH","kind":"text"},"status":"failed","error":{"code":"window_closed"}}`
	aChange = `{"id":"evt_3","type":"number.limits_changed","time":"2031-05-02T10:15:02Z","sequence":14,"limits":{}}`
)

// What comes to either endpoint is recorded as that, and the answer with it.
func TestTheSinkTellsItsEndpointsApart(t *testing.T) {
	dir := t.TempDir()
	rec, err := history.Open(dir, bySink)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rec.Close() }()
	const second = int64(1935483300) * 1e9
	said := history.Item{ID: "ABGG", Customer: "34600111222", Kind: "image", Token: "<34600111222>15550001111#3", Hash: "9f86"}
	h := &hooks{rec: rec, trouble: 1e-9}
	for _, c := range []struct {
		path, body string
		again      bool
		want       history.Record
	}{
		{"/hook", `{"statuses":[{"id":"ABGH","status":"sent","recipient_id":"34600111222"}]}`, false,
			history.Record{Items: []history.Item{{ID: "ABGH", Customer: "34600111222", Status: "sent"}}}},
		{FlatPath, aSaying, false, history.Record{Endpoint: Flat, Customer: "34600111222", Number: "15550001111", Seq: 12, Happened: second + 250e6, Items: []history.Item{said}}},
		{FlatPath, aSaying, true, history.Record{Endpoint: Flat, Customer: "34600111222", Number: "15550001111", Seq: 12, Happened: second + 250e6, Items: []history.Item{said}, Replayed: true}},
		{FlatPath, aStatus, false, history.Record{Endpoint: Flat, Customer: "34600111222", Seq: 13, Happened: second + 1e9,
			Items: []history.Item{{ID: "ABGH", Customer: "34600111222", Status: "failed"}}}},
		{FlatPath, aChange, false, history.Record{Endpoint: Flat, Seq: 14, Happened: second + 2e9}},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(c.body))
		r.Header.Set("Webhook-Id", "evt")
		if c.again {
			r.Header.Set("Kabar-Replay", "true")
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		all, err := history.ReadOne(dir, bySink)
		if err != nil || len(all) < 2 {
			t.Fatalf("%d records, %v", len(all), err)
		}
		got, answer := all[len(all)-2], all[len(all)-1]
		c.want.Op, c.want.By, c.want.ID, c.want.Hash, c.want.At = history.Hook, bySink, "evt", hash([]byte(c.body)), got.At
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: recorded as %+v, want %+v", c.path, got, c.want)
		}
		if want := (history.Record{At: answer.At, By: bySink, Op: history.Answered, ID: "evt", Endpoint: c.want.Endpoint, Replayed: c.again, HTTP: 200}); !reflect.DeepEqual(answer, want) {
			t.Errorf("%s: answered as %+v, want %+v", c.path, answer, want)
		}
	}
}
