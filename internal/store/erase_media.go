package store

import (
	"context"
	"database/sql"
	"slices"

	"kabar"
)

// media removes the media of the conversations whose messages have been collected: nothing but their own rows leads to them.
func (x *eraser) media(ctx context.Context) error {
	type head struct{ id, number, conversation int64 }
	for after := int64(0); ; {
		heads, err := list(ctx, x.db, func(rs *sql.Rows) (h head, err error) { return h, rs.Scan(&h.id, &h.number, &h.conversation) },
			"SELECT id, number_id, conversation_id FROM media WHERE id > $1 ORDER BY id LIMIT $2", after, int64(headsAtOnce))
		if err != nil || len(heads) == 0 {
			return err
		}
		after = heads[len(heads)-1].id
		mine := slices.DeleteFunc(slices.Clone(heads), func(h head) bool { return !x.talks(h.number, h.conversation) })
		for some := range slices.Chunk(mine, chunk) {
			var files []string
			err := x.commit(ctx, func(tx *Tx) {
				for _, h := range some {
					tx.media.want(h.id)
				}
			}, func(tx *Tx, next *Erasure) error {
				files = nil
				for _, h := range some {
					file, err := x.medium(tx, kabar.ConversationID(h.conversation), kabar.NumberID(h.number), kabar.MediaID(h.id), false, next)
					if err != nil {
						return err
					}
					if file != "" {
						files = append(files, file)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			x.discard(files)
		}
		if len(heads) < headsAtOnce {
			return nil
		}
	}
}

func (x *eraser) discard(files []string) {
	for _, file := range files {
		x.Discard(file)
	}
}

// medium removes a medium that is in no other conversation, and returns its file if that is nobody's any more. What the business has
// uploaded before it was noted where media are used may be in many, and stays; what the customer has sent does not.
func (x *eraser) medium(tx *Tx, c kabar.ConversationID, n kabar.NumberID, id kabar.MediaID, sent bool, next *Erasure) (file string, err error) {
	row, err := tx.media.get(int64(id))
	if err != nil || row == nil || row.number != int64(n) {
		return "", err
	}
	if row.conversation != int64(c) && !(sent && row.conversation == 0) {
		return "", nil
	}
	if file, err = tx.RemoveMedium(n, id); err != nil {
		return "", err
	}
	if next.Removed.Media++; file != "" {
		err = tx.uploads.del(named{row.number, row.sha256})
	}
	return file, err
}
