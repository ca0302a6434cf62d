// Package phoneui is the web page of the simulated phones: the list of customers, the chat of one of them in the frame of
// a phone, and the switches of that handset.
//
// It reads through a [Source] and changes nothing itself: what a person does on the page, the page's script does with the
// control API on the same address (POST /api/customers/…), exactly as a test would. Changes come back as server-sent
// events with the rendered bubble, row or panel, which the script swaps in. The page therefore shows only what the phone
// has stored, and two browsers on one chat show the same.
//
// It does not serve the control API, does not check who asks (the host and origin checks of package web belong around
// both), and keeps nothing between requests. A UI is safe for concurrent use and starts no goroutine. Streams end with
// their request's context: a server that shuts down must end it (http.Server.BaseContext).
package phoneui

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"kabar"
	"kabar/internal/phone"
	"kabar/internal/ui"
	"kabar/internal/web"
)

//go:embed html
var templates embed.FS

// Source is what the page reads; *phone.Phone is one. It must be safe for concurrent use.
type Source interface {
	// Customers lists the handsets in the order in which they were made.
	Customers(ctx context.Context) ([]phone.Customer, error)
	// Businesses lists the numbers that a handset can write to. The page shows the chat with the first.
	Businesses(ctx context.Context, handle string) ([]string, error)
	// BusinessProfile returns what a business has told the handset about itself; the zero Profile if nothing yet.
	BusinessProfile(ctx context.Context, handle, business string) (kabar.Profile, error)
	// Thread returns messages of a chat in order, at most limit: those with a Seq above after, or the newest for -1.
	Thread(ctx context.Context, handle, business string, after int64, limit int) ([]phone.Message, error)
	// Find returns one message by its public id.
	Find(ctx context.Context, handle, id string) (phone.Message, error)
	// Watch reports changes from now on; the zero Change says that anything may have changed. The channel is closed when
	// ctx ends.
	Watch(ctx context.Context) <-chan phone.Change
}

// Options of a UI.
type Options struct {
	// Hint is a command that sends a message to the customer from the business's side, shown for copying. "{to}" in it
	// is replaced by the customer's wa_id. Empty: no hint.
	Hint string
	// Codes returns the verification codes that numbers of businesses wait for, where whoever runs the phones may see them: in
	// the place of the SMS that would bring them. nil: none are shown.
	Codes func(ctx context.Context) ([]Code, error)
	// Log takes faults of the source and of templates; nil discards them.
	Log *slog.Logger
	// Now tells today from other days in the list; nil is time.Now.
	Now func() time.Time
}

// Code is a verification code as the page shows it.
type Code struct {
	Number string // of the business, as people write it
	Name   string // its name; may be empty
	Code   string
}

// UI serves the page.
type UI struct {
	src    Source
	opt    Options
	log    *slog.Logger
	assets *ui.Assets
	pages  *ui.Pages
}

// New returns the page of src. It panics when the embedded templates are broken: a mistake in the program.
func New(src Source, opt Options) *UI {
	assets := ui.NewAssets()
	pages, err := ui.NewPages(assets, templates, "html/*.html")
	if err != nil {
		panic(err)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	log := opt.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &UI{src: src, opt: opt, log: log, assets: assets, pages: pages}
}

// Handler serves GET / (the list, with the newest chat), /c/{wa_id} (a chat), /c/{wa_id}/earlier (older bubbles),
// /c/{wa_id}/photo (the picture of the business), /stream and the assets, with the security headers of pages. Everything else is 404.
func (u *UI) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+ui.AssetPrefix, u.assets)
	mux.HandleFunc("GET /{$}", u.handle(u.home))
	mux.HandleFunc("GET /c/{wa_id}", u.handle(u.chat))
	mux.HandleFunc("GET /c/{wa_id}/earlier", u.handle(u.earlier))
	mux.HandleFunc("GET /c/{wa_id}/photo", u.handle(u.photo))
	mux.HandleFunc("GET /stream", u.handle(u.stream))
	mux.HandleFunc("/", u.handle(func(http.ResponseWriter, *http.Request) error { return errNotFound }))
	return web.PageHeaders(mux)
}

var errNotFound = errors.New("not found")

