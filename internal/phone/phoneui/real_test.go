package phoneui

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kabar/internal/phone"
	"kabar/internal/ui/uitest"
)

// testRealPhone does with the real phone and its control API what needs no network: the calls of the page are those that
// the API understands.
func testRealPhone(t *testing.T, b *uitest.Browser) {
	p, err := phone.Open(t.Context(), phone.Options{Path: filepath.Join(t.TempDir(), "phone.db"), RelayURL: "ws://127.0.0.1:1", Businesses: []string{business1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	mux := http.NewServeMux()
	mux.Handle("/api/", p.Handler())
	mux.Handle("/", New(p, Options{}).Handler())
	refused := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &statusWriter{ResponseWriter: w}
		mux.ServeHTTP(rec, r)
		if rec.status >= 400 {
			refused <- r.Method + " " + r.URL.Path
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)

	b.Do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(srv.URL), chromedp.Click(`.empty [data-open="new-customer"]`),
		chromedp.SendKeys(`#new-customer [name="name"]`, "Ana"), chromedp.SendKeys(`#new-customer [name="wa_id"]`, ana+kb.Enter))
	b.Until(`location.pathname === "/c/` + ana + `" && document.querySelector("#composer")`)
	b.Do(chromedp.SendKeys("#composer textarea", "Hello"+kb.Enter))
	b.Until(`document.querySelector(".msg.out .ticks.clock")`)

	b.Do(chromedp.DoubleClick(".msg.out .text"), chromedp.SendKeys("#composer textarea", "Once more"+kb.Enter))
	b.Until(`document.querySelectorAll(".msg .quote").length === 1`)
	sendFiles(t, b)
	changeThings(b)
	for range len(refused) {
		t.Errorf("refused: %s", <-refused)
	}

	// One call must be refused, and the page must say why, in front of the dialog.
	b.Do(chromedp.Click(`[data-open="new-customer"]`), chromedp.SendKeys(`#new-customer [name="name"]`, "Ana"), chromedp.SendKeys(`#new-customer [name="wa_id"]`, ana+kb.Enter))
	b.Until(`document.querySelector("dialog[open] #toast:popover-open")?.textContent.includes("already")`)
}

// sendFiles sends one of each kind, and a place.
func sendFiles(t *testing.T, b *uitest.Browser) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.jpg")
	if err := os.WriteFile(file, picture(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"image", "document"} {
		b.Do(chromedp.Click("#attach-button"), chromedp.SetUploadFiles(`[data-attach="`+kind+`"]`, []string{file}))
		b.Until(`document.querySelector("#attachment").open`)
		b.Do(chromedp.SendKeys(`#attachment [name="caption"]`, "A caption"+kb.Enter))
		b.Until(`document.querySelector(".msg .medium.` + kind + `") && !document.querySelector("dialog[open]")`)
	}
	b.Until(`document.querySelector(".msg img").naturalWidth === 480`)
	sound := filepath.Join(t.TempDir(), "a.wav")
	if err := os.WriteFile(sound, tone(), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.Click("#attach-button"), chromedp.SetUploadFiles(`[data-attach="audio"]`, []string{sound}))
	b.Until(`document.querySelector("#attachment").open`)
	b.Do(chromedp.Click(`#attachment .wide`))
	b.Until(`document.querySelector(".msg audio")?.duration > 0.5`)
	b.Do(chromedp.Click("#attach-button"), chromedp.Click(`[data-open="place"]`), chromedp.Click(`#place .wide`))
	b.Until(`document.querySelector(".msg .place")`)
}

// changeThings reacts, deletes, and uses every switch of the handset.
func changeThings(b *uitest.Browser) {
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector(".msg .more").click()`), chromedp.Click(`#menu [data-react="🙏"]`))
	b.Until(`document.querySelector(".chip.mine")`)
	b.Do(chromedp.Click(".chip.mine"))
	b.Until(`!document.querySelector(".chip")`)
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector(".msg .more").click()`), chromedp.Click(`#menu [data-do="delete"]`))
	b.Until(`document.querySelector(".msg.deleted")`)

	for _, name := range []string{"online", "read_receipts", "auto_read", "auto_reply", "blocked"} {
		b.Do(chromedp.Click(`.switches [name="` + name + `"]`))
	}
	b.Until(`document.querySelector(".blocked-note").checkVisibility()`)
	b.Until(`[...document.querySelectorAll(".switches input")].map((e) => e.checked).join() === "false,false,true,true,true"`)
	b.Do(chromedp.Click(".blocked-note button"), chromedp.Click(`.actions button`))
	b.Until(`document.querySelector("#toast").textContent.includes("new keys")`)
	b.Do(chromedp.Click(`.actions .danger`))
	b.Until(`document.querySelector("#toast").textContent.includes("reported")`)
}

// statusWriter notes the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
