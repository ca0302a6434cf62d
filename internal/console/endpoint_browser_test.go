package console

import (
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"kabar"
	"kabar/internal/ui/uitest"
)

// A person adds an endpoint, keeps its secret, tests it and pauses it, in a browser that runs no script; then watches it with one.
func TestBrowserWebhooks(t *testing.T) {
	newHookDesk(t, func(d *hookDesk) {
		srv := httptest.NewServer(d.site)
		t.Cleanup(srv.Close)
		b := uitest.Open(t, *shots)
		script := func(on bool) {
			if _, err := chromedp.Call(b.Context(), emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
				t.Fatal(err)
			}
		}
		b.Do(chromedp.EmulateViewport(1280, 1000), chromedp.Navigate(srv.URL+d.c.NewLink(d.k.now, operator())))
		b.Until(`location.pathname === "/"`)
		script(false)
		b.Do(chromedp.Navigate(srv.URL + "/console/endpoints"))
		b.Shot("webhooks-empty")
		b.Do(chromedp.SetValue(`input[name=url]`, "https://shop.example/hook?token=s3cr3t"), chromedp.Click(`input[value="message.*"]`), chromedp.Click(`form.editor button`))
		b.Until(`document.querySelector(".command pre")?.textContent.startsWith("whsec_")`)
		b.Shot("webhooks-secret")
		b.Do(chromedp.Click(`main a.button`))
		b.Until(`document.body.textContent.includes("https://shop.example/hook?token=s3cr3t")`)
		b.Do(chromedp.Click(`label[for=snippet-2]`))
		b.Until(`document.querySelector("#snippet-2 + label + .tab").checkVisibility() && !document.querySelector("#snippet-0 + label + .tab").checkVisibility()`)
		b.Shot("webhooks-endpoint")
		d.out.trial = Trial{ID: "evt_test1", Body: []byte(`{"text":"hello"}`), Status: 503, Error: "answered 503", Answer: []byte("<b>busy</b>"), Took: 12 * time.Millisecond}
		b.Do(chromedp.Click(`form[action$="/test"] button`))
		b.Until(`document.querySelector(".exchange")?.textContent.includes("<b>busy</b>")`)
		if uitest.Eval[bool](b, `(([a, b]) => a.right > b.left || a.top !== b.top)([...document.querySelectorAll(".exchange > section")].map((e) => e.getBoundingClientRect()))`) {
			t.Error("request and answer are not side by side")
		}
		b.Shot("webhooks-test")
		b.Do(chromedp.Click(`main .trail a`), chromedp.Click(`form[action$="/state"] button`))
		b.Until(`document.querySelector(".mark.unset")?.textContent.includes("paused")`)
		script(true)
		d.watch(b, srv.URL)
	})
}

// watch looks at what becomes of an endpoint while its page is open, and at the log.
func (d *hookDesk) watch(b *uitest.Browser, base string) {
	all, err := d.ep.List(d.t.Context(), d.s.A.Account)
	if err != nil || len(all) == 0 {
		d.t.Fatal(err)
	}
	g := all[len(all)-1]
	b.Do(chromedp.Navigate(base + d.path(g)))
	b.Until(`document.querySelector("input[name=since]")`)
	uitest.Eval[string](b, `document.querySelector("input[name=since]").value = "2026-11-23T10:00"`)
	d.change(g, func(c *kabar.EndpointConfig) { c.Become(kabar.EndpointSuspended, "it has taken nothing", d.k.now) })
	b.Until(`document.querySelector("#alarm a") && document.querySelector("#live .mark.bad")?.textContent.includes("suspended")`)
	if got := uitest.Eval[string](b, `document.querySelector("input[name=since]").value`); got != "2026-11-23T10:00" {
		d.t.Errorf("news of the server change what is written in a form: %q", got)
	}
	log, seqs := d.logged("<b>busy</b>")
	for name, path := range map[string]string{"endpoint-suspended": d.path(g), "list": "/console/endpoints", "log": "/console/deliveries?" + url.Values{"state": {"retrying"}}.Encode(),
		"delivery": d.delivery(log, seqs[0]), "new": "/console/endpoints/new"} {
		b.Do(chromedp.EmulateViewport(1280, 1000), chromedp.Navigate(base+path))
		b.Shot("webhooks-" + name)
		b.Scheme("dark")
		b.Do(chromedp.EmulateViewport(390, 844))
		b.Shot("webhooks-" + name + "-narrow")
		b.Scheme("light")
		if wide := uitest.Eval[int](b, `document.documentElement.scrollWidth`); wide > 390 {
			d.t.Errorf("%s is %d pixels wide in a window of 390", path, wide)
		}
	}
}
