package phoneui

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kabar"
	"kabar/internal/phone"
	"kabar/internal/ui/uitest"
)

var shots = flag.String("shots", "", "folder for the screenshots of the browser tests; a temporary one when empty")

// TestBrowser uses the page in a real browser, one after another in the same one.
func TestBrowser(t *testing.T) {
	b := uitest.Open(t, *shots)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *uitest.Browser)
	}{
		{"chat", testChat}, {"sheets", testSheets}, {"resume", testResume}, {"modern", testModern}, {"hostile", testHostile}, {"layout", testLayout}, {"real phone", testRealPhone},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, b.For(t)) })
	}
}

// open shows the chat with a customer and returns the address of the server.
func open(t *testing.T, b *uitest.Browser, f *fake, handle string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(serve(t, f, Options{Hint: hint}))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	b.Do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(srv.URL+"/c/"+handle))
	b.Until(`document.readyState === "complete"`)
	return srv
}

// A customer and a business chat: everything that is done on the page reaches the API, and everything that happens
// reaches the page.
func testChat(t *testing.T, b *uitest.Browser) {
	f := newFake()
	f.customer(ana, "Ana")
	open(t, b, f, ana)
	b.Until(`document.querySelector(".start pre").textContent.includes("\"to\":\"34600111222\"")`)

	b.Do(chromedp.SendKeys("#composer textarea", "Hello *there*"+kb.Enter))
	b.Until(`document.querySelector(".msg.out .text .b")?.textContent === "there"`)
	b.Until(`!document.querySelector(".start").checkVisibility() && document.querySelector("#composer textarea").value === ""`)
	mine, _ := f.message(ana, func(m phone.Message) bool { return m.Mine })
	for _, step := range []struct {
		status kabar.Status
		class  string
	}{{kabar.Accepted, "clock"}, {kabar.Sent, "sent"}, {kabar.Delivered, "delivered"}, {kabar.Read, "read"}} {
		f.edit(ana, mine.ID, func(m *phone.Message) { m.Status = step.status })
		b.Until(`document.querySelector(".msg.out .ticks.` + step.class + `")`)
		b.Until(`document.querySelector("#people .ticks.` + step.class + `")`)
	}

	f.tell(phone.Change{Customer: ana, Typing: true})
	b.Until(`document.querySelector("#typing .dots")`)
	id := f.add(ana, phone.Message{Context: mine.ID, Content: &kabar.Interactive{
		Type: kabar.InteractiveButton, Body: "Today?", Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: "yes", Title: "Yes, please"}}},
	}})
	b.Until(`!document.querySelector("#typing .dots") && document.querySelector(".msg.in .quote").textContent.includes("Hello")`)
	b.Until(`!document.querySelector("[data-unread]")`) // the page is looked at, so the message is read
	b.Do(chromedp.Click(".choice"))
	b.Until(`[...document.querySelectorAll(".msg.out .text")].at(-1).textContent === "yes"`)

	uitest.Eval[bool](b, `document.querySelector(".msg.in .more").click() ?? true`)
	b.Do(chromedp.Click(`#menu [data-react="👍"]`))
	b.Until(`document.querySelector(".msg.in .chip.mine")?.textContent === "👍"`)
	b.Do(chromedp.Click(`.msg.in .chip.mine`))
	b.Until(`!document.querySelector(".chip")`)

	b.Do(chromedp.DoubleClick(".msg.in .text"), chromedp.SendKeys("#composer textarea", "An answer"+kb.Enter))
	b.Until(`(([last]) => last.querySelector(".text").textContent === "An answer" && last.querySelector(".quote").textContent.includes("Today?"))([...document.querySelectorAll(".msg.out")].slice(-1))`)
	if m, _ := f.message(ana, func(m phone.Message) bool { return m.Context == id && m.Content.Kind() == kabar.KindText }); m.ID == "" {
		t.Error("the answer does not quote")
	}
	b.Until(`document.querySelector("#answering").hidden`)

	uitest.Eval[bool](b, `[...document.querySelectorAll(".msg.out .more")].at(-1).click() ?? true`)
	b.Do(chromedp.Click(`#menu [data-do="delete"]`))
	b.Until(`document.querySelector(".msg.out.deleted")`)
	b.Do(chromedp.SendKeys("#composer textarea", "first"+kb.Enter+"second"+kb.Enter+"third"+kb.Enter))
	b.Until(`[...document.querySelectorAll(".msg.out .text")].slice(-3).map((e) => e.textContent).join() === "first,second,third"`)
	b.Shot("chat")
}

