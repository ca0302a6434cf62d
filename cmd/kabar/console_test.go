package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/patience"
	"kabar/internal/ui/uitest"
)

var shots = flag.String("shots", "", "folder for the screenshots of the browser test; a temporary one when empty")

// runDev runs kabar dev in this process until the test ends.
func runDev(t *testing.T) (*dev, *ready) {
	t.Helper()
	d, err := openTestDev(t, "")
	if err != nil {
		t.Fatal(err)
	}
	d.cmd.ReadyFile = filepath.Join(t.TempDir(), "ready.json")
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.run(ctx, streams{io.Discard, io.Discard}) }()
	t.Cleanup(func() {
		stop()
		if err := ended(<-done); err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	var r *ready
	patience.Until(t, "kabar dev is ready", func() bool {
		text, err := os.ReadFile(d.cmd.ReadyFile)
		return err == nil && json.Unmarshal(text, &r) == nil
	})
	return d, r
}

// A template is written, rejected, written anew and approved in the console, and arrives on a customer's phone page as the
// console has shown it.
func TestConsoleFromDraftToPhone(t *testing.T) {
	b := uitest.Open(t, *shots)
	d, r := runDev(t)
	account := d.server.first().Account
	if err := d.server.engine.Templates().SetPolicy(t.Context(), account, kabar.TemplatePolicy{Review: kabar.ReviewManual}); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(r.Console))
	b.Until(`location.pathname === "/" && document.querySelector(".sections")`)
	b.Do(chromedp.Navigate(r.API + "/console/review"))
	b.Until(`document.body.textContent.includes("Nothing waits for you")`)
	b.Shot("review-empty")

	writeTemplate(b, r.API)
	judgeTemplate(b, r.API)

	sendParcel(t, r)
	b.Do(chromedp.Navigate(r.Phone + "/c/" + r.Customers[0].WaID))
	b.Until(`document.querySelector(".msg .text")?.textContent === "Dear Budi, your parcel 7 of Kabar Coffee has been sent."`)
	b.Until(`document.querySelector(".choice")?.href === "https://shop.example/7"`)
	b.Shot("phone")
	b.Do(chromedp.Navigate(r.API + "/console/templates"))
	narrowAndDark(t, b)
}

// writeTemplate fills in the editor by keyboard, with a fault first.
func writeTemplate(b *uitest.Browser, api string) {
	b.Do(chromedp.Navigate(api+"/console/templates"), chromedp.Click(`.page-head .button`))
	b.Until(`document.querySelector("[data-preview]")`)
	b.Do(chromedp.SendKeys(`[name="name"]`, "parcel"), chromedp.SendKeys(`[name="body.text"]`, "{{1}}, your parcel {{2}} has been sent."))
	b.Until(`document.querySelector(".found").textContent.includes("begins or ends with a variable")`)
	b.Shot("editor-faults")
	set(b, "body.text", "")
	b.Do(chromedp.SendKeys(`[name="body.examples"]`, "Ana\n1042"), chromedp.SendKeys(`[name="body.text"]`, "Dear {{1}}, your parcel {{2}} has been sent."))
	set(b, "buttons.0.type", "URL")
	b.Do(chromedp.SendKeys(`[name="buttons.0.text"]`, "Track"), chromedp.SendKeys(`[name="buttons.0.value"]`, "https://shop.example/{{1}}"),
		chromedp.SendKeys(`[name="buttons.0.example"]`, "https://shop.example/1042"))
	b.Until(`document.querySelector(".found").textContent.includes("Ready for review")`)
	b.Until(`document.querySelector("#preview .msg .text").textContent === "Dear Ana, your parcel 1042 has been sent." && document.querySelector("#preview .choice").href === "https://shop.example/1042"`)
	b.Shot("editor")
	b.Do(chromedp.Click(`.editor .wide`))
	b.Until(`/templates\/\d+$/.test(location.pathname) && document.querySelector(".mark")?.textContent === "PENDING"`)
	b.Shot("template-pending")
}

// set gives a field of a form a value.
func set(b *uitest.Browser, name, value string) {
	uitest.Eval[bool](b, fmt.Sprintf(`((e) => { e.value = %q; return e.dispatchEvent(new Event("input", { bubbles: true })) })(document.querySelector('[name=%q]'))`, value, name))
}

