// Package console is the operator's pages: what is running and the next step, the templates with an editor, the queue of
// those that wait for review, the endpoints of webhooks, and the log of what was delivered to them.
//
// Sign-in is by a one-time link ([Console.NewLink]), printed at every start and by kabar console link; there is no password to
// guess and no default one. A link and the session it opens live in memory only: a restart ends them. A session has an account,
// or all of them, and scopes: which page needs which is in the authorisation table, and the mux that is built from it asks
// [Console.Session]. Every request that changes something must come from the page's own origin.
//
// The package decides nothing: it finds out through interfaces ([Status], [Templates], [Webhooks]) what it shows, and what it is told to do
// it hands on. Links and sessions use real time. A Console is safe for concurrent use and starts no goroutine; its streams end
// with their request's context and with the session.
//
// A page is a file of handlers beside a file of templates. It has a [frame], which the masthead is drawn from; its changing
// part is a fragment with an id, which the page and its stream share (Console.follow). Pages of webhooks do everything with plain
// forms, whose answer leads to another page.
package console

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/store"
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
	Templates Templates
	Webhooks  Webhooks
	Accounts  func(context.Context) ([]*kabar.Account, error) // all there are
	Log       *slog.Logger                                    // nil discards
	Now       func() time.Time                                // nil is time.Now
}

// Console serves the pages.
type Console struct {
	status   Status
	tpl      Templates
	accounts func(context.Context) ([]*kabar.Account, error)
	log      *slog.Logger
	now      func() time.Time
	assets   *ui.Assets
	pages    *ui.Pages
	sample   string // address of the picture that stands for a medium which a message will bring
	hooks    Webhooks
	links    codes[auth.Who] // whom each signs in
	fresh    codes[newSecretOf]
	sessions sessions
}

// New returns a console of status. It panics when the embedded templates are broken: a mistake in the program.
func New(status Status, opt Options) *Console {
	assets := ui.NewAssets()
	pages, err := ui.NewPages(assets, templates, "html/*.html")
	if err != nil {
		panic(err)
	}
	sample, err := assets.Path("picture.svg")
	if err != nil {
		panic(err)
	}
	c := &Console{sample: sample, status: status, tpl: opt.Templates, hooks: opt.Webhooks, accounts: opt.Accounts, log: opt.Log, now: opt.Now, assets: assets, pages: pages}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c
}

// NewLink returns path and query of a link that signs in once within 10 minutes: "/login?code=…". Of who it keeps the account
// and the scopes. The newest 16 links are good; an older one that was never used is forgotten.
func (c *Console) NewLink(now time.Time, who auth.Who) string {
	return "/login?code=" + c.links.add(now, auth.Who{Account: who.Account, Team: who.Team, Scopes: who.Scopes})
}

// Session implements auth.Surface: it says who is signed in with the browser that makes the request, and keeps the session
// awake.
func (c *Console) Session(r *http.Request) (auth.Who, bool) { return c.session(r, true) }

