package phone

import (
	"context"
	"database/sql"
	"time"

	"kabar/internal/e2ee"
	"kabar/internal/sqlite"
)

const (
	tidyEvery = time.Minute
	keepSent  = 24 * time.Hour      // payloads of sent receipts and the like, for a retry request
	keepOld   = 30 * 24 * time.Hour // payloads of sent messages, ids of envelopes seen, unreadable envelopes
)

// tidy does what time demands: it rotates keys, ends what has expired, and forgets what nobody asks for any more. One
// timer serves all customers.
func (p *Phone) tidy(ctx context.Context) {
	if err := p.forget(ctx); err != nil && ctx.Err() == nil {
		p.log.Error("tidy up", "error", err)
	}
	due, err := list[int64](ctx, p.db.Read, `SELECT customer FROM prekeys WHERE kind = ? GROUP BY customer HAVING max(created) <= ?`,
		keySigned, p.now().Add(-e2ee.PreKeyRotation).UnixMilli())
	if err != nil {
		p.log.Error("look for old keys", "error", err)
	}
	for _, id := range due {
		if n := p.line(id); n != nil {
			n.start(&n.filer, n.fillDirectory)
		}
	}
}

func (p *Phone) forget(ctx context.Context) error {
	return p.do(ctx, func(t *tx) error {
		before := func(d time.Duration) int64 { return t.now.Add(-d).UnixMilli() }
		for _, s := range []struct {
			statement string
			age       time.Duration
		}{
			{"DELETE FROM outbox WHERE at <= ? AND state = 2 AND message = ''", keepSent},
			{"DELETE FROM outbox WHERE at <= ? AND state = 2", keepOld},
			{"DELETE FROM seen WHERE at <= ?", keepOld},
			{"DELETE FROM dead WHERE at <= ?", keepOld},
			{"DELETE FROM prekeys WHERE created <= ? AND kind IN (1, 2)", e2ee.PreKeyRotation + e2ee.PreKeyGrace},
		} {
			if err := t.exec(s.statement, before(s.age)); err != nil {
				return err
			}
		}
		return t.expireSessions(ctx)
	})
}

// expireSessions removes the keys of sessions that lie still.
func (t *tx) expireSessions(ctx context.Context) error {
	type row struct {
		customer int64
		business string
		peer     []byte
	}
	var expired []row
	err := sqlite.Each(ctx, t, func(r *sql.Rows) error {
		var v row
		if err := r.Scan(&v.customer, &v.business, &v.peer); err != nil {
			return err
		}
		peer, err := e2ee.UnmarshalPeer(v.peer)
		if err != nil {
			return err
		}
		next, changed := peer.Expire(t.now)
		if !changed {
			return nil
		}
		v.peer, err = next.MarshalBinary()
		expired = append(expired, v)
		return err
	}, "SELECT customer, business, peer FROM chats WHERE peer IS NOT NULL")
	for i := 0; i < len(expired) && err == nil; i++ {
		v := expired[i]
		err = t.exec("UPDATE chats SET peer = ? WHERE customer = ? AND business = ?", v.peer, v.customer, v.business)
	}
	return err
}
