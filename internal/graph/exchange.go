package graph

import (
	"cmp"
	"crypto/rand"
	"net/http"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/web"
)

// exchange is one request and its answer.
type exchange struct {
	w       http.ResponseWriter
	r       *http.Request
	who     auth.Who
	version string                   // as the path had it; empty for none
	own     map[kabar.Reason]refusal // what the edge calls otherwise
	trace   string                   // id of the request, in the answer's header and in errors
}

// newExchange begins the answer with the headers that all have.
func newExchange(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{w: w, r: r, who: auth.From(r), version: versionOf(r), trace: "A" + rand.Text()[:22]}
	h := w.Header()
	h.Set("Facebook-Api-Version", cmp.Or(x.version, Version))
	h.Set("X-Fb-Request-Id", x.trace)
	h.Set("X-Fb-Trace-Id", x.trace)
	h.Set("X-Fb-Rev", "1")
	h.Set("X-Fb-Debug", rand.Text())
	h.Set("Cache-Control", "private, no-cache, no-store, must-revalidate")
	h.Set(web.RequestIDHeader, web.RequestID())
	return x
}

// origin is how the caller reaches this server.
func (x *exchange) origin() string {
	if x.r.TLS != nil || x.r.Header.Get("X-Forwarded-Proto") == "https" { // a proxy that speaks TLS for us
		return "https://" + x.r.Host
	}
	return "http://" + x.r.Host
}

// base is where the paths that the caller uses begin: the origin, and the version if there was one.
func (x *exchange) base() string {
	if x.version == "" {
		return x.origin()
	}
	return x.origin() + "/" + x.version
}

// reply answers 200 with a value as JSON.
func (x *exchange) reply(value any) error {
	body, err := web.Encode(value)
	if err != nil {
		return err
	}
	x.write(http.StatusOK, body)
	return nil
}

// success answers an action.
func (x *exchange) success() error { return x.reply(map[string]bool{"success": true}) }

// write sends a JSON body. That the client is gone is nobody's fault and nothing that could be answered.
func (x *exchange) write(status int, body []byte) {
	x.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}