// Handlers returns the handlers by pattern, each with the security headers of pages. Those below /console/ take it that
// auth.From knows who makes the request.
func (c *Console) Handlers() map[string]http.Handler {
	all := map[string]http.Handler{"GET " + ui.AssetPrefix: c.assets}
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /{$}":     c.home,
		"GET /login":   c.login,
		"POST /logout": c.logout,
		"GET /stream":  c.stream,

		"GET /console/templates":              c.listPage,
		"GET /console/templates/stream":       c.listStream,
		"GET /console/templates/{id}":         c.templatePage,
		"GET /console/templates/{id}/stream":  c.templateStream,
		"GET /console/templates/new":          c.newPage,
		"GET /console/templates/{id}/edit":    c.editPage,
		"POST /console/templates":             c.create,
		"POST /console/templates/preview":     c.preview,
		"POST /console/templates/{id}":        c.edit,
		"GET /console/review":                 c.queuePage,
		"GET /console/review/stream":          c.queueStream,
		"POST /console/templates/{id}/review": c.review,

		"GET /console/endpoints":                        c.endpointsPage,
		"GET /console/endpoints/stream":                 c.endpointsStream,
		"GET /console/endpoints/new":                    c.newEndpointPage,
		"GET /console/endpoints/{id}":                   c.endpointPage,
		"GET /console/endpoints/{id}/stream":            c.endpointStream,
		"GET /console/endpoints/{id}/secret":            c.secretPage,
		"POST /console/endpoints":                       c.addEndpoint,
		"POST /console/endpoints/{id}":                  c.changeEndpoint,
		"POST /console/endpoints/{id}/state":            c.changeState,
		"POST /console/endpoints/{id}/secret":           c.replaceSecret,
		"POST /console/endpoints/{id}/test":             c.test,
		"POST /console/endpoints/{id}/retry":            c.retryFailed,
		"POST /console/endpoints/{id}/replays":          c.replaySince,
		"POST /console/endpoints/{id}/replays/{replay}": c.changeReplay,
		"POST /console/endpoints/{id}/remove":           c.removeEndpoint,
		"GET /console/deliveries":                       c.deliveriesPage,
		"GET /console/deliveries/{id}":                  c.deliveryPage,
		"POST /console/deliveries/{id}/replay":          c.replayDelivery,
	} {
		all[pattern] = h
	}
	for pattern, h := range all {
		all[pattern] = web.PageHeaders(web.SameOrigin(nil, h))
	}
	return all
}

func (c *Console) home(w http.ResponseWriter, r *http.Request) {
	who, ok := c.session(r, true)
	switch {
	case !ok:
		c.message(w, http.StatusUnauthorized, signedOut)
		return
	case who.Account != 0: // the page is about all numbers of the server
		http.Redirect(w, r, "/console/templates", http.StatusSeeOther)
		return
	}
	view, err := c.status.Status(r.Context())
	if err != nil {
		c.log.ErrorContext(r.Context(), "console", "error", err)
		c.message(w, http.StatusInternalServerError, unreadable)
		return
	}
	c.write(w, http.StatusOK, "page", page{c.frameOf(r.Context(), who, "/", "Kabar", "/stream"), view})
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
	who, ok := c.links.use(r.URL.Query().Get("code"), now)
	if !ok {
		c.message(w, http.StatusForbidden, usedUp)
		return
	}
	store.Note(r.Context(), func(e *store.Audit) { e.Account, e.Actor, e.Subject = who.Account, who.Name(), "console" })
	c.end(r)
	http.SetCookie(w, cookie(r, c.sessions.open(now, who), 0))
	c.message(w, http.StatusOK, signedIn)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	if who, ok := c.session(r, false); ok {
		store.Note(r.Context(), func(e *store.Audit) { e.Account, e.Actor, e.Subject = who.Account, who.Name(), "console" })
	}
	c.end(r)
	http.SetCookie(w, cookie(r, "", -1))
	w.Header().Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	c.message(w, http.StatusOK, signedOut)
}

// stream is the first page's.
func (c *Console) stream(w http.ResponseWriter, r *http.Request) {
	if who, ok := c.session(r, false); !ok || who.Account != 0 {
		c.message(w, http.StatusUnauthorized, signedOut)
		return
	}
	c.follow(w, r, func() ([]byte, error) {
		view, err := c.status.Status(r.Context())
		if err != nil {
			return nil, err
		}
		return c.pages.Fragment("live", view)
	})
}

// follow sends a page's changing part, and what is said above every page, whenever they differ from what was sent last. It
// ends with the session, and does not keep that awake.
func (c *Console) follow(w http.ResponseWriter, r *http.Request, draw func() ([]byte, error)) {
	out, err := ui.OpenStream(w)
	if err != nil {
		return // the client has gone
	}
	last := ""
	send := func([]time.Time) error {
		who, ok := c.session(r, false)
		if !ok {
			return errSignedOut
		}
		html, err := draw()
		if err != nil {
			return err
		}
		above, err := c.pages.Fragment("alarm", c.alarmOf(r.Context(), who))
		if html = append(html, above...); err != nil || string(html) == last {
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
