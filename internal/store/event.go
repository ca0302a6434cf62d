package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	quickjson "github.com/go-json-experiment/json/v1"

	"kabar"
	"kabar/internal/secrets"
)

type eventRow struct {
	number, seq, account, conversation int64
	kind                               string
	at                                 int64
	body                               []byte
}

var events = &table[spot, eventRow]{
	shape: shape{"event", cols("number_id:bigint seq:bigint"), cols("account_id:bigint conversation_id:bigint kind:text at:bigint body:bytea")},
	key:   func(r *eventRow) spot { return spot{r.number, r.seq} },
	args:  spotArgs,
	fields: func(r *eventRow) []any {
		return []any{&r.number, &r.seq, &r.account, &r.conversation, &r.kind, &r.at, &r.body}
	},
	order: orderSpot,
}

// WantSeq announces that an event of the number will be added.
func (tx *Tx) WantSeq(n kabar.NumberID) { tx.counters.want(seqCounter(n)) }

func seqCounter(n kabar.NumberID) string { return "seq/" + strconv.FormatInt(int64(n), 10) }

// Head returns the seq of the number's newest event; 0 while there is none.
func (tx *Tx) Head(n kabar.NumberID) (int64, error) {
	count, err := tx.counters.get(seqCounter(n))
	if err != nil || count == nil {
		return 0, err
	}
	return count.next - 1, nil
}

// AddEvent appends e to its number's log and sets its Seq: the next one, in commit order, without gaps.
func (tx *Tx) AddEvent(e *kabar.Event) error {
	count, err := tx.counters.get(seqCounter(e.Number))
	if err != nil {
		return err
	}
	if count == nil {
		count = &counterRow{name: seqCounter(e.Number), next: 1}
	}
	e.Seq = count.next
	count.next++
	if err := tx.counters.put(*count); err != nil {
		return err
	}
	if err := tx.noteEvent(e); err != nil {
		return err
	}
	plain, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	key, err := tx.keyOf(int64(e.Number), int64(e.Conversation))
	if err != nil {
		return err
	}
	tx.events.fresh(eventRow{
		number: int64(e.Number), seq: e.Seq, account: int64(e.Account), conversation: int64(e.Conversation), kind: string(e.Kind),
		at: millis(e.At), body: key.Seal(plain, secrets.AAD("event", int64(e.Number), e.Seq)),
	})
	return nil
}

// Events returns up to limit events of the number with a seq above after, in order.
func (db *DB) Events(ctx context.Context, n kabar.NumberID, after int64, limit int) ([]*kabar.Event, error) {
	rows, err := readAll(ctx, db, events, "number_id = $1 AND seq > $2 ORDER BY seq LIMIT $3", int64(n), after, limit)
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.Event, len(rows))
	for i := range rows {
		if all[i], err = db.openEvent(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Event returns one event of the number.
func (db *DB) Event(ctx context.Context, n kabar.NumberID, seq int64) (*kabar.Event, error) {
	row, err := readOne(ctx, db, events, "number_id = $1 AND seq = $2", int64(n), seq)
	if err != nil {
		return nil, notFound(err, "event")
	}
	return db.openEvent(ctx, row)
}

func (db *DB) openEvent(ctx context.Context, r *eventRow) (*kabar.Event, error) {
	key, err := db.keyOf(ctx, r.number, r.conversation)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(r.body, secrets.AAD("event", r.number, r.seq))
	if err != nil {
		return nil, fmt.Errorf("unseal event: %w", err)
	}
	e := new(kabar.Event)
	if err := quickjson.Unmarshal(plain, e); err != nil { // as encoding/json does, in half the time
		return nil, fmt.Errorf("decode event: %w", err)
	}
	e.Account, e.Number, e.Seq = kabar.AccountID(r.account), kabar.NumberID(r.number), r.seq
	e.Conversation = kabar.ConversationID(r.conversation)
	return e, nil
}

// LastSeq returns the seq of the number's newest event; 0 before the first.
func (db *DB) LastSeq(ctx context.Context, n kabar.NumberID) (int64, error) {
	row, err := readOne(ctx, db, counters, "name = $1", seqCounter(n))
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return 0, nil
		}
		return 0, err
	}
	return row.next - 1, nil
}

