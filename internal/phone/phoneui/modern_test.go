package phoneui

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kabar"
	"kabar/internal/patience"
	"kabar/internal/phone"
	"kabar/internal/ui/uitest"
)

// answers are the calls of the API that answer with more than a tap: they are noted with their bodies.
func (f *fake) answers(mux *http.ServeMux) {
	note := func(w http.ResponseWriter, r *http.Request) {
		body := decode[json.RawMessage](r)
		f.mu.Lock()
		f.bodies = append(f.bodies, strings.TrimPrefix(r.URL.Path, "/api/customers/"+ana+"/")+" "+string(body))
		f.mu.Unlock()
		answer(w, http.StatusOK, map[string]string{"wa_id": "34600999888"})
	}
	const message = "POST /api/customers/{c}/messages/{m}/"
	for _, pattern := range []string{message + "order", message + "answer", message + "forward", "POST /api/customers/{c}/change_number"} {
		mux.HandleFunc(pattern, note)
	}
}

// last returns the last of these calls.
func (f *fake) last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.bodies) == 0 {
		return ""
	}
	return f.bodies[len(f.bodies)-1]
}

// noted waits for a call with a body.
func (f *fake) noted(t *testing.T, b *uitest.Browser, want string) {
	t.Helper()
	if !patience.Comes(func() bool { return f.last() == want }) {
		t.Errorf("the API was called with\n%s\nwant\n%s", f.last(), want)
	}
	b.Until(`!document.querySelector(".busy") && !document.querySelector("dialog[open]")`)
}

// What a customer can do beyond writing and tapping: order, fill in, forward, come from an ad, change number.
func testModern(t *testing.T, b *uitest.Browser) {
	f := modern()
	open(t, b, f, ana)
	b.Shot("phone-modern-end")
	uitest.Eval[bool](b, `(document.querySelector(".msg").scrollIntoView({ behavior: "instant" }), true)`)
	b.Until(`[...document.images].every((i) => i.complete)`)
	b.Shot("phone-modern-begin")
	opens := func(kind string) {
		t.Helper()
		uitest.Eval[bool](b, `document.getElementById("m-ask-`+kind+`").querySelector("[data-open]").click() ?? true`)
		b.Until(`getComputedStyle(document.querySelector("dialog[open]")).opacity === "1"`)
		b.Shot("phone-form-" + kind)
	}
	opens("product_list")
	if n := uitest.Eval[int](b, `document.querySelectorAll("dialog[open] input:disabled").length`); n != 1 {
		t.Errorf("%d products cannot be ordered", n)
	}
	b.Do(chromedp.SendKeys(`dialog[open] [data-item="sumatra-250"]`, "2"), chromedp.SendKeys(`dialog[open] [name="text"]`, "soon"+kb.Enter))
	f.noted(t, b, `messages/ask-product_list/order {"items":[{"product_retailer_id":"sumatra-250","quantity":2}],"text":"soon"}`)
	opens("flow")
	b.Do(chromedp.SetValue(`dialog[open] textarea`, `{"day":"Friday"}`), chromedp.Click(`dialog[open] .wide`))
	f.noted(t, b, `messages/ask-flow/answer {"response":{"day":"Friday"}}`)
	opens("address_message")
	b.Do(chromedp.SendKeys(`dialog[open] [name="response.city"]`, "Mumbai"+kb.Enter))
	f.noted(t, b, `messages/ask-address_message/answer {"response":{"name":"Ana","city":"Mumbai"}}`)
	opens("location_request_message")
	b.Do(chromedp.Click(`dialog[open] .wide`))
	f.noted(t, b, `messages/ask-location_request_message/answer {"location":{"latitude":41.40338,"longitude":2.17403}}`)

	for _, c := range []struct{ verb, body string }{{"forward", ""}, {"spread", `{"frequently_forwarded":true}`}} {
		uitest.Eval[bool](b, `document.getElementById("m-ask-cta_url").querySelector(".more").click() ?? true`)
		b.Do(chromedp.Click(`#menu [data-do="` + c.verb + `"]`))
		want := "messages/ask-cta_url/forward " + c.body
		f.noted(t, b, want)
	}
	testAttach(t, b, f)

	b.Do(chromedp.Click(`[data-open="change-number"]`), chromedp.SendKeys(`#change-number [name="wa_id"]`, "34600999888"))
	b.Shot("phone-form-change-number")
	f.customer("34600999888", "Ana")
	b.Do(chromedp.SendKeys(`#change-number [name="wa_id"]`, kb.Enter))
	b.Until(`location.pathname === "/c/34600999888"`)
}

// testAttach sends a contact and a sticker, and comes from an ad.
func testAttach(t *testing.T, b *uitest.Browser, f *fake) {
	t.Helper()
	attach := func(what string) {
		b.Do(chromedp.Click(`#attach-button`), chromedp.Click(`#attach [data-open="`+what+`"]`))
	}
	attach("contact")
	b.Shot("phone-form-contact")
	b.Do(chromedp.SendKeys(`#contact [name="contacts.0.phones.0.phone"]`, "+62811"+kb.Enter))
	b.Until(`[...document.querySelectorAll(".msg.out")].at(-1).textContent.includes("Budi Santoso")`)
	sent, _ := f.message(ana, func(m phone.Message) bool { return m.Mine && m.Content.Kind() == kabar.KindContacts })
	if c, ok := sent.Content.(*kabar.Contacts); !ok || len(c.Cards) != 1 || len(c.Cards[0].Phones) != 1 || c.Cards[0].Phones[0].Phone != "+62811" || c.Cards[0].Emails != nil {
		t.Errorf("the contact is %+v", sent.Content)
	}
	file := filepath.Join(t.TempDir(), "p.jpg")
	if err := os.WriteFile(file, picture(), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.SetUploadFiles(`[data-attach="sticker"]`, []string{file}))
	b.Until(`document.querySelector("#attachment").open`)
	b.Do(chromedp.Click(`#attachment .wide`))
	b.Until(`[...document.querySelectorAll(".msg.out")].at(-1).querySelector(".sticker img")`)
	attach("ad")
	b.Do(chromedp.SetUploadFiles(`#ad [type="file"]`, []string{file}))
	b.Shot("phone-form-ad")
	b.Do(chromedp.Click(`#ad .wide`))
	b.Until(`[...document.querySelectorAll(".msg.out")].at(-1).querySelector(".ad img")`)
}
