package store

import (
	"context"
	"errors"
	"math"

	"kabar"
)

// Span is a part of a log: the seqs above After up to Until.
type Span struct {
	After, Until int64
	Newest       bool // the highest come first
}

// SpanAfter is all of a log above a seq, in order.
func SpanAfter(after int64) Span { return Span{After: after, Until: math.MaxInt64} }

// order is how rows of the span are sorted.
func (s Span) order() string {
	if s.Newest {
		return " ORDER BY seq DESC"
	}
	return " ORDER BY seq"
}

// EventRead is an event as its log has it. Of a broken one the event says whose it is, of which kind, and when it happened; nothing more is
// known.
type EventRead struct {
	*kabar.Event
	Broken error // why it cannot be read; nil: it was
}

// Unreadable is what people are told of a broken event. What exactly is amiss is for the log.
const Unreadable = "the event cannot be read from the store"

// Gone reports whether the event is of a customer who is being erased: the key has gone, and the events go last.
func (r EventRead) Gone() bool { return IsNotFound(r.Broken) }

// unknownStatus is the type of a broken event that told how far a message had come: how far is not known any more.
const unknownStatus kabar.EventType = "message.status"

// Type returns the type of the event, as far as it is known.
func (r EventRead) Type() kabar.EventType {
	if r.Broken != nil && r.Kind == kabar.EventStatus {
		return unknownStatus
	}
	return r.Event.Type()
}

// WantedBy reports whether a filter lets the event pass. A broken one passes if it may be of a type that does.
func (r EventRead) WantedBy(filter *kabar.EventFilter) bool {
	if r.Broken == nil || r.Kind != kabar.EventStatus {
		return filter.Wants(r.Event)
	}
	for s := kabar.Sent; s <= kabar.Failed; s++ {
		if filter.Wants(&kabar.Event{Kind: kabar.EventStatus, Status: s}) {
			return true
		}
	}
	return false
}

// IsOutage reports whether an error says nothing about the row that was to be read: the database did not answer, or whoever asked has gone.
func IsOutage(err error) bool {
	var down *UnavailableError
	var failed *StatementError
	return errors.As(err, &down) || errors.As(err, &failed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// The queries of those who read a log for people; each ends in the span's order and a limit.
const (
	spanWhere    = "number_id = $1 AND seq > $2 AND seq <= $3"
	expiredWhere = "endpoint_id = $1 AND seq > $2 AND seq <= $3 AND number_id = $4"
	seqsQuery    = "SELECT seq FROM delivery WHERE endpoint_id = $1 AND state = $2 AND seq > $3 AND seq <= $4 AND number_id = $5"
)

// ReadEvents returns up to limit events of a part of the number's log, those that are broken included.
func (db *DB) ReadEvents(ctx context.Context, n kabar.NumberID, s Span, limit int) ([]EventRead, error) {
	rows, err := readAll(ctx, db, events, spanWhere+s.order()+" LIMIT $4", int64(n), s.After, s.Until, limit)
	if err != nil {
		return nil, err
	}
	all := make([]EventRead, len(rows))
	for i := range rows {
		if all[i], err = db.readEvent(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ReadEvent returns one event of the number, also one that is broken, or a NotFoundError.
func (db *DB) ReadEvent(ctx context.Context, n kabar.NumberID, seq int64) (EventRead, error) {
	row, err := readOne(ctx, db, events, "number_id = $1 AND seq = $2", int64(n), seq)
	if err != nil {
		return EventRead{}, notFound(err, "event")
	}
	return db.readEvent(ctx, row)
}

func (db *DB) readEvent(ctx context.Context, r *eventRow) (EventRead, error) {
	e, err := db.openEvent(ctx, r)
	switch {
	case err == nil:
		return EventRead{Event: e}, nil
	case IsOutage(err):
		return EventRead{}, err
	}
	return EventRead{&kabar.Event{Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number), Conversation: kabar.ConversationID(r.conversation),
		Seq: r.seq, Kind: kabar.EventKind(r.kind), At: instant(r.at)}, err}, nil
}

// DeliverySeqs returns the seqs of up to limit events in a part of the log of which an endpoint of the number has rows in a state.
func (db *DB) DeliverySeqs(ctx context.Context, n kabar.NumberID, e kabar.EndpointID, in DeliveryState, s Span, limit int) ([]int64, error) {
	return list(ctx, db, scanID, seqsQuery+s.order()+" LIMIT $6", int64(e), int64(in), s.After, s.Until, int64(n), limit)
}
