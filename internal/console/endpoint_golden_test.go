package console

import "testing"

// TestWebhookGolden holds the fragments that pages of webhooks consist of, with everything that they can show.
func TestWebhookGolden(t *testing.T) {
	c, _ := newConsole(fixture())
	row := endpointRow{Href: "/console/endpoints/ep_a", ID: "ep_a", Host: "shop.example", Description: "Till", Account: "Kabar Coffee", Dialect: "Kabar", Numbers: "all 2 numbers",
		Filter: "message.*", Status: status{Bad, "failing for 3 minutes"}, Waiting: "3 events wait, the oldest from 5 minutes ago", Last: "HTTP 503", Parked: "2 customers"}
	suspended := row
	suspended.Status, suspended.Why = status{Bad, "suspended for 2 hours"}, "it has taken nothing since 2026-11-23T10:00:00Z"
	replay := replayView{Href: "/console/endpoints/ep_a/replays/rpl_a", Number: "+34900123456", State: "paused", Began: "23 November 2026, 12:00 UTC", Done: 3, All: 12, Live: true, Paused: true}
	ended := replayView{Number: "+34900123456", State: "done", Began: "22 November 2026, 12:00 UTC", Done: 4, All: 4}
	failed := exchange{Title: "Attempt 1", At: "23 November 2026, 12:00:00 UTC", Took: 42, Host: "shop.example", Headers: []fact{{"webhook-id", "evt_a"}}, Request: "{\n  \"type\": \"message.received\"\n}",
		Status: 503, Fault: "HTTP 503", Answered: []fact{{"retry-after", "120"}}, Body: "<b>busy</b>", Batch: 3, Open: true}
	for _, page := range []struct {
		name, fragment string
		data           any
	}{
		{"alarm", "alarm", alarm{"The endpoint shop.example is suspended.", "/console/endpoints/ep_a"}},
		{"endpoints", "endpoint-rows", &endpointsView{Rows: []endpointRow{row, suspended}, Numbers: true}},
		{"endpoints_none", "endpoint-rows", &endpointsView{Numbers: true}},
		{"endpoint", "endpoint-live", &endpointView{endpointRow: suspended, Facts: []fact{{"URL", "https://shop.example/hook"}}, MayChange: true, Active: true,
			States:  []stateButton{{"active", "Activate", "what waits is sent at once", true}, {"disabled", "Disable", "what happens meanwhile is not told later", false}},
			Replays: []replayView{replay, ended}}},
		{"endpoint_read", "endpoint-live", &endpointView{endpointRow: row, Replays: []replayView{replay}}},
		{"exchange", "exchange", failed},
		{"exchange_taken", "exchange", exchange{Title: "Attempt 2", At: failed.At, Took: 7, Host: failed.Host, Status: 204}},
	} {
		html, err := c.pages.Fragment(page.fragment, page.data)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "webhook_"+page.name, string(html)+"\n")
	}
}
