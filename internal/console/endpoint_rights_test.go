package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/endpoint"
	"kabar/internal/store"
)

// Above every page stands what takes nothing, of what the session may see.
func TestAlarm(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		g := d.add()
		pages := []string{"/", "/console/templates", "/console/review", "/console/endpoints", "/console/deliveries", d.path(g)}
		for _, path := range pages {
			hasNot(t, path, d.get(d.jar, path), "alarm\" role=\"status\"><a")
		}
		if _, err := d.ep.Suspend(t.Context(), g.First(), kabar.Suspension{Reason: "it has taken nothing"}); err != nil {
			t.Fatal(err)
		}
		for _, path := range pages {
			has(t, path, d.get(d.jar, path), "shop.example is suspended", `alarm" role="status"><a href="`+d.path(g)+`"`)
		}
		who := operator()
		who.Account = d.s.B.Account
		hasNot(t, "the page of another account", d.get(d.signIn(who), "/console/templates"), "suspended")

		other := d.add()
		d.s.Write(t, func(tx *store.Tx) error { return tx.SetFailing(d.s.A.ID, other.First().ID, d.k.now) })
		has(t, "several", d.get(d.jar, "/console/templates"), "2 endpoints are suspended or take nothing")
		has(t, "one that fails", d.get(d.jar, "/console/endpoints"), "failing for a moment")
	})
}

// scopeCalls are all that changes an endpoint.
func scopeCalls(path string) map[string]url.Values {
	return map[string]url.Values{path: {"url": {"https://evil.example/"}}, path + "/state": {"state": {"paused"}}, path + "/secret": {"overlap_hours": {"0"}},
		path + "/test": {}, path + "/retry": {}, path + "/replays": {"since": {"2026-11-23T00:00"}}, path + "/replays/rpl_x": {"state": {"paused"}}, path + "/remove": {}}
}

func TestWhoMayChangeAnEndpoint(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		d.event(d.k.now)
		own, wide := d.add(), d.add(func(w *endpoint.Wanted) { w.Number = 0 })
		foreign := d.add(func(w *endpoint.Wanted) {
			w.Account, w.Number, w.URL = d.s.B.Account, d.s.B.ID, "https://foreign.example/"
		})
		number := operator()
		number.Account, number.Number = d.s.A.Account, d.s.A.ID
		account := operator()
		account.Account = d.s.A.Account
		cookie := func(who auth.Who) []*http.Cookie { // links do not carry a number
			return []*http.Cookie{{Name: "kabar", Value: d.c.sessions.open(d.k.now, who)}}
		}
		for name, s := range map[string]struct {
			jar  []*http.Cookie
			code map[string]int
		}{
			"nobody":      {nil, map[string]int{d.path(own): 401, d.path(wide): 401, d.path(foreign): 401}},
			"a reader":    {cookie(auth.Who{Scopes: []string{auth.ScopeRead, auth.ScopeTemplates}}), map[string]int{d.path(own): 403, d.path(wide): 403, d.path(foreign): 403}},
			"the account": {cookie(account), map[string]int{d.path(foreign): 404}},
			"the number":  {cookie(number), map[string]int{d.path(wide): 403, d.path(foreign): 404}},
		} {
			for path, code := range s.code {
				for call, form := range scopeCalls(path) {
					if w := d.post(s.jar, call, form); w.Code != code || strings.Contains(w.Body.String(), "foreign.example") {
						t.Errorf("%s: POST %s: %d, want %d", name, call, w.Code, code)
					}
				}
			}
		}
		at := d.s.DB.DeliveryID(wide.First().ID, d.event(d.k.now))
		if w := d.post(cookie(number), "/console/deliveries/"+at+"/replay", url.Values{}); w.Code != http.StatusForbidden {
			t.Errorf("a number replays at an endpoint of all: %d", w.Code)
		}
		hasNot(t, "the delivery of an endpoint of all", d.get(cookie(number), "/console/deliveries/"+at), "Send it once more")
		if len(d.out.tried) > 0 || d.now(own).URL != "https://shop.example/hook?token=s3cr3t" || len(d.now(wide).Secrets) != 1 {
			t.Error("what was refused has happened")
		}
		for name, who := range map[string]auth.Who{"a reader": {Scopes: []string{auth.ScopeRead}}, "the number": number} {
			page := d.get(cookie(who), d.path(wide))
			has(t, name, page, "shop.example", "Verify what arrives")
			hasNot(t, name, page, "<form method=\"post\" action=\"/console/endpoints")
		}
		has(t, "the own endpoint of a number", d.get(cookie(number), d.path(own)), "Send a test event")
		hasNot(t, "the list of an account", d.get(cookie(account), "/console/endpoints")+d.get(cookie(account), "/console/deliveries"), "foreign.example")
		form := d.get(cookie(number), "/console/endpoints/new")
		hasNot(t, "the form of a number", form, "All numbers", `value="n`+idOf(int64(d.s.B.ID))+`"`)
		if w := d.post(cookie(number), "/console/endpoints", url.Values{"url": {"https://x.example"}, "dialect": {"kabar"}, "number": {"a" + idOf(int64(d.s.A.Account))}}); w.Code != http.StatusBadRequest {
			t.Errorf("a number adds one for all: %d", w.Code)
		}
		if w := d.do(d.jar, http.MethodPost, d.path(own)+"/remove", "", func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}); w.Code != http.StatusForbidden {
			t.Errorf("a page of another site: %d", w.Code)
		}
	})
}