// SeqBefore returns a seq of the number behind which all events from a time on are, as good as all: it halves the log, and goes back from
// there as long as one of a thousand events is from that time on. What customers write has their own clock's time, which may be days old.
func (db *DB) SeqBefore(ctx context.Context, n kabar.NumberID, at time.Time) (int64, error) {
	low, err := db.halved(ctx, n, at)
	if err != nil {
		return 0, err
	}
	for low > 0 {
		first := max(low-chunk, 0)
		heads, err := db.EventHeads(ctx, n, first, chunk)
		if err != nil {
			return 0, err
		}
		i := slices.IndexFunc(heads, func(h EventHead) bool { return h.Seq <= low && !h.At.Before(at) })
		if i < 0 {
			break
		}
		low = heads[i].Seq - 1
	}
	return low, nil
}

// SeqUntil returns a seq of the number up to which all events from before a time are, as good as all: it goes on from the same place as long as
// one of a thousand events is from before that time. What retention has taken lies below it, unless events are kept that are older.
func (db *DB) SeqUntil(ctx context.Context, n kabar.NumberID, at time.Time) (int64, error) {
	low, err := db.halved(ctx, n, at)
	if err != nil {
		return 0, err
	}
	for {
		heads, err := db.EventHeads(ctx, n, low, chunk)
		if err != nil || len(heads) == 0 {
			return math.MaxInt64, err
		}
		last := heads[0].Seq - 1
		for _, h := range heads {
			if h.At.Before(at) {
				low = h.Seq
			}
		}
		if low <= last {
			return last, nil
		}
	}
}

// halved halves the number's log until it finds an event from before a time with none behind it; 0 if there is no such.
func (db *DB) halved(ctx context.Context, n kabar.NumberID, at time.Time) (int64, error) {
	high, err := db.LastSeq(ctx, n)
	if err != nil {
		return 0, err
	}
	low := int64(0) // it is before the time, or nothing; above high nothing is
	for low < high {
		middle := low + (high-low)/2
		heads, err := db.EventHeads(ctx, n, middle, 1)
		if err != nil {
			return 0, err
		}
		if len(heads) > 0 && heads[0].At.Before(at) {
			low = heads[0].Seq
		} else {
			high = middle
		}
	}
	return low, nil
}

// EventHead says whose an event is, of which kind, and when it happened.
type EventHead struct {
	Seq          int64
	Conversation kabar.ConversationID
	Kind         kabar.EventKind
	At           time.Time
}

// LastEvents returns whom the events of the number are about that have a seq above after and up to until, each with the last of them. It reads
// all of those events.
func (db *DB) LastEvents(ctx context.Context, n kabar.NumberID, after, until int64) (map[kabar.ConversationID]int64, error) {
	type last struct {
		of  kabar.ConversationID
		seq int64
	}
	rows, err := list(ctx, db, func(rs *sql.Rows) (l last, err error) {
		return l, rs.Scan(&l.of, &l.seq)
	}, "SELECT conversation_id, max(seq) FROM event WHERE number_id = $1 AND seq > $2 AND seq <= $3 GROUP BY conversation_id", int64(n), after, until)
	all := make(map[kabar.ConversationID]int64, len(rows))
	for _, l := range rows {
		all[l.of] = l.seq
	}
	return all, err
}

// EventHeads returns the heads of up to limit events of the number with a seq above after, in order.
func (db *DB) EventHeads(ctx context.Context, n kabar.NumberID, after int64, limit int) ([]EventHead, error) {
	return list(ctx, db, func(rs *sql.Rows) (h EventHead, err error) {
		var at int64
		err = rs.Scan(&h.Seq, &h.Conversation, &h.Kind, &at)
		h.At = instant(at)
		return h, err
	}, "SELECT seq, conversation_id, kind, at FROM event WHERE number_id = $1 AND seq > $2 ORDER BY seq LIMIT $3", int64(n), after, limit)
}