// judgeTemplate rejects, edits and approves.
func judgeTemplate(b *uitest.Browser, api string) {
	b.Do(chromedp.Navigate(api + "/console/review"))
	b.Until(`document.querySelectorAll("article.case").length === 1`)
	b.Shot("review")
	b.Do(chromedp.Click(`.reject summary`), chromedp.SendKeys(`.reject [name="note"]`, "Name the shop."))
	set(b, "reason", "INVALID_FORMAT")
	b.Shot("review-reject")
	b.Do(chromedp.Click(`.reject .warning`))
	b.Until(`document.body.textContent.includes("Nothing waits for you")`)

	b.Do(chromedp.Navigate(api+"/console/templates?status=REJECTED"), chromedp.Click(`.entry`))
	b.Until(`document.querySelector(".said.bad")?.textContent.includes("Name the shop.")`)
	b.Shot("template-rejected")
	b.Do(chromedp.Click(`.deeds a`))
	b.Until(`document.querySelector("[data-preview]") && document.querySelector('[name="body.text"]').value.includes("parcel")`)
	set(b, "body.text", "")
	b.Do(chromedp.SendKeys(`[name="body.text"]`, "Dear {{1}}, your parcel {{2}} of Kabar Coffee has been sent."))
	b.Until(`document.querySelector("#preview .msg .text").textContent.includes("of Kabar Coffee")`)
	b.Do(chromedp.Click(`.editor .wide`))
	b.Until(`/templates\/\d+$/.test(location.pathname) && document.querySelector(".mark")?.textContent === "PENDING"`)

	b.Do(chromedp.Navigate(api+"/console/review"), chromedp.Focus(`.deeds .button`), chromedp.KeyEvent("\r"))
	b.Until(`document.body.textContent.includes("Nothing waits for you")`)
	b.Do(chromedp.Navigate(api+"/console/templates?q=parcel"), chromedp.Click(`.entry`))
	b.Until(`document.querySelector(".mark")?.textContent === "APPROVED"`)
	b.Shot("template-approved")
}

// narrowAndDark looks at the pages as they are on a telephone and at night.
func narrowAndDark(t *testing.T, b *uitest.Browser) {
	t.Helper()
	origin := uitest.Eval[string](b, `location.origin`)
	template := uitest.Eval[string](b, `[...document.querySelectorAll(".entry")].find((e) => e.textContent.includes("parcel")).pathname`)
	for name, path := range map[string]string{"list": "/console/templates", "editor-json": "/console/templates/new?json", "editor-new": "/console/templates/new",
		"template": template, "editor-again": template + "/edit"} {
		b.Do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(origin+path))
		b.Until(`document.readyState === "complete" && document.querySelector(".board")`)
		if wide := uitest.Eval[int](b, `document.documentElement.scrollWidth`); wide > 390 {
			t.Errorf("%s is %d pixels wide in a window of 390", path, wide)
		}
		b.Shot(name + "-narrow")
		b.Do(chromedp.EmulateViewport(1280, 900))
		b.Scheme("dark")
		b.Shot(name + "-dark")
		b.Scheme("light")
	}
}

// sendParcel sends the template through /v1, as an application would.
func sendParcel(t *testing.T, r *ready) {
	t.Helper()
	body := `{"to":"` + r.Customers[0].WaID + `","type":"template","template":{"name":"parcel","language":{"code":"en"},"components":[
		{"type":"body","parameters":[{"type":"text","text":"Budi"},{"type":"text","text":"7"}]},
		{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"7"}]}]}}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.API+"/v1/messages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.OnPrem.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusCreated && res.StatusCode != http.StatusOK {
		t.Fatalf("send: %d %s", res.StatusCode, text)
	}
}

// A link by command: of the whole server, of one account, and none for what there is not.
func TestConsoleLink(t *testing.T) {
	d, err := openTestDev(t, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	d.server.addr = d.ln.api.Addr()
	op := control.Local(d.server.operations())
	for _, tt := range []struct {
		in   consoleLink
		want string // of the refusal; empty: a link
	}{
		{consoleLink{}, ""},
		{consoleLink{Account: devBusiness, Scopes: []string{"read"}}, ""},
		{consoleLink{Account: "Nobody"}, "Nobody"},
		{consoleLink{Scopes: []string{"lab"}}, `no scope "lab"`},
	} {
		var out consoleAddress
		err := op.Call(t.Context(), "console.link", tt.in, &out, nil)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || err == nil && !strings.Contains(out.URL, "/login?code=") {
			t.Errorf("%+v: %q, %v", tt.in, out.URL, err)
		}
	}
}
