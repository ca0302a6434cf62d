package auth

import (
	"net/http"
	"strconv"
	"strings"

	"kabar/internal/store"
)

// record returns a handler whose calls leave one entry each in the audit log, committed with the first change that the call
// makes, or before its answer is sent when it has made none. What cannot be written down is not answered as done. What is
// refused, and a route that takes everybody, leaves an entry only when the handler notes something (store.Note): nobody fills
// the log from outside.
func (m *mux) record(action string, access Access, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := From(r)
		rec := store.NewRecord(store.Audit{Account: who.Account, At: m.auth.now(), Actor: who.Name(), Action: action, Subject: subjectOf(r), Source: sourceOf(r)},
			access.level == public || access.level == basic)
		r = r.WithContext(store.WithRecord(r.Context(), rec))
		out := &recorded{ResponseWriter: w,
			settle: func(result string) error { return m.auth.db.Settle(r.Context(), rec, result) },
			refuse: func(err error) { m.surface(r).Refuse(w, r, store.Refusal(err)) }}
		next.ServeHTTP(out, r)
		if !out.wrote {
			out.WriteHeader(http.StatusOK)
		}
	})
}

// subjectOf is what a request is about before anybody says better: its path. A customer's handle is left out, since the log lies open and
// is kept for good; the handler notes the pseudonym.
func subjectOf(r *http.Request) string {
	if handle := r.PathValue("wa_id"); handle != "" {
		return strings.Replace(r.URL.Path, handle, "{wa_id}", 1)
	}
	return r.URL.Path
}

// sourceOf says where a request comes from: address and program. Headers of proxies are not believed.
func sourceOf(r *http.Request) string {
	source := AddressOf(r).Unmap().String()
	if program := r.UserAgent(); program != "" {
		source += " " + program
	}
	return source
}

// shortKey is how much of a key's id names it among people: enough to tell any two apart.
const shortKey = 12

// Name says who w is, as the audit log has it.
func (w Who) Name() string {
	switch {
	case w.Key != "":
		return "key " + w.Key[:min(shortKey, len(w.Key))]
	case w.User != "":
		return "user " + w.User
	case w.App:
		return "app"
	case w.Team != "":
		return "session " + w.Team
	case len(w.Scopes) > 0:
		return "session"
	}
	return "nobody"
}

// recorded holds an answer back until its entry is written.
type recorded struct {
	http.ResponseWriter
	settle func(result string) error
	refuse func(error)
	wrote  bool
	broken bool // the entry could not be written, and that was answered instead
}

// WriteHeader implements http.ResponseWriter.
func (w *recorded) WriteHeader(status int) {
	if w.wrote || status < http.StatusOK {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.wrote = true
	result := store.AuditOK
	if status >= http.StatusBadRequest {
		result = "refused " + strconv.Itoa(status)
	}
	if err := w.settle(result); err != nil && status < http.StatusBadRequest {
		w.broken = true
		w.Header().Del("Content-Length")
		w.refuse(err)
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorded) Write(b []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if w.broken {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *recorded) Unwrap() http.ResponseWriter { return w.ResponseWriter }
