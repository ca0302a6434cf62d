package onprem

import (
	"strconv"

	"kabar"
	await "kabar/internal/patience"
)

// awaitEvents waits until the log has so many events of a kind.
func (e *env) awaitEvents(kind kabar.EventKind, count string) {
	e.t.Helper()
	n, err := strconv.Atoi(count)
	must(e.t, err)
	await.Until(e.t, count+" events of the kind "+string(kind), func() bool {
		events, err := e.db.Events(e.t.Context(), e.a.ID, 0, 1000)
		must(e.t, err)
		told := 0
		for _, ev := range events {
			if ev.Kind == kind {
				told++
			}
		}
		return told >= n
	})
}
