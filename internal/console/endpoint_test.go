package console

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/endpoint"
)

func TestAnEmptyPageSaysHowToBegin(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		has(t, "the empty page", d.get(d.jar, "/console/endpoints"), "No endpoint yet", `name="url"`, "/kabar/v1/endpoints", `action="/console/endpoints"`, "All numbers")
		read := d.signIn(auth.Who{Scopes: []string{auth.ScopeRead}})
		hasNot(t, "the empty page of a reader", d.get(read, "/console/endpoints"), `name="url"`)
		d.c.hooks.Numbers = func(context.Context) ([]*kabar.Number, error) { return nil, nil }
		has(t, "the page without a number", d.get(d.jar, "/console/endpoints"), "kabar number add")
	})
}

// A secret is on one page, once; a reload of that page shows that it was.
func TestASecretIsShownOnce(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		form := url.Values{"url": {"https://shop.example/hook"}, "dialect": {"kabar"}, "number": {"a" + idOf(int64(d.s.A.Account))}, "events": {"message.*", "number.fault"}, "description": {"Till <1>"}}
		w := d.post(d.jar, "/console/endpoints", form)
		if w.Code != http.StatusSeeOther {
			t.Fatalf("add: %d\n%s", w.Code, w.Body)
		}
		once := w.Header().Get("Location")
		all, err := d.ep.List(t.Context(), d.s.A.Account)
		if err != nil || len(all) == 0 {
			t.Fatalf("nothing was added: %v", err)
		}
		e := all[len(all)-1].First()
		if !e.Wide || e.Description != "Till <1>" || len(e.Filter.Types) != 2 || e.URL != "https://shop.example/hook" {
			t.Errorf("added %+v", e)
		}
		secret := e.Secrets[0].Value
		if head := d.do(d.jar, http.MethodHead, once, ""); head.Code != http.StatusOK {
			t.Errorf("HEAD: %d", head.Code)
		}
		has(t, "the page of the secret", d.get(d.jar, once), secret, "shown this once", "data-copy")
		for _, path := range []string{once, "/console/endpoints", d.path(all[len(all)-1])} {
			hasNot(t, path, d.get(d.jar, path), secret)
		}

		path := d.path(all[len(all)-1])
		w = d.post(d.jar, path+"/secret", url.Values{"overlap_hours": {"24"}, "kind": {"shared"}})
		now := d.now(all[len(all)-1])
		if w.Code != http.StatusSeeOther || len(now.Secrets) != 2 || now.Secrets[1].Until.Sub(d.k.now) != 24*time.Hour {
			t.Fatalf("replace: %d, %+v", w.Code, now.Secrets)
		}
		has(t, "the page of the new secret", d.get(d.jar, w.Header().Get("Location")), now.Secrets[0].Value)
		w = d.post(d.jar, path+"/secret", url.Values{"overlap_hours": {"0"}, "kind": {"pair"}})
		shown := d.get(d.jar, w.Header().Get("Location"))
		has(t, "the page of a pair", shown, "whpk_")
		hasNot(t, "the page of a pair", shown, "whsk_")
		if w := d.post(d.jar, path+"/secret", url.Values{"overlap_hours": {"999"}}); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "overlap_hours") {
			t.Errorf("too long an overlap: %d\n%s", w.Code, w.Body)
		}

		w = d.post(d.jar, path+"/secret", url.Values{"overlap_hours": {"1"}})
		_, code, _ := strings.Cut(w.Header().Get("Location"), "?")
		elsewhere := d.get(d.jar, d.path(d.add())+"/secret?"+code)
		has(t, "the page of another endpoint", elsewhere, "was shown once")
		hasNot(t, "the page of another endpoint", elsewhere, "whsec_")

		d.k.now = d.k.now.Add(time.Minute)
		w = d.post(d.jar, path+"/secret", url.Values{"overlap_hours": {"1"}})
		d.k.now = d.k.now.Add(linkLife)
		has(t, "a code that is too old", d.get(d.jar, w.Header().Get("Location")), "was shown once")
	})
}

// What cannot be added is told beside what was written.
func TestAMistakeIsToldInTheForm(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		number := "n" + idOf(int64(d.s.A.ID))
		for name, form := range map[string]url.Values{
			"must begin with https": {"url": {"ftp://shop.example"}, "dialect": {"kabar"}, "number": {number}},
			"say where":             {"url": {""}, "dialect": {"kabar"}, "number": {number}},
			"is unknown":            {"url": {"https://shop.example"}, "dialect": {"soap"}, "number": {number}},
			"matches no type":       {"url": {"https://shop.example"}, "dialect": {"kabar"}, "number": {number}, "events": {"rain.*"}},
			"choose one of those":   {"url": {"https://shop.example"}, "dialect": {"kabar"}, "number": {"n999"}},
		} {
			w := d.post(d.jar, "/console/endpoints", form)
			if w.Code != http.StatusBadRequest {
				t.Errorf("%s: %d", name, w.Code)
			}
			has(t, name, html.UnescapeString(w.Body.String()), name, `value="`+form.Get("url")+`"`, `role="alert"`)
		}
		if w := d.do(d.jar, http.MethodPost, "/console/endpoints", `{"url":"https://shop.example"}`); w.Code != http.StatusBadRequest {
			t.Errorf("JSON: %d", w.Code)
		}
		if w := d.post(d.jar, "/console/endpoints", url.Values{"url": {strings.Repeat("x", maxForm)}}); w.Code != http.StatusBadRequest {
			t.Errorf("a large form: %d", w.Code)
		}
	})
}

// The list has the host alone; the page of an endpoint the whole URL, and never a secret or the value of a header.
func TestListAndPage(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		g := d.add(func(w *endpoint.Wanted) {
			w.Number, w.Headers, w.Filter.Types = 0, map[string]string{"X-Key": "h1dden"}, []string{"message.*"}
		})
		d.out.health[g.First().ID] = Health{Pending: 3, Oldest: d.k.now.Add(-5 * time.Minute), Parked: 2, Status: 500, Error: "answered 500 <b>"}
		list := d.get(d.jar, "/console/endpoints")
		has(t, "the list", list, "shop.example", "3 events wait, the oldest from 5 minutes ago", "2 customers apart", "answered 500", "message.*", "Kabar ·", "and those to come", "active", `href="`+d.path(g)+`"`)
		hasNot(t, "the list", list, "s3cr3t")
		page := d.get(d.jar, d.path(g))
		has(t, "the page", page, "https://shop.example/hook?token=s3cr3t", "X-Key", "here, and in the management API", "Send a test event", "Retry what failed", "webhook-signature",
			"verify.go", "verify.mjs", "verify.py", "Verify.java", "verify.php", "/console/deliveries?endpoint="+d.s.DB.PublicEndpoint(g.First().Group), "Remove")
		hasNot(t, "the page", page, "h1dden", g.First().Secrets[0].Value, "x-hub-signature-256")
		for _, missing := range []string{"/console/endpoints/ep_x", "/console/endpoints/" + d.s.DB.PublicEndpoint(999), "/console/endpoints/7"} {
			if w := d.do(d.jar, http.MethodGet, missing, ""); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", missing, w.Code)
			}
		}
	})
}
