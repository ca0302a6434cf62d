package phone_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"kabar"
	"kabar/internal/phone/phoneui"
	"kabar/internal/ui/uitest"
)

var shots = flag.String("shots", "", "folder for the screenshots of the browser tests; a temporary one when empty")

// What is chosen on the page decides at once what else the screen asks, and what is being written meanwhile stays.
func TestAFlowBranchesInTheBrowser(t *testing.T) {
	b := uitest.Open(t, *shots)
	form := strings.Replace(fmt.Sprintf(trip, `,"on-select-action":{"name":"data_exchange","payload":{"land":"${form.land}"}}`),
		`{"type":"Footer"`, `{"type":"TextInput","name":"note","label":"Note","init-value":"none"},{"type":"Footer"`, 1)
	h, shop, ana, _ := travelling(t, strings.Replace(form, `"town":"${form.town}"`, `"town":"${form.town}","note":"${form.note}"`, 1))
	shop.flow = func(*kabar.FlowQuestion) *kabar.FlowStep {
		return &kabar.FlowStep{Screen: "TRIP", Data: []byte(`{"towns":[{"id":"bcn","title":"Barcelona"}]}`)}
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", h.Handler())
	mux.Handle("/", phoneui.New(h.Phone, phoneui.Options{}).Handler())
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)

	const field = `dialog[open] [name="values.`
	b.Do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(srv.URL+"/c/"+ana), chromedp.Click(`[data-open^="form-"]`))
	b.Until(`document.querySelector('` + field + `kind"]') && !document.querySelector('` + field + `vat"]')`)
	choose := func(name, id string) {
		uitest.Eval[bool](b, `(() => { const e = document.querySelector('`+field+name+`"]'); e.value = "`+id+`"; return e.dispatchEvent(new Event("change", { bubbles: true })) })()`)
	}
	uitest.Eval[bool](b, `(() => { const e = document.querySelector('`+field+`note"]'); e.focus(); e.value = "half a wo"; e.setSelectionRange(4, 4); return true })()`)
	choose("kind", "firm")
	b.Until(`document.querySelector('` + field + `vat"]')`)
	b.Until(`document.activeElement.name === "values.note" && document.activeElement.value === "half a wo" && document.activeElement.selectionStart === 4`)
	choose("land", "es")
	b.Until(`[...(document.querySelector('` + field + `town"]')?.options ?? [])].some((o) => o.value === "bcn")`)
	b.Shot("phone-flow-branches")
	choose("kind", "me")
	b.Until(`!document.querySelector('` + field + `vat"]')`)
	uitest.Eval[bool](b, `(document.querySelector('`+field+`note"]').value = "") === ""`)
	choose("town", "bcn")
	b.Do(chromedp.Click(`dialog[open] form .wide`))
	b.Until(`!document.querySelector("dialog[open]")`)
	b.Until(`document.querySelector(".msg.out .goods")`)
	reply := uitest.Eval[string](b, `document.querySelector(".msg.out .goods").textContent`)
	if want := "kindmenotetownbcnvat"; reply != want {
		t.Errorf("the customer has sent %q, want %q", reply, want)
	}
}
