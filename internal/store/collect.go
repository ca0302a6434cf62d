package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"kabar"
)

// CollectMedia removes up to a thousand media of the number that nobody has used since before, oldest first. It returns how
// many, and the files that nothing names any more, which are the caller's to remove. Repeat it until there are none.
func (db *DB) CollectMedia(ctx context.Context, n kabar.NumberID, before time.Time) (removed int, files []string, err error) {
	limit := millis(before)
	ids, err := list(ctx, db, scanID, "SELECT id FROM media WHERE number_id = $1 AND used <= $2 ORDER BY used LIMIT $3", int64(n), limit, int64(chunk))
	if err != nil || len(ids) == 0 {
		return 0, nil, err
	}
	err = db.Write(ctx, func(tx *Tx) {
		for _, id := range ids {
			tx.media.want(id)
		}
	}, func(tx *Tx) error {
		removed, files = 0, nil // the writer may run an operation again
		for _, id := range ids {
			row, err := tx.media.get(id)
			if err != nil {
				return err
			}
			if row == nil || row.number != int64(n) || row.used > limit {
				continue
			}
			file, err := tx.RemoveMedium(n, kabar.MediaID(id))
			if err != nil {
				return err
			}
			if removed++; file != "" {
				files = append(files, file)
			}
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return removed, files, nil
}

// CollectMessages removes messages of the number from before that time, oldest first: of up to a thousand messages behind the
// one with key after, those that are old and not waiting to be sent. It returns how many, and the message to go on behind;
// 0 when the rest is younger. What quotes a message that is gone, or comes after it in a conversation, stays as it is.
//
// release is called for a message that goes while something is still reserved for it: nobody has told what became of it.
func (db *DB) CollectMessages(ctx context.Context, n kabar.NumberID, after kabar.MessageID, before time.Time, release func(*Tx, *kabar.Message) error) (removed int, next kabar.MessageID, err error) {
	type head struct{ id, at int64 }
	heads, err := list(ctx, db, func(rs *sql.Rows) (h head, err error) {
		return h, rs.Scan(&h.id, &h.at)
	}, "SELECT id, at FROM message WHERE number_id = $1 AND id > $2 ORDER BY id LIMIT $3", int64(n), int64(after), int64(chunk))
	if err != nil || len(heads) == 0 {
		return 0, 0, err
	}
	var old []int64
	for _, h := range heads {
		if h.at <= millis(before) {
			old = append(old, h.id)
		}
	}
	if len(old) == 0 {
		return 0, 0, nil
	}
	if len(heads) == chunk {
		next = kabar.MessageID(heads[len(heads)-1].id)
	}
	err = db.Write(ctx, func(tx *Tx) {
		for _, id := range old {
			tx.messages.want(id)
		}
	}, func(tx *Tx) error {
		removed = 0
		for _, id := range old {
			row, err := tx.messages.get(id)
			if err != nil {
				return err
			}
			if row == nil || kabar.Status(row.status) == kabar.Accepted {
				continue
			}
			if row.charge != 0 && kabar.Status(row.status) == kabar.Sent {
				if err := release(tx, &kabar.Message{ID: kabar.MessageID(id), Account: kabar.AccountID(row.account), Number: n, Charge: row.charge}); err != nil {
					return err
				}
			}
			if err := tx.messages.del(id); err != nil {
				return err
			}
			removed++
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return removed, next, nil
}

// AnswerPlace is where the answers of a number stand in their order; the zero value is before the first.
type AnswerPlace struct{ path, key string }

// CollectAnswers removes those of up to 5,000 answers of the number behind a place that have outlived what the account says. It returns
// where to go on; done after the last.
func (db *DB) CollectAnswers(ctx context.Context, n kabar.NumberID, after AnswerPlace, now time.Time) (removed int, next AnswerPlace, done bool, err error) {
	page, err := db.answerHeads(ctx, int64(n), requestKey{int64(n), after.path, after.key})
	if err != nil || len(page) == 0 {
		return 0, after, true, err
	}
	limit := func(r *idempotencyRow) bool { return now.Sub(instant(r.at)) >= db.lives.of(r.account) }
	var old []requestKey
	for i := range page {
		if limit(&page[i]) {
			old = append(old, idempotencies.key(&page[i]))
		}
	}
	for some := range slices.Chunk(old, chunk) {
		err := db.Write(ctx, nil, func(tx *Tx) error {
			for _, k := range some {
				row, err := tx.answers.get(k)
				if err == nil && row != nil && limit(row) {
					err = tx.answers.del(k)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return removed, after, false, err
		}
		removed += len(some)
	}
	last := page[len(page)-1]
	return removed, AnswerPlace{last.path, last.key}, len(page) < headsAtOnce, nil
}

// answerHeads returns the next answers of a number behind a key, without what they say.
func (db *DB) answerHeads(ctx context.Context, number int64, after requestKey) ([]idempotencyRow, error) {
	return list(ctx, db, func(rs *sql.Rows) (r idempotencyRow, err error) {
		r.number = number
		return r, rs.Scan(&r.path, &r.key, &r.account, &r.at, &r.conversation)
	}, answersBehind, number, after.path, after.key, int64(headsAtOnce))
}

const answersBehind = "SELECT path, key, account_id, at, conversation_id FROM idempotency WHERE number_id = $1 AND (path, key) > ($2, $3) ORDER BY path, key LIMIT $4"

func scanID(rs *sql.Rows) (id int64, err error) {
	return id, rs.Scan(&id)
}
