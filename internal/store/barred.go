package store

import (
	"context"
	"slices"

	"kabar"
)

// The customers whom a number has blocked, by the conversations in which they are.
const (
	barredAfter  = "number_id = $1 AND barred > 0 AND id > $2 ORDER BY id LIMIT $3"
	barredBefore = "number_id = $1 AND barred > 0 AND id < $2 ORDER BY id DESC LIMIT $3"
)

// Barred returns up to limit of the conversations whose customers the number has blocked, oldest conversations first: those behind
// the one with key after or, if before is not 0, those in front of that one. more says whether there are others in the same direction.
func (db *DB) Barred(ctx context.Context, n kabar.NumberID, after, before kabar.ConversationID, limit int) (all []*kabar.Conversation, more bool, err error) {
	where, spot := barredAfter, after
	if before != 0 {
		where, spot = barredBefore, before
	}
	rows, err := readAll(ctx, db, conversations, where, int64(n), int64(spot), int64(limit)+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	for i := range rows {
		c, err := db.openConversation(&rows[i], nil)
		if err != nil {
			return nil, false, err
		}
		all = append(all, c)
	}
	if before != 0 {
		slices.Reverse(all)
	}
	return all, more, nil
}

// CountBarred returns how many customers the number has blocked.
func (db *DB) CountBarred(ctx context.Context, n kabar.NumberID) (count int, err error) {
	ctx, cancel := db.within(ctx)
	defer cancel()
	if err := db.read.QueryRowContext(ctx, "SELECT count(*) FROM conversation WHERE number_id = $1 AND barred > 0", int64(n)).Scan(&count); err != nil {
		return 0, db.readFault(ctx, err)
	}
	return count, nil
}
