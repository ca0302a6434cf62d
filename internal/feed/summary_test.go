package feed_test

import (
	"strings"
	"testing"

	"kabar"
	"kabar/internal/feed"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

// A summary is one line of a few words, whatever somebody wrote.
func TestSummaries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		wrote := func(c kabar.Content) kabar.Event {
			raw, err := kabar.Snapshot(c)
			if err != nil {
				t.Fatal(err)
			}
			return kabar.Event{Kind: kabar.EventMessage, Content: raw}
		}
		cases := []struct {
			event kabar.Event
			want  string
		}{
			{wrote(&kabar.Text{Body: "Hi"}), `"Hi"`},
			{wrote(&kabar.Text{Body: "a\nb\x1b[31m"}), `"a\nb\x1b[31m"`},
			{wrote(&kabar.Text{Body: strings.Repeat("ñ", 100)}), `"` + strings.Repeat("ñ", 59) + `…"`},
			{wrote(&kabar.Reaction{Emoji: "👍"}), "👍"},
			{wrote(&kabar.Reaction{}), "no reaction any more"},
			{wrote(&kabar.Button{Text: "Track"}), `button "Track"`},
			{wrote(&kabar.Order{}), "order"},
			{kabar.Event{Kind: kabar.EventStatus, Status: kabar.Failed, Of: kabar.KindText, Failure: kabar.ReasonWindowClosed}, "text: customer service window is closed"},
			{kabar.Event{Kind: kabar.EventTemplate, Template: &kabar.TemplateChange{Name: "hello", Language: "en", Kind: kabar.NewsQuality}}, "hello (en) quality"},
			{kabar.Event{Kind: kabar.EventCredit}, ""},
			{kabar.Event{Kind: kabar.EventSecurity}, ""},
		}
		s.Write(t, func(tx *store.Tx) error {
			for _, c := range cases {
				ev := c.event
				ev.Account, ev.Number, ev.At = s.A.Account, s.A.ID, start
				if err := tx.AddEvent(&ev); err != nil {
					return err
				}
			}
			return nil
		})
		p, err := open(s).List(t.Context(), trace.Of{}, feed.Query{Dialect: kabar.Kabar})
		if err != nil || len(p.Data) != len(cases) {
			t.Fatal(len(p.Data), err)
		}
		for i, e := range p.Data {
			if e.Summary != cases[i].want {
				t.Errorf("%s: %s, want %s", e.Type, e.Summary, cases[i].want)
			}
		}
	})
}