// handle turns an error into a page; nothing has been written by then.
func (u *UI) handle(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := serve(w, r)
		switch {
		case err == nil || r.Context().Err() != nil:
			return
		case errors.Is(err, errNotFound):
			u.fault(w, http.StatusNotFound, "There is nothing here", "No customer or page has this address. It may have been another phone's.")
		default:
			u.log.ErrorContext(r.Context(), "phone page", "path", r.URL.Path, "error", err)
			u.fault(w, http.StatusInternalServerError, "The phone cannot be read", "The log of the phone says why. Reload the page to try again.")
		}
	}
}

type faultView struct {
	Head        ui.Head
	Title, Text string
}

func (u *UI) fault(w http.ResponseWriter, status int, title, text string) {
	view := faultView{ui.Head{Title: title + " · Kabar phone", Class: "plain"}, title, text}
	if err := u.pages.Write(w, status, "fault", view); err != nil {
		u.log.Error("phone page", "error", err)
		http.Error(w, title, status)
	}
}

func (u *UI) home(w http.ResponseWriter, r *http.Request) error {
	people, err := u.people(r.Context())
	if err != nil {
		return err
	}
	if len(people) == 0 {
		view, err := u.emptyPage(r.Context())
		if err != nil {
			return err
		}
		return u.pages.Write(w, http.StatusOK, "page", view)
	}
	return u.show(w, r, people, people[0].Customer, "home")
}

func (u *UI) chat(w http.ResponseWriter, r *http.Request) error {
	people, err := u.people(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(people, func(p person) bool { return p.WaID == r.PathValue("wa_id") })
	if i < 0 {
		return errNotFound
	}
	return u.show(w, r, people, people[i].Customer, "chat")
}

func (u *UI) show(w http.ResponseWriter, r *http.Request, people []person, c phone.Customer, class string) error {
	view, err := u.page(r.Context(), people, c, class)
	if err != nil {
		return err
	}
	return u.pages.Write(w, http.StatusOK, "page", view)
}

// earlier answers with the bubbles before a seq and, unless they are the first, a button for those before them. The
// source finds only the newest messages and those after a seq, so the script says how many it has.
func (u *UI) earlier(w http.ResponseWriter, r *http.Request) error {
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil {
		return errNotFound
	}
	have, err := strconv.Atoi(r.URL.Query().Get("have"))
	if err != nil || have < 0 || have > maxHistory {
		return errNotFound
	}
	c, err := u.customer(r.Context(), r.PathValue("wa_id"))
	if err != nil {
		return err
	}
	h, err := u.handset(r.Context(), c)
	if err != nil {
		return err
	}
	if h.Thread, err = u.thread(r.Context(), h, have+pageSize, before); err != nil {
		return err
	}
	return u.pages.Write(w, http.StatusOK, "bubbles", h.Thread)
}

// customer finds a customer by handle.
func (u *UI) customer(ctx context.Context, handle string) (phone.Customer, error) {
	customers, err := u.src.Customers(ctx)
	if err != nil {
		return phone.Customer{}, fmt.Errorf("list customers: %w", err)
	}
	i := slices.IndexFunc(customers, func(c phone.Customer) bool { return c.WaID == handle })
	if i < 0 {
		return phone.Customer{}, errNotFound
	}
	return customers[i], nil
}

// codes returns the verification codes to show.
func (u *UI) codes(ctx context.Context) ([]Code, error) {
	if u.opt.Codes == nil {
		return nil, nil
	}
	all, err := u.opt.Codes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list verification codes: %w", err)
	}
	return all, nil
}

// people returns the rows of the list, the newest message first.
func (u *UI) people(ctx context.Context) ([]person, error) {
	customers, err := u.src.Customers(ctx)
	if err != nil {
		return nil, fmt.Errorf("list customers: %w", err)
	}
	people := make([]person, 0, len(customers))
	for _, c := range customers {
		p, err := u.person(ctx, c)
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	slices.SortStableFunc(people, func(a, b person) int { return cmp.Compare(b.Order, a.Order) })
	return people, nil
}

// api returns the address of a customer in the control API.
func api(handle string) string { return "/api/customers/" + url.PathEscape(handle) }
