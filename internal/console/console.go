// Package console is the operator's first page: what is running, how the network and the webhook are, and the next
// step, with commands to copy.
//
// Sign-in is by a one-time link ([Console.NewLink]), printed at every start; there is no password to guess and no
// default one. A link and the session it opens live in memory only: a restart ends them. Who has a session sees the
// page; nothing on it changes anything but the sign-out, which like every POST must come from the page's own origin.
//
// The package does not find out what it shows: a [Status] tells it. Links and sessions use real time. A Console is safe
// for concurrent use and starts no goroutine; its streams end with their request's context and with the session.
package console

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"kabar/internal/ui"
	"kabar/internal/web"
)

//go:embed html
var templates embed.FS

// refresh is how often an open page looks for news.
const refresh = 2 * time.Second

// Status says what is running.
type Status interface {
	Status(ctx context.Context) (View, error)
}

// Options of a Console.
type Options struct {
	Log *slog.Logger     // nil discards
	Now func() time.Time // nil is time.Now
}

// Console serves the page.
type Console struct {
	status   Status
	log      *slog.Logger
	now      func() time.Time
	assets   *ui.Assets
	pages    *ui.Pages
	links    links
	sessions sessions
}

// New returns a console of status. It panics when the embedded templates are broken: a mistake in the program.
func New(status Status, opt Options) *Console {
	sub, err := fs.Sub(templates, "html")
	if err != nil {
		panic(err)
	}
	assets := ui.NewAssets()
	pages, err := ui.NewPages(assets, sub, "*.html")
	if err != nil {
		panic(err)
	}
	c := &Console{status: status, log: opt.Log, now: opt.Now, assets: assets, pages: pages}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c
}

// NewLink returns path and query of a link that signs in once within 10 minutes: "/login?code=…". The newest 16 links
// are good; an older one that was never used is forgotten.
func (c *Console) NewLink(now time.Time) string { return "/login?code=" + c.links.add(now) }

// Handlers returns the handlers by pattern, each with the security headers of pages.
func (c *Console) Handlers() map[string]http.Handler {
	all := map[string]http.Handler{
		"GET " + ui.AssetPrefix: c.assets,
		"GET /{$}":              http.HandlerFunc(c.home),
		"GET /login":            http.HandlerFunc(c.login),
		"POST /logout":          http.HandlerFunc(c.logout),
		"GET /stream":           http.HandlerFunc(c.stream),
	}
	for pattern, h := range all {
		all[pattern] = web.PageHeaders(web.SameOrigin(h))
	}
	return all
}

// Handler serves all of Handlers. Everything else is 404.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range c.Handlers() {
		mux.Handle(pattern, h)
	}
	mux.Handle("/", web.PageHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.message(w, http.StatusNotFound, notFound) })))
	return mux
}

func (c *Console) home(w http.ResponseWriter, r *http.Request) {
	if _, ok := c.session(r, true); !ok {
		c.message(w, http.StatusUnauthorized, signedOut)
		return
	}
	view, err := c.status.Status(r.Context())
	if err != nil {
		c.log.ErrorContext(r.Context(), "console", "error", err)
		c.message(w, http.StatusInternalServerError, unreadable)
		return
	}
	c.write(w, http.StatusOK, "page", page{ui.Head{Title: "Kabar", Class: "console", Stream: "/stream"}, view})
}

// login opens a session for a good code. It answers with a page that goes on by itself instead of a redirect: the cookie
// is SameSite=Strict, and a redirect that began on another site (a terminal in a browser, say) would not bring it.
func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // a HEAD, which programs send to look at a link, must not use it up
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	now := c.now()
	if !c.links.use(r.URL.Query().Get("code"), now) {
		c.message(w, http.StatusForbidden, usedUp)
		return
	}
	c.end(r)
	http.SetCookie(w, cookie(r, c.sessions.open(now), 0))
	c.message(w, http.StatusOK, signedIn)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	c.end(r)
	http.SetCookie(w, cookie(r, "", -1))
	w.Header().Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	c.message(w, http.StatusOK, signedOut)
}

// stream sends the page's changing part whenever it differs from what was sent last. It does not keep a session awake.
func (c *Console) stream(w http.ResponseWriter, r *http.Request) {
	token, ok := c.session(r, false)
	if !ok {
		c.message(w, http.StatusUnauthorized, signedOut)
		return
	}
	out, err := ui.OpenStream(w)
	if err != nil {
		return // the client has gone
	}
	last := ""
	send := func([]time.Time) error {
		if !c.sessions.valid(token, c.now(), false) {
			return errSignedOut
		}
		view, err := c.status.Status(r.Context())
		if err != nil {
			return err
		}
		html, err := c.pages.Fragment("live", view)
		if err != nil || string(html) == last {
			return err
		}
		last = string(html)
		return out.Send("", html)
	}
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	if err = send(nil); err == nil {
		err = ui.Follow(r.Context(), out, ticker.C, send)
	}
	if err != nil && !errors.Is(err, errSignedOut) && r.Context().Err() == nil {
		c.log.DebugContext(r.Context(), "console stream ended", "error", err)
	}
}

var errSignedOut = errors.New("the session has ended")

// message is a page that says one thing.
type message struct {
	Head        ui.Head
	Title, Text string
	Forward     string // where to go on; may be empty
	Go          string // the text of that link
	Now         bool   // go there at once
}

var (
	signedOut = message{Title: "Sign in to Kabar",
		Text: "The console opens with a one-time link. “kabar dev” and “kabar serve” print one at every start: stop the server, start it again, and follow the new link. A restart loses no message."}
	usedUp = message{Title: "This link no longer works", Forward: "/", Go: "To the console",
		Text: "A link signs in once, within ten minutes. Start the server again for a new one. If you have signed in already, go on."}
	signedIn   = message{Title: "You are signed in", Text: "The console opens by itself.", Forward: "/", Go: "Open the console", Now: true}
	notFound   = message{Title: "There is nothing here", Text: "No page of the console has this address.", Forward: "/", Go: "To the console"}
	unreadable = message{Title: "The state cannot be read", Text: "The log of the server says why. Reload the page to try again.", Forward: "/", Go: "Try again"}
)

func (c *Console) message(w http.ResponseWriter, status int, m message) {
	m.Head = ui.Head{Title: m.Title + " · Kabar", Class: "plain"}
	c.write(w, status, "message", m)
}

func (c *Console) write(w http.ResponseWriter, status int, name string, data any) {
	if err := c.pages.Write(w, status, name, data); err != nil {
		c.log.Error("console", "error", err)
		http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
	}
}