// Files, a place, a list, the switches, and a new customer.
func testSheets(t *testing.T, b *uitest.Browser) {
	f := populated()
	url := open(t, b, f, ana).URL
	file := filepath.Join(t.TempDir(), "harbour.jpg")
	if err := os.WriteFile(file, picture(), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.Click("#attach-button"), chromedp.SetUploadFiles(`[data-attach="image"]`, []string{file}))
	b.Until(`document.querySelector("#attachment").open && document.querySelector("#attachment img").naturalWidth === 480`)
	b.Do(chromedp.SendKeys(`#attachment [name="caption"]`, "The harbour"+kb.Enter))
	b.Until(`[...document.querySelectorAll(".msg.out")].at(-1).querySelector("img")?.naturalWidth === 480`)

	b.Do(chromedp.Click("#attach-button"), chromedp.Click(`[data-open="place"]`), chromedp.SendKeys(`[name="location.name"]`, "Pier 4"+kb.Enter))
	b.Until(`[...document.querySelectorAll(".msg.out")].at(-1).querySelector(".place small")?.textContent === "41.40338, 2.17403"`)

	b.Do(chromedp.Click(`.msg [data-open^="list-"]`), chromedp.Click(`dialog[open] .row`))
	b.Until(`[...document.querySelectorAll(".msg.out .text")].at(-1).textContent === "v60" && !document.querySelector("dialog[open]")`)

	b.Do(chromedp.Click(`[data-play]`))
	b.Until(`document.querySelector(".player.playing")`)
	f.edit(ana, "gBGG0006/=", func(m *phone.Message) { m.Status = kabar.Read })
	b.Until(`document.querySelector(".player").closest(".msg").querySelector(".ticks.read")`)

	b.Do(chromedp.Click(`[name="auto_reply"]`))
	b.Until(`document.querySelector("[name=auto_reply]").checked`)
	b.Do(chromedp.Click(`[name="blocked"]`))
	b.Until(`!document.querySelector("#composer").checkVisibility() && document.querySelector(".blocked-note").checkVisibility()`)
	b.Do(chromedp.Click(`.blocked-note button`))
	b.Until(`document.querySelector("#composer").checkVisibility()`)
	b.Do(chromedp.Click(`.actions .danger`))
	b.Until(`document.querySelector("#toast").textContent.includes("reported")`)
	if customers, _ := f.Customers(t.Context()); !customers[0].AutoReply || customers[0].Blocked || !f.called("POST /api/customers/"+ana+"/report") {
		t.Errorf("the switches did not reach the API: %+v", customers[0])
	}

	b.Do(chromedp.Click(`#header .who`))
	b.Until(`document.querySelector("#profile").open && document.querySelector("#profile").textContent.includes("+34900123456")`)
	b.Do(chromedp.KeyEvent(kb.Escape), chromedp.Click(`[data-open="new-customer"]`), chromedp.SendKeys(`#new-customer [name="name"]`, "Noor"+kb.Enter))
	b.Until(`location.pathname === "/c/34600000999" && document.querySelector("[aria-current]").textContent.includes("Noor")`)

	b.Do(chromedp.Navigate(url), chromedp.SendKeys(`[data-filter]`, "budi"))
	b.Until(`[...document.querySelectorAll("#people > li")].filter((li) => li.checkVisibility()).length === 1`)
}

