package manage

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/web"
)

// read decodes a body, in which nothing may be unknown.
func (a *API) read(w http.ResponseWriter, r *http.Request, into any, hint string) bool {
	if err := web.DecodeRequest(w, r, into, web.Options{Unknown: web.RefuseAll}); err != nil {
		a.problem(w, http.StatusBadRequest, err.Error(), hint)
		return false
	}
	return true
}

// unhurried lifts the deadline of an answer that takes as long as there is something to do.
func unhurried(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // test recorders have none
}

// onlyKnown refuses a parameter that is none of those named, or is there twice.
func onlyKnown(r *http.Request, known ...string) error {
	for name, v := range r.URL.Query() {
		if !slices.Contains(known, name) || len(v) > 1 {
			if len(known) == 0 {
				return kabar.Refuse(kabar.ReasonNotRequired, name, "is not known: there are no parameters")
			}
			return kabar.Refuse(kabar.ReasonNotRequired, name, "is not one of %s, each once", strings.Join(known, ", "))
		}
	}
	return nil
}
