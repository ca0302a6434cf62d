package feed

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"kabar"
)

// maxSummary is the longest summary, in characters.
const maxSummary = 60

// summary says in a few words what an event is about, for people who look at many. What customers wrote stands in quotes.
func summary(ev *kabar.Event) string {
	switch ev.Kind {
	case kabar.EventMessage:
		return messageSummary(ev)
	case kabar.EventStatus:
		if ev.Failure != "" {
			return clip(fmt.Sprintf("%s: %s", ev.Of, ev.Failure))
		}
		return string(ev.Of)
	case kabar.EventNumber:
		return "is " + ev.NewWaID
	case kabar.EventConsent:
		return string(ev.Consent)
	case kabar.EventFault:
		return clip(cmp.Or(ev.Detail, string(ev.Failure)))
	case kabar.EventName:
		return clip(fmt.Sprintf("%q %s", ev.Name, strings.ToLower(string(ev.Outcome))))
	case kabar.EventReview:
		return strings.ToLower(string(ev.Outcome))
	case kabar.EventCollected, kabar.EventCredit, kabar.EventLimits, kabar.EventTemplate, kabar.EventEndpoint:
		return changeSummary(ev)
	default: // the type says all
		return ""
	}
}

// changeSummary is that of events with an object of their own, which those of other programs' making may lack.
func changeSummary(ev *kabar.Event) string {
	switch {
	case ev.Collected != nil:
		return fmt.Sprintf("%d %s", ev.Collected.Removed, ev.Collected.What)
	case ev.Credit != nil:
		return fmt.Sprintf("%d %%", ev.Credit.Percent)
	case ev.Limits != nil:
		return fmt.Sprintf("%s a second, tier %s", ev.Limits.Now.Throughput, ev.Limits.Now.Tier)
	case ev.Template != nil:
		return clip(fmt.Sprintf("%s (%s) %s", ev.Template.Name, ev.Template.Language, cmp.Or(ev.Template.Event, string(ev.Template.Kind))))
	case ev.Endpoint != nil:
		return fmt.Sprintf("%s %s", ev.Endpoint.ID, ev.Endpoint.State)
	}
	return ""
}

func messageSummary(ev *kabar.Event) string {
	content, err := ev.Content.Content()
	if err != nil {
		return string(ev.Content.Kind)
	}
	said := ""
	switch c := content.(type) {
	case *kabar.Text:
		return quoted(c.Body)
	case *kabar.Reaction:
		return cmp.Or(c.Emoji, "no reaction any more")
	case *kabar.Button:
		said = c.Text
	case *kabar.Reply:
		said = c.Title
	case *kabar.Media:
		said = cmp.Or(c.Caption, c.Filename)
	case *kabar.Location:
		said = c.Name
	}
	if said == "" {
		return string(content.Kind())
	}
	return string(content.Kind()) + " " + quoted(said)
}

// quoted puts what somebody wrote into quotes, on one line: %q leaves no control character as it is.
func quoted(s string) string { return fmt.Sprintf("%q", clip(s)) }

func clip(s string) string {
	if utf8.RuneCountInString(s) <= maxSummary {
		return s
	}
	return string([]rune(s)[:maxSummary-1]) + "…"
}
