package console

import (
	"flag"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"kabar/internal/ui/uitest"
)

var shots = flag.String("shots", "", "folder for the screenshots of the browser test; a temporary one when empty")

// A person follows the link, looks, and signs out, in a real browser.
func TestBrowser(t *testing.T) {
	status := &fake{view: fixture()}
	c := New(status, Options{})
	srv := httptest.NewServer(served(c))
	t.Cleanup(srv.Close)
	b := uitest.Open(t, *shots)

	b.Do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(srv.URL+"/"))
	b.Until(`document.body.textContent.includes("one-time link")`)
	b.Shot("console-signed-out")

	b.Do(chromedp.Navigate(srv.URL + c.NewLink(time.Now(), operator())))
	b.Until(`location.pathname === "/" && document.querySelector("#live")`)
	b.Shot("console")
	b.Scheme("dark")
	b.Shot("console-dark")
	b.Scheme("light")
	b.Do(chromedp.EmulateViewport(390, 844))
	b.Shot("console-narrow")
	if wide := uitest.Eval[int](b, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %d pixels wide in a window of 390", wide)
	}
	b.Do(chromedp.EmulateViewport(1280, 860))

	uitest.Eval[bool](b, `document.querySelector("details.step").open = true`)
	status.set(func(v *View) { v.Lights[1].Text, v.Lights[1].Count = "catching up", 41 })
	b.Until(`document.querySelector("#live").textContent.includes("41 events waiting")`)
	if !uitest.Eval[bool](b, `document.querySelector("details.step").open`) {
		t.Error("news of the server close what the reader has opened")
	}

	b.Do(chromedp.Click(`form[action="/logout"] button`))
	b.Until(`document.body.textContent.includes("one-time link")`)
	b.Do(chromedp.Navigate(srv.URL + "/"))
	b.Until(`document.body.textContent.includes("one-time link")`)
}
