package phone_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"kabar"
	"kabar/internal/patience"
	"kabar/internal/phone/phoneui"
	"kabar/internal/ui/uitest"
)

// A link on the page is opened by the browser, with the left button or the middle one, and the business hears of it both times. Nobody
// else goes there.
func TestALinkIsOpenedInTheBrowser(t *testing.T) {
	browser := uitest.Open(t, *shots)
	var opened, others atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.UserAgent(), "Mozilla/"):
			others.Add(1)
		case r.URL.Path == "/cups":
			opened.Add(1)
		}
	}))
	t.Cleanup(target.Close)
	t.Cleanup(target.CloseClientConnections)
	h, b := together(t)
	ana := h.customer("Ana")
	link := func(path string) []kabar.RenderedButton {
		return []kabar.RenderedButton{{Type: kabar.ButtonURL, Text: "Shop", URL: target.URL + path}}
	}
	wire := b.say(ana, &kabar.Template{Name: "offer", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "20% off", Buttons: link("/"),
		Cards: []kabar.Rendered{{Body: "Tea", Buttons: link("/tea")}, {Body: "Cups", Buttons: link("/cups")}}}})
	h.expect(ana, "the template", func(m map[string]any) bool { return m["type"] == "template" })
	mux := http.NewServeMux()
	mux.Handle("/api/", h.Handler())
	mux.Handle("/", phoneui.New(h.Phone, phoneui.Options{}).Handler())
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)

	const choice = `a.choice[href$="/cups"]`
	browser.Do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(srv.URL+"/c/"+ana), chromedp.Click(choice))
	patience.Until(t, "the tap arrives", func() bool { return len(b.opens()) == 1 })
	at := uitest.Eval[[]float64](browser, `(() => { const r = document.querySelector('`+choice+`').getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`)
	browser.Do(chromedp.MouseClickXY(at[0], at[1], chromedp.ButtonMiddle))
	patience.Until(t, "the second tap arrives", func() bool { return len(b.opens()) == 2 })
	patience.Until(t, "the browser has opened the link twice", func() bool { return opened.Load() == 2 })
	for _, tap := range b.opens() {
		if tap.Message != wire || tap.Card != 2 || tap.Button != 0 {
			t.Errorf("the business hears %+v", tap)
		}
	}
	if n := others.Load(); n != 0 {
		t.Errorf("%d requests for the links were not the browser's", n)
	}
}
