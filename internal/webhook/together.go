package webhook

import (
	"context"
	"slices"

	"kabar"
)

// readTogether reads the events of a large batch by pages, where they lie close together in the log. What it does not find, or cannot
// read, is read one by one later, which tells what is wrong with it.
func (s *session) readTogether(ctx context.Context, r *result) {
	items := r.items
	if r.drain || r.attempts > 0 || len(items) <= page/2 || items[len(items)-1].seq-items[0].seq > int64(2*len(items)) {
		return
	}
	for i := 0; i < len(items); {
		if items[i].event != nil {
			i++
			continue
		}
		events, err := s.o.Store.Events(ctx, s.number, items[i].seq-1, page)
		if err != nil || len(events) == 0 {
			return
		}
		for last := events[len(events)-1].Seq; i < len(items) && items[i].seq <= last; i++ {
			if at, ok := slices.BinarySearchFunc(events, items[i].seq, bySeq); ok {
				items[i].event = events[at]
			}
		}
	}
}

func bySeq(ev *kabar.Event, seq int64) int { return int(ev.Seq - seq) }
