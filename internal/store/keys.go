package store

import (
	"cmp"
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

// keyring keeps unwrapped keys. Master keys and numbers are few and stay; conversations come and go.
type keyring struct {
	mu            sync.Mutex
	masters       map[string]secrets.Key // by ID
	numbers       map[int64]secrets.Key
	conversations map[int64]ownedKey
}

// ownedKey is the unwrapped key of a conversation, with the number that the conversation belongs to for good, and the customer's name:
// what it was when it was opened last, and how it was sealed then.
type ownedKey struct {
	number int64
	key    secrets.Key
	sealed []byte
	name   string
}

const permutationMeta = "permutation"

// openKeys reads, or makes at the first start, what the store needs before anything can be read: the key of the public
// ids and the keys of the numbers. A wrong master key is noticed here.
func (db *DB) openKeys(ctx context.Context) error {
	db.keys.numbers, db.keys.conversations = map[int64]secrets.Key{}, map[int64]ownedKey{}
	db.keys.masters = map[string]secrets.Key{db.master.ID(): db.master}
	if err := db.Write(ctx, nil, func(tx *Tx) error { return tx.checkMaster(db.master, permute.NewKey) }); err != nil {
		return err
	}
	key, err := db.sealed(ctx, permutationMeta)
	if err != nil {
		return err
	}
	if db.refs, err = permute.New(key); err != nil {
		return err
	}
	rows, err := readAll(ctx, db, numbers, "id > 0")
	if err != nil {
		return err
	}
	for _, r := range rows {
		k, err := db.master.Unwrap(r.key, secrets.AAD("number", r.id))
		if err != nil {
			return fmt.Errorf("number %d: %w", r.id, &MasterKeyError{Given: db.master.ID()})
		}
		db.keys.numbers[r.id] = k
	}
	if err := errors.Join(db.openPseudonyms(ctx), db.openLives(ctx)); err != nil {
		return err
	}
	return db.openChain(ctx)
}

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

// conversationKey unwraps the key of a conversation of the number.
func (db *DB) conversationKey(id, number int64, wrapped []byte) (secrets.Key, error) {
	if kept, ok := db.keptKey(id); ok {
		return kept.key, nil
	}
	outer, err := db.numberKey(number)
	if err != nil {
		return secrets.Key{}, err
	}
	k, err := outer.Unwrap(wrapped, secrets.AAD("conversation", id))
	if err != nil {
		return k, fmt.Errorf("unseal conversation %d: %w", id, err)
	}
	db.keepConversationKey(id, number, k)
	return k, nil
}

// keptKey returns what is kept in memory of a conversation.
func (db *DB) keptKey(conversation int64) (ownedKey, bool) {
	db.keys.mu.Lock()
	defer db.keys.mu.Unlock()
	k, ok := db.keys.conversations[conversation]
	return k, ok
}

func (db *DB) keepConversationKey(id, number int64, k secrets.Key) {
	db.keys.mu.Lock()
	defer db.keys.mu.Unlock()
	if len(db.keys.conversations) >= keptKeys {
		for old := range db.keys.conversations { // any: the next use unwraps it again
			delete(db.keys.conversations, old)
			break
		}
	}
	db.keys.conversations[id] = ownedKey{number: number, key: k}
}

// keepName keeps a name that was opened, as long as the key is kept.
func (db *DB) keepName(conversation int64, sealed []byte, name string) {
	db.keys.mu.Lock()
	defer db.keys.mu.Unlock()
	if k, ok := db.keys.conversations[conversation]; ok {
		k.sealed, k.name = sealed, name
		db.keys.conversations[conversation] = k
	}
}

// dropConversationKey forgets the key of a conversation that is gone.
func (db *DB) dropConversationKey(id int64) {
	db.keys.mu.Lock()
	defer db.keys.mu.Unlock()
	delete(db.keys.conversations, id)
}

// keyOf returns the key of a conversation of the number. What belongs to no conversation, 0, is sealed under the number's.
func (tx *Tx) keyOf(number, conversation int64) (secrets.Key, error) {
	if conversation == 0 {
		return tx.b.db.numberKey(number)
	}
	row, err := tx.conversations.see(conversation)
	if err != nil {
		return secrets.Key{}, err
	}
	if row == nil || row.number != number {
		return secrets.Key{}, &NotFoundError{"conversation"}
	}
	return tx.b.db.conversationKey(row.id, row.number, row.key)
}

// keyOf returns the key of a conversation of the number. What belongs to no conversation, 0, is sealed under the number's.
func (db *DB) keyOf(ctx context.Context, number, conversation int64) (secrets.Key, error) {
	if conversation == 0 {
		return db.numberKey(number)
	}
	kept, err := db.keyAndOwner(ctx, conversation)
	if err != nil || kept.number != number {
		return secrets.Key{}, cmp.Or[error](err, &NotFoundError{"conversation"})
	}
	return kept.key, nil
}

func (db *DB) keyAndOwner(ctx context.Context, conversation int64) (ownedKey, error) {
	if kept, ok := db.keptKey(conversation); ok {
		return kept, nil
	}
	row, err := readKey(ctx, db, conversations, db.kept.conversations, conversation)
	if err != nil {
		return ownedKey{}, notFound(err, "conversation")
	}
	key, err := db.conversationKey(row.id, row.number, row.key)
	return ownedKey{number: row.number, key: key}, err
}

// Owner returns the number that a conversation belongs to: for the server's own work, which knows the conversation only.
// Of one that has been in use lately it is kept in memory.
func (db *DB) Owner(ctx context.Context, c kabar.ConversationID) (kabar.NumberID, error) {
	kept, err := db.keyAndOwner(ctx, int64(c))
	return kabar.NumberID(kept.number), err
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
