package store

import (
	"context"
	"time"

	"kabar"
)

// passing are the events of a number that retention takes in one commit.
type passing struct {
	number    kabar.NumberID
	heads     []EventHead // consecutive ones, the oldest of the log
	endpoints []*kabar.Endpoint
	missed    map[kabar.EndpointID][]Expired // which each of them may not have had
	now       time.Time
}

func (p *passing) low() int64  { return p.heads[0].Seq }
func (p *passing) high() int64 { return p.heads[len(p.heads)-1].Seq }

// CollectEvents removes up to a thousand events of the number from before that time, the oldest first, with what is remembered of their
// deliveries, and reports how many. Of one that an endpoint has not had, and wants, a record stays: it has expired. What expired or was
// replayed before that time is forgotten.
func (db *DB) CollectEvents(ctx context.Context, n kabar.NumberID, before, now time.Time, wants func(*kabar.Endpoint, *kabar.Event) bool) (removed int, err error) {
	p := &passing{number: n, now: now, missed: map[kabar.EndpointID][]Expired{}}
	if p.endpoints, err = db.Endpoints(ctx, n); err != nil {
		return 0, err
	}
	if p.heads, err = db.oldEvents(ctx, n, before); err != nil {
		return 0, err
	}
	if len(p.heads) > 0 {
		if err := db.findMissed(ctx, p, wants); err != nil {
			return 0, err
		}
		if err := db.Write(ctx, p.want, p.commit); err != nil {
			return 0, err
		}
	}
	return len(p.heads), db.forget(ctx, p, before)
}

// oldEvents returns the events at the beginning of the log that are from before that time.
func (db *DB) oldEvents(ctx context.Context, n kabar.NumberID, before time.Time) ([]EventHead, error) {
	heads, err := db.EventHeads(ctx, n, 0, chunk)
	for i, h := range heads {
		if h.At.After(before) {
			return heads[:i], err
		}
	}
	return heads, err
}

// findMissed finds what endpoints have not had of events that pass, as it is now.
func (db *DB) findMissed(ctx context.Context, p *passing, wants func(*kabar.Endpoint, *kabar.Event) bool) error {
	for _, e := range p.endpoints {
		if e.URL == "" || e.State == kabar.EndpointDisabled {
			continue // nobody waits for them
		}
		rows, err := db.DeliveryHeads(ctx, p.number, e.ID, p.low()-1, len(p.heads))
		if err != nil {
			return err
		}
		row := make(map[int64]DeliveryState, len(rows))
		for _, d := range rows {
			row[d.Seq] = d.State
		}
		for _, h := range p.heads {
			if !untold(e.Mark, h.Seq, row[h.Seq]) {
				continue
			}
			ev, err := db.Event(ctx, p.number, h.Seq)
			if IsNotFound(err) {
				continue // erased
			}
			if err != nil {
				return err
			}
			if wants(e, ev) {
				p.missed[e.ID] = append(p.missed[e.ID], Expired{h.Seq, ev.Type(), h.At, p.now})
			}
		}
	}
	return nil
}

// untold reports whether an endpoint has not had an event.
func untold(mark, seq int64, row DeliveryState) bool {
	return row == Parked || row != Finished && seq > mark
}

// want announces what commit asks for.
func (p *passing) want(tx *Tx) {
	for _, h := range p.heads {
		tx.events.want(spot{int64(p.number), h.Seq})
	}
	for _, e := range p.endpoints {
		tx.WantEndpoint(e.ID)
		for _, m := range p.missed[e.ID] {
			tx.deliveries.want(spot{int64(e.ID), m.Seq})
		}
	}
}

// commit removes the events. What an endpoint has taken meanwhile has not expired.
func (p *passing) commit(tx *Tx) error {
	for _, e := range p.endpoints {
		row, err := tx.endpoint(p.number, e.ID)
		if IsNotFound(err) {
			continue // removed meanwhile
		}
		if err != nil {
			return err
		}
		for _, h := range p.missed[e.ID] {
			d, err := tx.deliveries.get(spot{int64(e.ID), h.Seq})
			if err != nil {
				return err
			}
			var state DeliveryState
			if d != nil {
				state = DeliveryState(d.state)
			}
			if untold(row.mark, h.Seq, state) {
				if err := tx.NoteExpired(p.number, e.ID, h); err != nil {
					return err
				}
			}
		}
	}
	for _, h := range p.heads {
		if err := tx.events.del(spot{int64(p.number), h.Seq}); err != nil {
			return err
		}
	}
	return nil
}

// forget removes what is remembered of deliveries of events that are gone, and of replays that have ended.
func (db *DB) forget(ctx context.Context, p *passing, before time.Time) error {
	for _, e := range p.endpoints {
		if len(p.heads) > 0 {
			if err := db.clear(ctx, e.ID, p.high(), db.clearDeliveries, db.clearAttempts, db.clearLog); err != nil {
				return err
			}
		}
		if _, err := db.dropExpired(ctx, e.ID, "gone <= $2", millis(before)); err != nil {
			return err
		}
	}
	return db.forgetReaders(ctx, p.number, before)
}

// forgetReaders removes replays that ended before that time, and what is left of endpoints that were removed.
func (db *DB) forgetReaders(ctx context.Context, n kabar.NumberID, before time.Time) error {
	ended, err := list(ctx, db, scanID, "SELECT id FROM replay WHERE number_id = $1 AND ended > 0 AND ended <= $2 ORDER BY id LIMIT $3", int64(n), millis(before), int64(chunk))
	if err != nil {
		return err
	}
	for _, id := range ended {
		if err := db.ClearReader(ctx, kabar.EndpointID(id)); err != nil {
			return err
		}
	}
	if err := db.dropAll(ctx, nil, len(ended), func(tx *Tx) {
		for _, id := range ended {
			tx.replays.drop(id)
		}
	}); err != nil {
		return err
	}
	gone, err := list(ctx, db, scanID, "SELECT id FROM endpoint WHERE number_id = $1 AND gone = 1 ORDER BY id LIMIT $2", int64(n), int64(chunk))
	if err != nil {
		return err
	}
	for _, id := range gone {
		if err := db.ClearReader(ctx, kabar.EndpointID(id)); err != nil {
			return err
		}
	}
	return db.dropAll(ctx, nil, len(gone), func(tx *Tx) {
		for _, id := range gone {
			tx.endpoints.drop(id)
		}
	})
}
