package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"kabar"
	"kabar/internal/secrets"
)

// events removes the events of the conversations, and what endpoints remember of them, and takes the customer out of those that tell who
// is on the network. The log has no index by conversation: it is gone through in its order.
func (x *eraser) events(ctx context.Context) error {
	for _, n := range x.numbers() {
		for after := int64(0); ; {
			heads, err := x.db.EventHeads(ctx, kabar.NumberID(n), after, headsAtOnce)
			if err != nil {
				return err
			}
			var mine []int64
			for _, h := range heads {
				if h.Kind == kabar.EventContacts || x.talks(n, int64(h.Conversation)) {
					mine = append(mine, h.Seq)
				}
			}
			for some := range slices.Chunk(mine, chunk) {
				if err := x.dropEvents(ctx, n, some); err != nil {
					return err
				}
			}
			if len(heads) < headsAtOnce {
				break
			}
			after = heads[len(heads)-1].Seq
		}
	}
	return nil
}

func (x *eraser) dropEvents(ctx context.Context, number int64, seqs []int64) error {
	readers, err := x.readers(ctx, kabar.NumberID(number))
	if err != nil {
		return err
	}
	tried, err := x.attempts(ctx, readers, seqs)
	if err != nil {
		return err
	}
	return x.commit(ctx, func(tx *Tx) {
		for _, seq := range seqs {
			tx.events.want(spot{number, seq})
		}
	}, func(tx *Tx, next *Erasure) error {
		for _, seq := range seqs {
			row, err := tx.events.get(spot{number, seq})
			if err != nil {
				return err
			}
			if row == nil {
				continue
			}
			changed := true
			if row.conversation == 0 {
				changed, err = x.lessContacts(tx, row)
			} else {
				next.Removed.Events++
				err = tx.events.del(spot{number, seq})
			}
			if err != nil {
				return err
			}
			for _, id := range readers {
				if changed {
					tx.deliveries.drop(spot{int64(id), seq})
				}
			}
		}
		for _, k := range tried {
			tx.attempts.drop(k)
		}
		return nil
	})
}

// readers are the endpoints and replays of a number, those that were removed or have ended included.
func (x *eraser) readers(ctx context.Context, n kabar.NumberID) ([]kabar.EndpointID, error) {
	return list(ctx, x.db, func(rs *sql.Rows) (id kabar.EndpointID, err error) {
		return id, rs.Scan(&id)
	}, "SELECT id FROM endpoint WHERE number_id = $1 UNION ALL SELECT id FROM replay WHERE number_id = $1", int64(n))
}

// attempts finds the attempts to tell of events.
func (x *eraser) attempts(ctx context.Context, readers []kabar.EndpointID, seqs []int64) (all []attemptKey, err error) {
	for _, id := range readers {
		for after, last := seqs[0]-1, seqs[len(seqs)-1]; after < last; {
			keys, err := x.db.attemptKeys(ctx, id, after, last)
			if err != nil {
				return nil, err
			}
			for _, k := range keys {
				if _, mine := slices.BinarySearch(seqs, k.seq); mine {
					all = append(all, k)
				}
			}
			if after = last; len(keys) == chunk {
				after = keys[chunk-1].seq - 1 // the last one's attempts may go on
			}
		}
	}
	return all, nil
}

// lessContacts takes the customer out of an event that tells who is on the network.
func (x *eraser) lessContacts(tx *Tx, row *eventRow) (changed bool, err error) {
	key, err := tx.keyOf(row.number, 0)
	if err != nil {
		return false, err
	}
	aad := secrets.AAD("event", row.number, row.seq)
	plain, err := key.Open(row.body, aad)
	if err != nil {
		return false, fmt.Errorf("unseal event: %w", err)
	}
	var ev kabar.Event
	if err := json.Unmarshal(plain, &ev); err != nil {
		return false, fmt.Errorf("decode event: %w", err)
	}
	had := len(ev.Contacts)
	ev.Contacts = slices.DeleteFunc(ev.Contacts, func(c kabar.Contact) bool {
		return slices.Contains(x.e.rest.Handles, c.Handle) || slices.Contains(x.e.rest.Handles, digitsOf(c.Input))
	})
	switch len(ev.Contacts) {
	case had:
		return false, nil
	case 0:
		return true, tx.events.del(events.key(row))
	}
	if plain, err = json.Marshal(&ev); err != nil {
		return false, fmt.Errorf("encode event: %w", err)
	}
	row.body = key.Seal(plain, aad)
	return true, tx.events.put(*row)
}

// digitsOf returns the digits of a number in any writing; a handle that is none stays as it is.
func digitsOf(input string) string {
	var digits []byte
	for i := range len(input) {
		if c := input[i]; c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	if len(digits) < len(input)/2 {
		return input
	}
	return string(digits)
}