// A page that was hidden or cut off catches up with everything.
func testResume(t *testing.T, b *uitest.Browser) {
	f := newFake()
	f.customer(ana, "Ana")
	id := f.add(ana, phone.Message{Mine: true, Content: &kabar.Text{Body: "one"}})
	srv := open(t, b, f, ana)
	b.Until(`document.querySelectorAll(".msg").length === 1 && !document.body.classList.contains("offline")`)

	srv.CloseClientConnections()
	f.add(ana, phone.Message{Content: &kabar.Text{Body: "two"}})
	f.edit(ana, id, func(m *phone.Message) { m.Status = kabar.Read })
	b.Until(`document.querySelectorAll(".msg").length === 2 && document.querySelector(".ticks.read") && !document.body.classList.contains("offline")`)

	uitest.Eval[bool](b, `Object.defineProperty(document, "hidden", { value: true, configurable: true }) && document.dispatchEvent(new Event("visibilitychange"))`)
	f.add(ana, phone.Message{Content: &kabar.Text{Body: "three"}})
	uitest.Eval[bool](b, `delete document.hidden && document.dispatchEvent(new Event("visibilitychange"))`)
	b.Until(`document.querySelectorAll(".msg").length === 3`)
	for i := range 2*pageSize + 10 {
		f.add(ana, phone.Message{Content: &kabar.Text{Body: fmt.Sprint("more ", i)}})
	}
	b.Until(fmt.Sprintf(`document.querySelectorAll(".msg").length === %d`, 2*pageSize+13))

	b.Do(chromedp.Reload())
	for _, n := range []int{pageSize, 2 * pageSize, 2*pageSize + 13} {
		b.Until(fmt.Sprintf(`document.querySelectorAll(".msg").length === %d`, n))
		uitest.Eval[bool](b, `document.querySelector("[data-get]")?.click() ?? true`)
	}
	if got := uitest.Eval[string](b, `[...document.querySelectorAll(".msg .text")].slice(0, 4).map((e) => e.textContent).join()`); got != "one,two,three,more 0" {
		t.Errorf("the oldest bubbles are %s", got)
	}
	if n := uitest.Eval[int](b, `document.querySelectorAll(".day").length`); n > 2 { // the fixture's messages are a minute apart
		t.Errorf("%d days between the bubbles", n)
	}
}

// Texts that try to be scripts run in no place of the page, neither when it is loaded nor when they arrive.
func testHostile(t *testing.T, b *uitest.Browser) {
	f := newFake()
	texts := uitest.Hostile()
	s := texts[0]
	f.profile = kabar.Profile{Name: s, Description: s, Address: s, Email: s, Websites: []string{"javascript:pwned()", s}}
	f.customer(ana, s)
	f.customer("6281234567890", `"><img src=x onerror=pwned()>`)
	send := func(text string) {
		file := kabar.NewMedia(kabar.KindDocument)
		file.Filename, file.Caption = text, text
		f.add(ana, phone.Message{Content: &kabar.Text{Body: text}})
		f.add(ana, phone.Message{Content: file, Media: "x"})
		f.add(ana, phone.Message{Content: &kabar.Location{Name: text, Address: text, URL: text}})
		f.add(ana, phone.Message{Content: &kabar.Interactive{Type: kabar.InteractiveButton, Body: text, Footer: text,
			Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: text, Title: text}}}}})
	}
	for _, text := range texts[:20] {
		send(text)
	}
	open(t, b, f, ana)
	uitest.Eval[bool](b, `(window.pwned = () => { window.ran = true }, window.reports = 0, document.addEventListener("securitypolicyviolation", () => window.reports++), true)`)
	for _, text := range texts {
		send(text)
	}
	last := f.add(ana, phone.Message{ID: "last", Content: &kabar.Text{Body: "the last one"}})
	b.Until(`document.getElementById("m-` + last + `")`)
	if uitest.Eval[bool](b, `!!window.ran`) {
		t.Error("a script has run")
	}
	if n := uitest.Eval[int](b, `window.reports`); n > 0 {
		t.Errorf("the policy had to stop %d things", n)
	}
	if n := uitest.Eval[int](b, `document.querySelectorAll("#thread :is(script, iframe, style, form:not([method=dialog]), input:not([type=range]), img, object, embed, base, meta, [onerror], [onload], [onclick])").length`); n > 0 {
		t.Errorf("the thread has %d elements that no message draws", n)
	}
	shown := uitest.Eval[string](b, `JSON.stringify([...document.querySelectorAll(".msg .what b")].map((e) => e.textContent))`)
	var names []string
	if err := json.Unmarshal([]byte(shown), &names); err != nil || len(names) < len(texts) {
		t.Errorf("%d file names of %d are shown: %v", len(names), len(texts), err)
	}
}

