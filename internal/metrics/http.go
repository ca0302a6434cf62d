package metrics

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kabar/internal/web"
)

// Surface is a part of a program's HTTP interface: paths that begin with Prefix.
type Surface struct{ Prefix, Name string }

// ServerSurfaces are those of the business server.
func ServerSurfaces() []Surface {
	return []Surface{{"/v1/", "onprem"}, {"/graph/", "graph"}, {"/kabar/v1/", "manage"}, {"/livez", "probes"}, {"/readyz", "probes"}, {"/", "console"}}
}

// Served is a request that has been answered. It says nothing of who asked, and of the path only which route it took.
type Served struct {
	Surface, Route, Method string
	Status                 int // 0: cut off before an answer
	Stream                 bool
	Duration               time.Duration
	RequestID              string // as in the answer; may be empty
}

// unknown stands for a path that is no route.
const unknown = "unknown"

// Watch counts the requests that next answers, and tells seen of each. The route is the pattern that a http.ServeMux within
// next sets in the request; next must hand the request on, or set Pattern itself. The first surface whose prefix fits counts.
func (m *Metrics) Watch(surfaces []Surface, next http.Handler, seen ...func(context.Context, Served)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		answer := &answer{ResponseWriter: w}
		m.inFlight.Inc()
		defer func() { // also when the handler cuts the connection by a panic
			m.inFlight.Dec()
			s := Served{Surface: surface(surfaces, r), Route: route(r), Method: method(r), Status: answer.status,
				Stream: answer.stream(), Duration: time.Since(start), RequestID: w.Header().Get(web.RequestIDHeader)}
			m.served(s)
			for _, tell := range seen {
				tell(r.Context(), s)
			}
		}()
		next.ServeHTTP(answer, r)
		if answer.status == 0 {
			answer.status = http.StatusOK // what net/http sends for a handler that says nothing
		}
	})
}

func (m *Metrics) served(s Served) {
	m.requests.WithLabelValues(s.Surface, s.Route, s.Method, class(s.Status)).Inc()
	if !s.Stream {
		m.durations.WithLabelValues(s.Surface, s.Route, s.Method).Observe(s.Duration.Seconds())
	}
}

func surface(all []Surface, r *http.Request) string {
	taken := route(r)
	for _, s := range all {
		if strings.HasPrefix(r.URL.Path, s.Prefix) || strings.HasPrefix(taken, s.Prefix) {
			return s.Name
		}
	}
	return unknown
}

// route returns the pattern without its method.
func route(r *http.Request) string {
	_, path, found := strings.Cut(r.Pattern, " ")
	if !found {
		path = r.Pattern
	}
	if path == "" || path == "/" { // the handler of what no route fits
		return unknown
	}
	return path
}

// method returns one of the methods that are in use: a caller may make up others.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// class returns "2xx" and so on, and "cut" for an answer that never began.
func class(status int) string {
	if status < 100 || status > 599 {
		return "cut"
	}
	return strconv.Itoa(status/100) + "xx"
}

// answer notes the status. Unwrap keeps the other abilities of the writer within the reach of http.ResponseController.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) { // the others come before the answer
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(p)
}

// FlushError sends the headers, so the answer has begun.
func (a *answer) FlushError() error {
	a.begin()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

func (a *answer) begin() {
	if a.status == 0 {
		a.status = http.StatusOK
	}
}

// stream says whether the answer goes on as long as the client wants.
func (a *answer) stream() bool {
	return a.status == http.StatusSwitchingProtocols || strings.HasPrefix(a.Header().Get("Content-Type"), "text/event-stream")
}
