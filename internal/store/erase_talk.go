package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"kabar"
)

// chainBehind walks the messages of a conversation from the newest.
const chainBehind = `WITH RECURSIVE chain (id, prev, n) AS (
	SELECT m.id, m.prev, 1 FROM latest l JOIN message m ON m.id = l.last_message WHERE l.conversation_id = $1
	UNION ALL SELECT m.id, m.prev, c.n + 1 FROM chain c JOIN message m ON m.id = c.prev WHERE c.n < $2)
	SELECT id FROM chain`

// messages removes the messages of the conversations, newest first, with their media and what else is about them. Messages that have
// been collected break the chain: what may be left before those is looked for among all that are older.
func (x *eraser) messages(ctx context.Context) error {
	for _, t := range x.e.rest.Talks {
		for {
			ids, err := list(ctx, x.db, scanID, chainBehind, int64(t.Conversation), int64(chunk))
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				break
			}
			if err := x.remove(ctx, t, ids, func(tx *Tx, last *messageRow) error { return unwind(tx, last) }); err != nil {
				return err
			}
		}
		if err := x.beforeGap(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// unwind has the chain of a conversation begin before a message.
func unwind(tx *Tx, last *messageRow) error {
	end, err := tx.latest.get(last.conversation)
	if err != nil || end == nil {
		return err
	}
	end.lastMessage = last.prev
	return tx.latest.put(*end)
}

// beforeGap removes the messages that the chain does not lead to.
func (x *eraser) beforeGap(ctx context.Context, t Talk) error {
	latest, err := readKey(ctx, x.db, latests, x.db.kept.latest, int64(t.Conversation))
	if errors.Is(err, sql.ErrNoRows) || err == nil && latest.lastMessage == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	type head struct{ id, conversation int64 }
	for after := int64(t.Conversation); ; { // its messages have greater keys
		heads, err := list(ctx, x.db, func(rs *sql.Rows) (h head, err error) { return h, rs.Scan(&h.id, &h.conversation) },
			"SELECT id, conversation_id FROM message WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3", after, latest.lastMessage, int64(headsAtOnce))
		if err != nil {
			return err
		}
		var mine []int64
		for _, h := range heads {
			if h.conversation == int64(t.Conversation) {
				mine = append(mine, h.id)
			}
		}
		for some := range slices.Chunk(mine, chunk) {
			if err := x.remove(ctx, t, some, func(*Tx, *messageRow) error { return nil }); err != nil {
				return err
			}
		}
		if len(heads) < headsAtOnce {
			return nil
		}
		after = heads[len(heads)-1].id
	}
}

// remove takes messages of a conversation away, in the order of ids; behind is called with the last.
func (x *eraser) remove(ctx context.Context, t Talk, ids []int64, behind func(*Tx, *messageRow) error) error {
	want, err := x.ahead(ctx, ids)
	if err != nil {
		return err
	}
	var files []string
	err = x.commit(ctx, want, func(tx *Tx, next *Erasure) error {
		files = nil
		var last *messageRow
		for _, id := range ids {
			row, err := tx.messages.get(id)
			if err != nil {
				return err
			}
			if row == nil || row.number != int64(t.Number) || row.conversation != int64(t.Conversation) {
				continue
			}
			gone, err := x.message(tx, row, next)
			if err != nil {
				return err
			}
			files, last = append(files, gone...), row
		}
		if last == nil {
			return nil
		}
		return behind(tx, last)
	})
	if err == nil {
		x.discard(files)
	}
	return err
}

// ahead reads messages before the writer does, so that it loads what belongs to them with one statement a table.
func (x *eraser) ahead(ctx context.Context, ids []int64) (func(*Tx), error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	rows, err := readAll(ctx, x.db, messages, "id IN ("+placesFrom(1, len(ids))+")", args...)
	if err != nil {
		return nil, err
	}
	var all []*kabar.Message
	for i := range rows {
		key, err := x.db.keyOf(ctx, rows[i].number, rows[i].conversation)
		if err != nil {
			return nil, err
		}
		if m, err := x.db.openMessage(&rows[i], key); err == nil { // one that cannot be read names nothing
			all = append(all, m)
		}
	}
	return func(tx *Tx) {
		for _, m := range all {
			tx.messages.want(int64(m.ID))
			if m.Charge != 0 {
				tx.ledger.want(spot{int64(m.Account), m.Charge})
			}
			if m.Wire != "" {
				tx.refs.want(named{int64(m.Number), m.Wire})
			}
			for _, of := range kabar.AllMedia(m.Content) {
				tx.media.want(int64(of.ID))
				tx.files.want(named{int64(m.Number), of.SHA256})
				tx.uploads.want(named{int64(m.Number), of.SHA256})
			}
		}
	}, nil
}

// message removes one message, and returns the files of its media that nobody else has.
func (x *eraser) message(tx *Tx, row *messageRow, next *Erasure) (files []string, err error) {
	if err := x.free(tx, row); err != nil {
		return nil, err
	}
	if err := x.disown(tx, row); err != nil {
		return nil, err
	}
	if m, err := tx.Message(kabar.NumberID(row.number), kabar.MessageID(row.id)); err == nil { // one that cannot be read has nothing to look for
		if files, err = x.contents(tx, m, next); err != nil {
			return nil, err
		}
	}
	next.Removed.Messages++
	return files, tx.messages.del(row.id)
}

// free ends what is reserved for a message that nobody will tell of any more.
func (x *eraser) free(tx *Tx, row *messageRow) error {
	if s := kabar.Status(row.status); row.charge == 0 || s != kabar.Accepted && s != kabar.Sent {
		return nil
	}
	return x.Release(tx, &kabar.Message{ID: kabar.MessageID(row.id), Account: kabar.AccountID(row.account), Number: kabar.NumberID(row.number), Charge: row.charge})
}

// disown writes the pseudonym to the entry of the ledger that the message was reserved with: the message that it names is gone.
func (x *eraser) disown(tx *Tx, row *messageRow) error {
	if row.charge == 0 {
		return nil
	}
	entry, err := tx.ledger.get(spot{row.account, row.charge})
	if err != nil || entry == nil {
		return err
	}
	entry.customer = x.e.Pseudonym
	return tx.ledger.put(*entry)
}

// contents removes what only the message itself says belongs to it: the network's id, its place among those that wait for a template,
// and its media.
func (x *eraser) contents(tx *Tx, m *kabar.Message, next *Erasure) (files []string, err error) {
	if m.Wire != "" { // what has come once is not taken in again, were the network to repeat it
		ref, err := tx.refs.get(named{int64(m.Number), m.Wire})
		if err != nil {
			return nil, err
		}
		if ref != nil {
			ref.message = 0
			if err := tx.refs.put(*ref); err != nil {
				return nil, err
			}
		}
	}
	if t, ok := m.Content.(*kabar.Template); ok {
		tx.Unhold(t.ID, m.ID)
	}
	for _, id := range m.StoredMedia() {
		file, err := x.medium(tx, m.Conversation, m.Number, id, m.Direction == kabar.Inbound, next)
		if err != nil {
			return nil, err
		}
		if file != "" {
			files = append(files, file)
		}
	}
	return files, nil
}
