package apidoc_test

import (
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"kabar/internal/apidoc"
	"kabar/internal/onprem"
	"kabar/internal/ui"
	"kabar/internal/ui/uitest"
)

var shots = flag.String("shots", "", "folder for the screenshots of the browser test; a temporary one when empty")

// A person reads the page, without scripts: on a desk, in the dark, on a phone.
func TestBrowser(t *testing.T) {
	mux := http.NewServeMux()
	for pattern, h := range apidoc.Handlers(onprem.Description(), "/v1/", slog.New(slog.DiscardHandler)) {
		mux.Handle(pattern, h)
	}
	mux.Handle(ui.AssetPrefix, ui.NewAssets())
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	b := uitest.Open(t, *shots)

	if _, err := chromedp.Call(b.Context(), emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(srv.URL+"/v1/docs"))
	b.Shot("api")
	b.Scheme("dark")
	b.Do(chromedp.Navigate(srv.URL + "/v1/docs#post-v1-messages"))
	b.Shot("api-dark")
	b.Scheme("light")
	b.Do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(srv.URL+"/v1/docs#post-v1-contacts"))
	b.Shot("api-narrow-call")
	b.Do(chromedp.Navigate(srv.URL + "/v1/docs#object-Message"))
	b.Shot("api-narrow")
	if wide := uitest.Eval[int](b, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %d pixels wide in a window of 390", wide)
	}
	if hidden := uitest.Eval[bool](b, `getComputedStyle(document.querySelector("#object-Message").closest("details")).contentVisibility === "hidden" || !document.querySelector("#object-Message").closest("details").open`); hidden {
		t.Error("a link to an object does not open it")
	}
}
