package engine_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
)

// greeting is the template hello with its one value.
func greeting(name string) *kabar.Template {
	return &kabar.Template{Name: name, Language: kabar.Language{Code: "en"},
		Components: []kabar.Component{{Type: kabar.ComponentBody, Parameters: []kabar.Parameter{{Type: kabar.ParameterText, Text: "Ana"}}}}}
}

// sayOr sends a text, or the template hello when the window is closed.
func (v *env) sayOr(to, body string) uint64 {
	v.t.Helper()
	ref, _, err := v.send(engine.Request{To: to, Content: &kabar.Text{Body: body}, IfClosed: greeting("hello")})
	if err != nil {
		v.t.Fatal(err)
	}
	return ref
}

// kind returns the kind of a stored message, and how it stands.
func (v *env) kind(ref uint64) (kabar.Kind, kabar.Status) {
	v.t.Helper()
	m, err := v.db.Message(v.t.Context(), v.id, v.db.Deref(ref))
	if err != nil {
		v.t.Fatal(err)
	}
	return m.Content.Kind(), m.Status
}

func TestAClosedWindowTakesTheTemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		stranger := v.sayOr(ana, "too early")
		settle()
		v.hear(ana, "hi")
		inside := v.sayOr(ana, "in time")
		settle()
		v.net.SetOffline(true)
		waiting, lost := v.sayOr(ana, "waits for the network"), v.text(ana, "waits, too")
		v.restart()
		time.Sleep(25 * time.Hour)
		v.net.SetOffline(false)
		settle()
		for name, c := range map[string]struct {
			ref    uint64
			kind   kabar.Kind
			status kabar.Status
		}{
			"to a stranger":              {stranger, kabar.KindTemplate, kabar.Sent},
			"inside the window":          {inside, kabar.KindText, kabar.Sent},
			"closed while it waited":     {waiting, kabar.KindTemplate, kabar.Sent},
			"the same, without template": {lost, kabar.KindText, kabar.Failed},
		} {
			if kind, status := v.kind(c.ref); kind != c.kind || status != c.status {
				t.Errorf("%s: %s %s, want %s %s", name, kind, status, c.kind, c.status)
			}
		}
		v.wantTold("status sent", "message hi", "status sent", "status sent", "status failed "+string(kabar.ReasonWindowClosed))
	})
}

// A fallback is looked at when the message is accepted, whether it is needed or not.
func TestAFallbackThatCannotBeSentIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		for name, c := range map[string]struct {
			content kabar.Content
			instead *kabar.Template
			field   string
			reason  kabar.Reason
		}{
			"unknown":           {&kabar.Text{Body: "x"}, greeting("nothing"), "if_window_closed.template.name", kabar.ReasonTemplateMissing},
			"without its value": {&kabar.Text{Body: "x"}, &kabar.Template{Name: "hello", Language: kabar.Language{Code: "en"}}, "", kabar.ReasonTemplateComponent},
			"of a template":     {greeting("hello"), greeting("hello"), "if_window_closed", kabar.ReasonInvalid},
		} {
			_, _, err := v.send(engine.Request{To: ana, Content: c.content, IfClosed: c.instead})
			refused, ok := errors.AsType[*kabar.Error](err)
			if !ok || refused.Reason != c.reason || c.field != "" && refused.Field != c.field {
				t.Errorf("%s: %v, want %q of %s", name, err, c.reason, c.field)
			}
		}
		v.wantTold("message hi")
	})
}

// What becomes its fallback while it waits meets the rules that it would have met at once: its template's first messages are looked at, and
// it lives as long as its template's messages do.
func TestALateFallbackMeetsTheRulesOfItsTemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.policy(kabar.TemplatePolicy{Review: kabar.ReviewAuto, Pace: 1})
		v.create(draft("news", "MARKETING", "The autumn collection is here."))
		brief := draft("brief", "UTILITY", "Your order waits at the counter.")
		brief.TTL = 3600
		v.create(brief)
		time.Sleep(time.Minute)
		customers := []string{ana, budi, "34600000077"}
		for _, who := range customers {
			v.hear(who, "hi")
		}
		v.net.SetOffline(true)
		var refs []uint64
		say := func(who, template string) {
			ref, _, err := v.send(engine.Request{To: who, Content: &kabar.Text{Body: "Look"}, IfClosed: &kabar.Template{Name: template, Language: kabar.Language{Code: "en"}}})
			if err != nil {
				t.Fatal(err)
			}
			refs = append(refs, ref)
		}
		for _, who := range customers {
			say(who, "news")
		}
		say(ana, "brief")
		before := len(v.net.Messages())
		time.Sleep(25 * time.Hour)
		v.net.SetOffline(false)
		settle()
		if n := len(v.net.Messages()) - before; n != 1 {
			t.Errorf("%d messages have left, want the one that is looked at", n)
		}
		if kind, status := v.kind(refs[3]); kind != kabar.KindTemplate || status != kabar.Failed {
			t.Errorf("a day behind a template that lives an hour: %s %s", kind, status)
		}
	})
}
