package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"kabar"
	"kabar/internal/permute"
	"kabar/internal/secrets"
)

// keptKeys bounds how many unwrapped conversation keys are kept in memory.
const keptKeys = 16_384

// keyring keeps unwrapped keys. Numbers are few and stay; conversations come and go.
type keyring struct {
	mu            sync.Mutex
	numbers       map[int64]secrets.Key
	conversations map[int64]secrets.Key
}

const permutationMeta = "permutation"

// openKeys reads, or makes at the first start, what the store needs before anything can be read: the key of the public
// ids and the keys of the numbers. A wrong master key is noticed here.
func (db *DB) openKeys(ctx context.Context) error {
	db.keys.numbers, db.keys.conversations = map[int64]secrets.Key{}, map[int64]secrets.Key{}
	err := db.Write(ctx, nil, func(tx *Tx) error {
		row, err := tx.meta.get(permutationMeta)
		if err != nil || row != nil {
			return err
		}
		sealed := db.master.Seal(permute.NewKey(), secrets.AAD("meta", permutationMeta))
		return tx.meta.put(metaRow{permutationMeta, sealed})
	})
	if err != nil {
		return err
	}
	var sealed []byte
	if err := db.read.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", permutationMeta).Scan(&sealed); err != nil {
		return err
	}
	key, err := db.master.Open(sealed, secrets.AAD("meta", permutationMeta))
	if err != nil {
		return ErrMasterKey
	}
	if db.refs, err = permute.New(key); err != nil {
		return err
	}
	rows, err := db.read.QueryContext(ctx, "SELECT id, key FROM number")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells of a broken read
	for rows.Next() {
		var id int64
		var wrapped []byte
		if err := rows.Scan(&id, &wrapped); err != nil {
			return err
		}
		k, err := db.master.Unwrap(wrapped, secrets.AAD("number", id))
		if err != nil {
			return fmt.Errorf("number %d: %w", id, ErrMasterKey)
		}
		db.keys.numbers[id] = k
	}
	return rows.Err()
}

// ErrMasterKey says that the store was sealed with another master key.
var ErrMasterKey = errors.New("the master key does not open this store: give the key file the store was made with")

// numberKey returns the key of a number.
func (db *DB) numberKey(id int64) (secrets.Key, error) {
	db.keys.mu.Lock()
	defer db.keys.mu.Unlock()
	k, ok := db.keys.numbers[id]
	if !ok {
		return k, &NotFoundError{"number"}
	}
	return k, nil
}

func (db *DB) keepNumberKey(id int64, k secrets.Key) {
	db.keys.mu.Lock()
	defer db.keys.mu.Unlock()
	db.keys.numbers[id] = k
}

// conversationKey unwraps the key of a conversation.
func (db *DB) conversationKey(id, number int64, wrapped []byte) (secrets.Key, error) {
	db.keys.mu.Lock()
	k, ok := db.keys.conversations[id]
	db.keys.mu.Unlock()
	if ok {
		return k, nil
	}
	outer, err := db.numberKey(number)
	if err != nil {
		return k, err
	}
	if k, err = outer.Unwrap(wrapped, secrets.AAD("conversation", id)); err != nil {
		return k, fmt.Errorf("unseal conversation %d: %w", id, err)
	}
	db.keepConversationKey(id, k)
	return k, nil
}

func (db *DB) keepConversationKey(id int64, k secrets.Key) {
	db.keys.mu.Lock()
	defer db.keys.mu.Unlock()
	if len(db.keys.conversations) >= keptKeys {
		for old := range db.keys.conversations { // any: the next use unwraps it again
			delete(db.keys.conversations, old)
			break
		}
	}
	db.keys.conversations[id] = k
}

// Ref returns the public number of a message, of which both dialects make their ids.
func (db *DB) Ref(id kabar.MessageID) uint64 { return db.refs.Hide(uint64(id)) }

// Deref returns the key behind a public number. Any number has one; reading the message then says whether it exists and
// whose it is.
func (db *DB) Deref(ref uint64) kabar.MessageID { return kabar.MessageID(db.refs.Reveal(ref)) }

// HideMedia returns the public number of a medium.
func (db *DB) HideMedia(id kabar.MediaID) uint64 { return db.refs.Hide(uint64(id) ^ mediaMask) }

// RevealMedia returns the key behind the public number of a medium.
func (db *DB) RevealMedia(ref uint64) kabar.MediaID {
	return kabar.MediaID(db.refs.Reveal(ref) ^ mediaMask)
}

// mediaMask keeps the public numbers of media apart from those of messages.
const mediaMask = 1 << 62
