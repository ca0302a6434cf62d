package trace

import (
	"context"
	"strings"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Window tells how the window of a customer stands with a number at now. A customer who is unknown has a closed one; a number that is
// none of those whose messages are told is not found.
func (t *Tracer) Window(ctx context.Context, of Of, number, customer string, now time.Time) (s kabar.WindowState, err error) {
	n, err := t.number(ctx, of, number)
	if err != nil {
		return s, err
	}
	c, err := t.db.FindConversation(ctx, n.ID, strings.TrimPrefix(customer, "+"))
	if store.IsNotFound(err) {
		c, err = nil, nil
	}
	return c.WindowState(now), store.Refusal(err)
}
