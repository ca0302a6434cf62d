package console

import (
	"context"
	"slices"
	"sync"
	"time"
)

// fake is a Status that says what a test tells it to.
type fake struct {
	mu   sync.Mutex
	view View
	err  error
}

func (f *fake) Status(context.Context) (View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v := f.view
	v.Lights = slices.Clone(v.Lights)
	return v, f.err
}

func (f *fake) set(change func(*View)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.view)
}

func fixture() View {
	return View{
		Business: "Kabar Coffee", Number: "34900123456", Updated: time.Date(2026, 11, 23, 12, 5, 59, 0, time.UTC),
		Facts: []Fact{
			{Name: "API", Value: "http://127.0.0.1:9090", Href: "http://127.0.0.1:9090/livez"},
			{Name: "Phone page", Value: "http://127.0.0.1:9091", Href: "http://127.0.0.1:9091"},
			{Name: "Relay", Value: "ws://127.0.0.1:9092"},
			{Name: "Database", Value: "SQLite, .kabar/kabar.db"},
			{Name: "Network", Value: "embedded relay"},
			{Name: "Version", Value: "0.1.0, /v1 as of 2.45.0, Go 1.26"},
		},
		Lights: []Light{
			{Name: "Network", State: Good, Text: "connected", Detail: "3 customers online"},
			{Name: "Webhook", State: Unset, Text: "no URL yet", Detail: "Events wait, none is lost.", Count: 2, Unit: "events waiting"},
		},
		Steps: []Step{
			{Title: "Write as a customer", Text: "Open the phone page and write the first message as Ana.", Href: "http://127.0.0.1:9091", Go: "Open the phone page", Done: true},
			{Title: "Answer from the API", Text: "Ana has written, so you may answer freely for 24 hours. Watch the ticks on the phone turn blue.", Command: "curl -s http://127.0.0.1:9090/v1/messages \\\n  -H 'Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.example' \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"to\":\"34600111222\",\"type\":\"text\",\"text\":{\"body\":\"Hello, Ana!\"}}'"},
			{Title: "Receive events", Text: "Tell Kabar where your application listens. What has happened so far is delivered at once.", Command: "curl -s -X PATCH http://127.0.0.1:9090/v1/settings/application \\\n  -H 'Authorization: Bearer …' \\\n  -d '{\"webhooks\":{\"url\":\"http://127.0.0.1:3000/\"}}'"},
			{Title: "Send a template", Text: "After 24 hours of silence only a template opens the conversation again.", Command: "curl …"},
		},
	}
}
