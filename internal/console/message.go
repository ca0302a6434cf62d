package console

import (
	"errors"
	"mime"
	"net/http"

	"kabar"
	"kabar/internal/ui"
	"kabar/internal/web"
)

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
		Text: "The console opens with a one-time link. “kabar console link --data FOLDER” prints one, and so do “kabar dev” and “kabar serve” when they start."}
	usedUp = message{Title: "This link no longer works", Forward: "/", Go: "To the console",
		Text: "A link signs in once, within ten minutes. “kabar console link --data FOLDER” prints a new one. If you have signed in already, go on."}
	signedIn   = message{Title: "You are signed in", Text: "The console opens by itself.", Forward: "/", Go: "Open the console", Now: true}
	notFound   = message{Title: "There is nothing here", Text: "No page of the console has this address.", Forward: "/", Go: "To the console"}
	denied     = message{Title: "This is not for your session", Text: "The link that you signed in with does not allow it. “kabar console link --scopes …” makes one that does.", Forward: "/", Go: "To the console"}
	unreadable = message{Title: "This cannot be read", Text: "The log of the server says why. Reload the page to try again.", Forward: "/", Go: "Try again"}
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

// Refuse implements auth.Surface. A page is answered with a page, a call with what the page tells of it.
func (c *Console) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	web.PageHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.refuse(w, r, err) })).ServeHTTP(w, r)
}

// judge says how a request that is not served is answered.
func judge(err error) (status int, m message) {
	status, m = http.StatusInternalServerError, unreadable
	if known, ok := errors.AsType[*kabar.Error](err); ok {
		switch known.Reason {
		case kabar.ReasonUnauthorized:
			status, m = http.StatusUnauthorized, signedOut
		case kabar.ReasonDenied:
			status, m = http.StatusForbidden, denied
		case kabar.ReasonNotFound:
			status, m = http.StatusNotFound, notFound
		case kabar.ReasonNotReady, kabar.ReasonOverloaded:
			status = http.StatusServiceUnavailable
		case kabar.ReasonStore, kabar.ReasonInternal: // as they stand
		default:
			status, m = http.StatusBadRequest, message{Title: "This cannot be done", Text: known.Error(), Forward: "/", Go: "To the console"}
		}
	}
	return status, m
}

// refuse answers a request that is not served: a page or a form with a page, a call with what the page tells of it.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, m := judge(err)
	if status >= http.StatusInternalServerError {
		c.log.ErrorContext(r.Context(), "console", "error", err)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead || isForm(r) {
		c.message(w, status, m)
		return
	}
	c.answer(w, status, map[string]string{"error": m.Text})
}

// isForm reports whether the browser has sent a form by itself, without the script, and shows what is answered.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// maxForm is how many bytes a form may have.
const maxForm = 64 << 10

// readForm reads what a browser has sent.
func readForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if !isForm(r) {
		return kabar.Refuse(kabar.ReasonInvalid, "", "a form is expected")
	}
	if err := r.ParseForm(); err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, "", "the form cannot be read, or has more than %d bytes", maxForm)
	}
	return nil
}

// consolePath is what the addresses of all pages but the first begin with.
const consolePath = "/console/"

// lead has the browser go on to a page after a form, so that to reload is not to send the form again. place is below [consolePath].
func lead(w http.ResponseWriter, place string) {
	w.Header().Set("Location", consolePath+place)
	w.WriteHeader(http.StatusSeeOther)
}

// answer answers a call of a page.
func (c *Console) answer(w http.ResponseWriter, status int, v any) {
	if err := web.WriteJSON(w, status, v); err != nil {
		c.log.Error("console", "error", err)
	}
}
