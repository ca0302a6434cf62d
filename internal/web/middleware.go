package web

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"
)

// Recover answers 500 for a handler that panics, with the id of the request and nothing else; value and stack go to log
// under the same id. The id is the one the handler has set as [RequestIDHeader], else a new one. An answer that has
// begun cannot become a 500: its connection is cut, so that the client does not take it for complete.
func Recover(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bw := &begunWriter{ResponseWriter: w}
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler: // how net/http cuts a connection, not a fault
				panic(cause)
			default:
				id := cmp.Or(w.Header().Get(RequestIDHeader), RequestID())
				log.ErrorContext(r.Context(), "panic in handler", "request_id", id, "method", r.Method,
					"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
				bw.fail(id)
			}
		}()
		next.ServeHTTP(bw, r)
	})
}

// begunWriter notes whether an answer has begun. Unwrap keeps the other abilities of the writer within the reach of
// [http.ResponseController].
type begunWriter struct {
	http.ResponseWriter
	begun bool
}

// fail answers 500, or cuts the connection when it is too late for that.
func (w *begunWriter) fail(id string) {
	if w.begun {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Type", "Etag", "Last-Modified"} {
		h.Del(name) // they spoke of the answer that was not given
	}
	h.Set(RequestIDHeader, id)
	_ = WriteJSON(w, http.StatusInternalServerError, map[string]string{"error": "internal error", "request_id": id})
}

func (w *begunWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *begunWriter) WriteHeader(status int) {
	w.begun = w.begun || status >= 200 || status == http.StatusSwitchingProtocols
	w.ResponseWriter.WriteHeader(status)
}

func (w *begunWriter) Write(p []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(p)
}

// FlushError sends the headers, so the answer has begun.
func (w *begunWriter) FlushError() error {
	w.begun = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// What is said to requests that [CheckHost] and [SameOrigin] refuse.
const (
	WrongHost   = "this server does not answer under that host name; its operator gives its names with --host"
	WrongOrigin = "a page of another origin may not change anything here"
)

// CheckHost refuses requests (403) whose Host is not allowed. A page of another site that lets its own name point to
// this server (DNS rebinding) sends that name. The host is given to allowed in lower case, without port, brackets and
// final dot. What is refused is answered by refuse; nil: as text.
func CheckHost(allowed func(host string) bool, refuse, next http.Handler) http.Handler {
	if refuse == nil {
		refuse = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, WrongHost, http.StatusForbidden) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allowed(hostOnly(r.Host)) {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func hostOnly(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil { // there is no port
		host = hostport
		if inner, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inner, "]") {
			host = strings.TrimSuffix(inner, "]")
		}
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// AllowHosts returns the usual rule for [CheckHost]: IP addresses (rebinding needs a name), localhost, and names.
func AllowHosts(names ...string) func(host string) bool {
	known := map[string]bool{"localhost": true}
	for _, name := range names {
		known[strings.TrimSuffix(strings.ToLower(name), ".")] = true
	}
	return func(host string) bool {
		_, err := netip.ParseAddr(host)
		return err == nil || known[host]
	}
}

// SameOrigin refuses requests (403) by which a page of another origin would change something: any method but GET, HEAD
// and OPTIONS whose Sec-Fetch-Site or Origin is foreign ([http.CrossOriginProtection]). Requests with neither header do
// not come from a page and pass. A WebSocket opens with a GET: its handler must check the origin itself. What is refused
// is answered by refuse; nil: as text.
func SameOrigin(refuse, next http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(refuse)
	return p.Handler(next)
}

// pagePolicy lets a page load only from its own server, run no script within the page, and be framed by nobody. Media
// in a chat may also come from blobs that the page made.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; " +
	"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// PageHeaders sets the security headers of pages: content security policy, no sniffing, no framing, no referrer, no
// caching. A handler may override them.
func PageHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// WriteDeadline gives every answer d to be written, so that a client that reads nothing holds no connection for longer.
// Handlers of streams and large files move or lift it with [http.ResponseController.SetWriteDeadline].
func WriteDeadline(d time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d)) // test recorders have none
		next.ServeHTTP(w, r)
	})
}
