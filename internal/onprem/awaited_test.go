package onprem

import (
	"strconv"

	"kabar"
	await "kabar/internal/patience"
)

// awaitEvents waits until there have been so many events of a kind in the log; retention may have taken those that were there before.
func (e *env) awaitEvents(kind kabar.EventKind, count string) {
	e.t.Helper()
	n, err := strconv.Atoi(count)
	must(e.t, err)
	await.Until(e.t, count+" events of the kind "+string(kind), func() bool {
		events, err := e.db.Events(e.t.Context(), e.a.ID, 0, 1000)
		must(e.t, err)
		for _, ev := range events {
			if ev.Kind == kind {
				e.awaited[ev.Seq] = kind
			}
		}
		told := 0
		for _, k := range e.awaited {
			if k == kind {
				told++
			}
		}
		return told >= n
	})
}