// The page is whole at every width and in both schemes.
func testLayout(t *testing.T, b *uitest.Browser) {
	url := open(t, b, populated(), ana).URL
	f := newFake()
	f.customer(ana, "Ana")
	f.customer("34600111333", strings.Repeat("م", 100)) // the longest name there is, without a place to break it
	empty := open(t, b, f, ana).URL + "/c/" + ana
	long := open(t, b, f, "34600111333").URL + "/c/34600111333"
	fits := func(name string, width, height int64, address string) {
		t.Helper()
		b.Do(chromedp.EmulateViewport(width, height), chromedp.Navigate(address))
		b.Until(`document.readyState === "complete" && [...document.images].every((i) => i.complete || i.loading === "lazy")`)
		if w := uitest.Eval[int64](b, `document.documentElement.scrollWidth`); w > width {
			t.Errorf("%s: the page is %d pixels wide in a window of %d", name, w, width)
		}
		if out := uitest.Eval[string](b, `[[".people-head h1", ".people-head"], [".people-head h1", "h1"], [".self b", ".self"]].filter(([text, box]) => {
			const t = document.querySelector(text), range = document.createRange(); if (!t) return false; range.selectNodeContents(t);
			const r = range.getBoundingClientRect(), around = t.closest(box).getBoundingClientRect();
			return r.width && around.width && (r.left < around.left - 1 || r.right > around.right + 1) }).join("; ")`); out != "" {
			t.Errorf("%s: the text runs out of its box: %s", name, out)
		}
		if w := uitest.Eval[int](b, `[...document.querySelectorAll(".scroll")].filter((e) => e.scrollWidth > e.clientWidth).length`); w > 0 {
			t.Errorf("%s: the thread scrolls sideways", name)
		}
		if sent := uitest.Eval[string](b, `(() => { const r = document.querySelector(".send").getBoundingClientRect(); return r.width && (r.right > innerWidth || r.bottom > innerHeight) ? JSON.stringify(r) : "" })()`); sent != "" {
			t.Errorf("%s: the send button is at %s", name, sent)
		}
		b.Shot(name)
	}
	b.Do(chromedp.Navigate(open(t, b, poster(), ana).URL))
	b.Until(`document.querySelector(".msg img")?.naturalWidth`)
	b.Shot("phone")
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		fits("phone-"+scheme, 1280, 860, url+"/c/"+ana)
		fits("phone-medium-"+scheme, 900, 700, url+"/c/"+ana)
		fits("phone-narrow-"+scheme, 360, 740, url+"/c/"+ana)
		fits("phone-empty-"+scheme, 360, 740, empty)
		fits("phone-empty-wide-"+scheme, 1280, 860, empty)
		fits("phone-long-name-"+scheme, 360, 740, long)
		fits("phone-list-"+scheme, 390, 844, url)
	}
	if uitest.Eval[bool](b, `document.querySelector("#thread").checkVisibility() || !document.querySelector("#people").checkVisibility()`) {
		t.Error("the first screen of a narrow window is not the list")
	}
	b.Do(chromedp.Click(`#people a`))
	b.Until(`location.pathname.startsWith("/c/") && document.querySelector("#thread").checkVisibility() && !document.querySelector("#people").checkVisibility()`)
	b.Do(chromedp.Click(`.details-button`))
	b.Until(`document.querySelector("#details").checkVisibility()`)
	b.Do(chromedp.KeyEvent(kb.Escape), chromedp.Click(`.bar .back`))
	b.Until(`location.pathname === "/" && document.querySelector("#people").checkVisibility()`)
	if unlabelled := uitest.Eval[string](b, `[...document.querySelectorAll("button, input, textarea, a")].filter((e) => !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.type === "hidden" || e.type === "checkbox")).map((e) => e.outerHTML).join("\n")`); strings.TrimSpace(unlabelled) != "" {
		t.Errorf("without a name for those who do not see:\n%s", unlabelled)
	}
}
