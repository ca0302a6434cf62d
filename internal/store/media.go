package store

import (
	"context"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type mediaRow struct {
	id, account, number int64
	mime                string
	size                int64
	sha256, file        string
	key, name           []byte
	created, used       int64
	conversation        int64
}

var medias = &table[int64, mediaRow]{
	shape: shape{"media", cols("id:bigint"), cols("account_id:bigint number_id:bigint mime:text size:bigint sha256:text file:text " +
		"key:bytea name:bytea created:bigint used:bigint conversation_id:bigint")},
	key:  func(r *mediaRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *mediaRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.mime, &r.size, &r.sha256, &r.file, &r.key, &r.name, &r.created, &r.used, &r.conversation}
	},
	order: byID[int64],
}

// Medium is a stored medium. Its bytes lie sealed in a file under Key.
type Medium struct {
	ID       kabar.MediaID
	Account  kabar.AccountID
	Number   kabar.NumberID
	MIME     string
	Size     int64  // plain bytes
	SHA256   string // of the plain bytes, lower-case hex
	File     string // name in the media folder
	Filename string // as its sender called it; sealed at rest
	Key      secrets.Key
	Created  time.Time
	Used     time.Time // when it was last sent or fetched; AddMedium sets it to Created
	// Conversation is the one that the medium is in; 0: none, or none is known; InSeveral.
	Conversation kabar.ConversationID

	// Replace says, for AddMedium, that the file in which the number's media with these bytes lie cannot be read.
	Replace bool
}

// InSeveral stands for the conversation of a medium that is in more than one.
const InSeveral kabar.ConversationID = -1

// AddMedium stores a new medium and sets its ID. Its file must be on disk already. When the number has media with the same
// bytes, the medium lies in their file: File and Key are then theirs, and the file that it came with is the caller's to
// remove, after the commit.
func (tx *Tx) AddMedium(m *Medium) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	m.ID = kabar.MediaID(id)
	key, err := tx.b.db.numberKey(int64(m.Number))
	if err != nil {
		return err
	}
	m.Used = m.Created
	if err := tx.share(m, key); err != nil {
		return err
	}
	tx.media.fresh(mediaRow{
		id: id, account: int64(m.Account), number: int64(m.Number), mime: m.MIME, size: m.Size, sha256: m.SHA256, file: m.File,
		key: key.Wrap(m.Key, secrets.AAD("media", id)), name: m.Key.Seal([]byte(m.Filename), secrets.AAD("media.name", id)), created: millis(m.Created), used: millis(m.Used),
		conversation: int64(m.Conversation),
	})
	return nil
}

// RemoveMedium removes a medium of the number. It returns the file, which is the caller's to remove after the commit; "" while
// other media lie in it.
func (tx *Tx) RemoveMedium(n kabar.NumberID, id kabar.MediaID) (file string, err error) {
	row, err := tx.medium(n, id)
	if err != nil {
		return "", err
	}
	if file, err = tx.leave(row); err != nil {
		return "", err
	}
	return file, tx.media.del(int64(id))
}

// UseMedium notes that a medium of the number is used at now.
func (tx *Tx) UseMedium(n kabar.NumberID, id kabar.MediaID, now time.Time) error {
	row, err := tx.medium(n, id)
	if err != nil {
		return err
	}
	row.used = max(row.used, millis(now))
	return tx.media.put(*row)
}

// PlaceMedium notes that a medium of the number is in a conversation. One that is gone is no error.
func (tx *Tx) PlaceMedium(n kabar.NumberID, id kabar.MediaID, c kabar.ConversationID) error {
	row, err := tx.media.see(int64(id))
	if err != nil || row == nil || row.number != int64(n) || row.conversation == int64(c) || row.conversation == int64(InSeveral) {
		return err
	}
	mine := *row
	if mine.conversation = int64(c); row.conversation != 0 {
		mine.conversation = int64(InSeveral)
	}
	return tx.media.put(mine)
}

func (tx *Tx) medium(n kabar.NumberID, id kabar.MediaID) (*mediaRow, error) {
	row, err := tx.media.get(int64(id))
	if err == nil && (row == nil || row.number != int64(n)) {
		err = &NotFoundError{"media"}
	}
	return row, err
}

// Medium returns a medium of the number.
func (db *DB) Medium(ctx context.Context, n kabar.NumberID, id kabar.MediaID) (*Medium, error) {
	r, err := readOne(ctx, db, medias, "id = $1 AND number_id = $2", int64(id), int64(n))
	if err != nil {
		return nil, notFound(err, "media")
	}
	outer, err := db.numberKey(r.number)
	if err != nil {
		return nil, err
	}
	key, err := outer.Unwrap(r.key, secrets.AAD("media", r.id))
	if err != nil {
		return nil, fmt.Errorf("unseal media: %w", err)
	}
	name, err := key.Open(r.name, secrets.AAD("media.name", r.id))
	if err != nil {
		return nil, fmt.Errorf("unseal media: %w", err)
	}
	return &Medium{ID: id, Account: kabar.AccountID(r.account), Number: n, MIME: r.mime, Size: r.size, SHA256: r.sha256, File: r.file,
		Filename: string(name), Key: key, Created: instant(r.created), Used: instant(r.used), Conversation: kabar.ConversationID(r.conversation)}, nil
}

// HasFile reports whether a medium of any number lies in the file.
func (db *DB) HasFile(ctx context.Context, file string) (bool, error) {
	var n int
	err := db.read.QueryRowContext(ctx, "SELECT count(*) FROM media WHERE file = $1", file).Scan(&n)
	if err != nil {
		return false, fault(err)
	}
	return n > 0, nil
}
