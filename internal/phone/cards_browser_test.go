package phone_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"kabar"
	"kabar/internal/payload"
	"kabar/internal/phone/phoneui"
	"kabar/internal/ui/uitest"
)

// painted is a picture of one colour, so many pixels wide.
func painted(width int, c color.Color) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, 200))
	for x := range width {
		for y := range 200 {
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // into memory
	return b.Bytes()
}

// Each card of a carousel shows its own picture on the page, which grows when it is tapped; one that cannot be had says so, and one
// that did not come along has its name.
func TestTheCardsOnThePage(t *testing.T) {
	browser := uitest.Open(t, *shots)
	h, b := together(t)
	ana := h.customer("Ana")
	mux := http.NewServeMux()
	mux.Handle("/api/", h.Handler())
	mux.Handle("/", phoneui.New(h.Phone, phoneui.Options{}).Handler())
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	browser.Do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(srv.URL+"/c/"+ana))
	browser.Until(`document.querySelector("#composer")`)

	content := &kabar.Template{Name: "sale", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "New this week"}}
	for _, name := range []string{"Tea", "Cups", "Pots", "Trays"} {
		content.Rendered.Cards = append(content.Rendered.Cards, kabar.Rendered{Header: &kabar.Header{Type: kabar.KindImage, Media: kabar.NewMedia(kabar.KindImage)},
			Body: name, Buttons: []kabar.RenderedButton{{Type: kabar.ButtonQuickReply, Text: "More", Payload: "more " + name}}})
	}
	m := b.message(content)
	m.Cards = []payload.Medium{*b.put("image/png", painted(301, color.RGBA{20, 120, 80, 255})), *b.put("image/png", painted(302, color.RGBA{180, 60, 40, 255})),
		*b.put("image/png", painted(303, color.Black))}
	m.Cards[2].CipherHash = make([]byte, 32) // not what lies at the relay
	b.post(ana, &payload.Payload{Message: m})

	const card = `document.querySelectorAll(".carousel > li")`
	browser.Until(card + `.length === 4`)
	for n, width := range []string{"301", "302"} {
		browser.Until(card + `[` + string(rune('0'+n)) + `].querySelector(".medium img")?.naturalWidth === ` + width)
	}
	browser.Until(card + `[2].querySelector(".medium .note")?.textContent.includes("The file is not here")`)
	browser.Until(card + `[3].querySelector("p.picture")?.textContent.includes("Photo")`)
	browser.Until(card + `[0].offsetWidth < 230 && ` + card + `[0].offsetHeight === ` + card + `[3].offsetHeight`)
	browser.Shot("cards")
	uitest.Eval[float64](browser, `document.querySelector(".carousel").scrollLeft = 1000`)
	browser.Shot("cards-end")
	browser.Do(chromedp.Click(`.carousel > li:nth-child(2) .medium button.picture`))
	browser.Until(`[...document.querySelectorAll("dialog[open] img")].some((i) => i.naturalWidth === 302)`)
}
