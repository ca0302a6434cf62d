package console

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/ui/uitest"
)

func TestStatesOfAnEndpoint(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		g := d.add()
		for _, to := range []kabar.EndpointState{kabar.EndpointPaused, kabar.EndpointActive, kabar.EndpointDisabled, kabar.EndpointActive} {
			w := d.post(d.jar, d.path(g)+"/state", url.Values{"state": {string(to)}})
			if got := d.now(g).State; w.Code != http.StatusSeeOther || got != to {
				t.Errorf("%s: %d, it is %s", to, w.Code, got)
			}
			has(t, string(to), d.get(d.jar, w.Header().Get("Location")), told(httptest.NewRequest(http.MethodGet, w.Header().Get("Location"), nil)), string(to))
		}
		if w := d.post(d.jar, d.path(g)+"/state", url.Values{"state": {"suspended"}}); w.Code != http.StatusBadRequest {
			t.Errorf("suspended by hand: %d", w.Code)
		}
		w := d.post(d.jar, d.path(g), url.Values{"url": {"https://other.example/"}, "events": {"message.read"}})
		if e := d.now(g); w.Code != http.StatusSeeOther || e.URL != "https://other.example/" || len(e.Filter.Types) != 1 {
			t.Errorf("change: %d, %+v", w.Code, e)
		}
		if w := d.post(d.jar, d.path(g)+"/remove", nil); w.Code != http.StatusSeeOther {
			t.Errorf("remove: %d", w.Code)
		}
		if w := d.do(d.jar, http.MethodGet, d.path(g), ""); w.Code != http.StatusNotFound {
			t.Errorf("after it was removed: %d", w.Code)
		}
	})
}

// An endpoint whose URL is managed elsewhere says where, and cannot be removed here.
func TestAnEndpointOfTheSettings(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		e := &kabar.Endpoint{Account: d.s.A.Account, Number: d.s.A.ID, Dialect: kabar.Cloud, EndpointConfig: kabar.EndpointConfig{URL: "https://app.example/", Origin: kabar.FromSubscription}}
		d.s.Write(t, func(tx *store.Tx) error { return tx.AddEndpoint(e, d.k.now) })
		path := "/console/endpoints/" + d.s.DB.PublicEndpoint(e.ID)
		page := d.get(d.jar, path)
		has(t, "the page", page, "POST /{app}/subscriptions", "x-hub-signature-256")
		hasNot(t, "the page", page, "Remove the endpoint", `name="url"`)
		if w := d.post(d.jar, path+"/remove", nil); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "subscription of the Cloud API") {
			t.Errorf("remove: %d\n%s", w.Code, w.Body)
		}
		w := d.post(d.jar, path, url.Values{"url": {"https://evil.example/"}, "description": {"Till"}})
		all, err := d.ep.Get(t.Context(), e.ID)
		if err != nil || w.Code != http.StatusSeeOther || all.First().URL != "https://app.example/" || all.First().Description != "Till" {
			t.Errorf("change: %d, %v, %+v", w.Code, err, all)
		}
	})
}

// A test event is shown beside its answer, whatever that says.
func TestATestEvent(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		g := d.add()
		for _, s := range uitest.Hostile() {
			d.out.trial = Trial{ID: "evt_test1", Body: []byte(`{"text":"hello"}`), Status: 500, Error: "answered 500", Answer: []byte(s), Took: 12 * time.Millisecond}
			w := d.post(d.jar, d.path(g)+"/test", nil)
			for _, bad := range []string{"<script>pwned", "<img src=x", "<svg onload", "<iframe", "<svg/onload"} {
				if strings.Contains(strings.ToLower(w.Body.String()), bad) {
					t.Errorf("%q became\n%s", s, w.Body)
				}
			}
		}
		d.out.trial.Answer = []byte(strings.Repeat("é", maxShown))
		w := d.post(d.jar, d.path(g)+"/test", nil)
		has(t, "the trial", html.UnescapeString(w.Body.String()), "evt_test1", `"text": "hello"`, "answered 500", "kabar-test", "12 ms", "32768 bytes in all")
		if len(d.out.tried) == 0 || d.out.tried[0] != g.First().Group {
			t.Errorf("tried %v", d.out.tried)
		}
		d.out.trial = Trial{Status: 200}
		has(t, "one that was taken", d.post(d.jar, d.path(g)+"/test", nil).Body.String(), "answered 200", "It was taken")
	})
}

func TestReplays(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		d.event(d.k.now.Add(-3 * time.Hour))
		d.event(d.k.now.Add(-time.Hour))
		g := d.add()
		path := d.path(g)
		w := d.post(d.jar, path+"/replays", url.Values{"since": {d.k.now.Add(-2 * time.Hour).Format(momentLayout)}})
		if w.Code != http.StatusSeeOther || !strings.HasSuffix(w.Header().Get("Location"), "told=replayed") {
			t.Fatalf("replay: %d %v\n%s", w.Code, w.Header(), w.Body)
		}
		has(t, "the page", d.get(d.jar, path), "running, 0 of 1 events", "<progress", "Pause", "Cancel")
		all, err := d.ep.Replays(t.Context(), g)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d replays, %v", len(all), err)
		}
		one := path + "/replays/" + d.s.DB.PublicReplay(int64(all[0].ID))
		for _, to := range []string{"paused", "running", "cancelled"} {
			if w := d.post(d.jar, one, url.Values{"state": {to}}); w.Code != http.StatusSeeOther {
				t.Errorf("%s: %d\n%s", to, w.Code, w.Body)
			}
			has(t, to, d.get(d.jar, path), to+", 0 of 1")
		}
		for name, try := range map[string]struct {
			path string
			form url.Values
			code int
		}{
			"has ended":       {one, url.Values{"state": {"running"}}, 400},
			"nothing here":    {path + "/replays/rpl_x", url.Values{"state": {"paused"}}, 404},
			"say from when":   {path + "/replays", url.Values{}, 400},
			"is no time":      {path + "/replays", url.Values{"since": {"yesterday"}}, 400},
			"told=nothing":    {path + "/replays", url.Values{"since": {d.k.now.Add(time.Hour).Format(momentLayout)}}, 303},
			"may be running,": {one, url.Values{"state": {"done"}}, 400},
		} {
			w := d.post(d.jar, try.path, try.form)
			if w.Code != try.code || w.Code != 404 && !strings.Contains(w.Body.String()+w.Header().Get("Location"), name) {
				t.Errorf("%s: %d %s\n%s", name, w.Code, w.Header().Get("Location"), w.Body)
			}
		}
		before := d.out.woken
		if w := d.post(d.jar, path+"/retry", nil); w.Code != http.StatusSeeOther || d.out.woken != before+1 {
			t.Errorf("retry: %d", w.Code)
		}
		d.change(g, func(c *kabar.EndpointConfig) { c.Become(kabar.EndpointPaused, "", d.k.now) })
		if w := d.post(d.jar, path+"/retry", nil); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "is paused") {
			t.Errorf("retry while it is paused: %d\n%s", w.Code, w.Body)
		}
	})
}
