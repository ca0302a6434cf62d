package trace

import (
	"context"

	"kabar"
)

// Events returns the number of the message with a public id of any dialect, and the seqs of the events in its log that tell of it, oldest
// first; or ReasonNotFound.
func (t *Tracer) Events(ctx context.Context, of Of, id string) (n kabar.NumberID, seqs []int64, err error) {
	m, number, _, err := t.find(ctx, of, id)
	if err != nil {
		return 0, nil, err
	}
	return number.ID, m.Events, nil
}
