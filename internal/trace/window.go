package trace

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// searched is how many messages back the customer's last one is looked for.
const searched = 1000

// heard is the customer's last message before one of the business.
type heard struct {
	id    kabar.MessageID // 0: there is none
	at    time.Time
	known bool // false: it lies too far back to be found
}

// heardBefore finds the customer's last message before an outbound one.
func (t *Tracer) heardBefore(ctx context.Context, m *kabar.Message) (heard, error) {
	id := m.Prev
	for range searched {
		if id == 0 {
			return heard{known: true}, nil
		}
		before, err := t.db.Message(ctx, m.Number, id)
		if store.IsNotFound(err) {
			return heard{}, nil // retention has been here
		}
		if err != nil {
			return heard{}, err
		}
		if before.Direction == kabar.Inbound {
			return heard{id, before.At, true}, nil
		}
		id = before.Prev
	}
	return heard{}, nil
}

// windowAt reports whether the customer had written within the window before an outbound message; nil when that is not known.
func (h heard) windowAt(m *kabar.Message) *bool {
	if !h.known {
		return nil
	}
	open := h.id != 0 && m.At.Before(h.at.Add(kabar.Window))
	return &open
}
