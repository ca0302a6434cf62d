package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type idempotencyRow struct {
	number    int64
	path, key string
	account   int64
	hash      string
	status    int64
	answer    []byte
	at        int64

	conversation int64
}

var idempotencies = &table[requestKey, idempotencyRow]{
	shape: shape{"idempotency", cols("number_id:bigint path:text key:text"),
		cols("account_id:bigint hash:text status:bigint answer:bytea at:bigint conversation_id:bigint?")},
	key:  func(r *idempotencyRow) requestKey { return requestKey{r.number, r.path, r.key} },
	args: func(k requestKey) []any { return []any{k.number, k.path, k.key} },
	fields: func(r *idempotencyRow) []any {
		return []any{&r.number, &r.path, &r.key, &r.account, &r.hash, &r.status, &r.answer, &r.at, &r.conversation}
	},
	order: func(a, b requestKey) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.path, b.path), cmp.Compare(a.key, b.key))
	},
}

// Answer is what a request with an idempotency key was answered.
type Answer struct {
	Hash   string // SHA-256 of the raw request body, hex
	Status int    // HTTP status, always 2xx
	Body   []byte // sealed at rest
	At     time.Time
	// Conversation is the one that the answer is about, whose key seals it and with which it goes; 0: none.
	Conversation kabar.ConversationID
}

// AnswerLife is how long answers are kept where the account does not say.
const AnswerLife = 24 * time.Hour

// WantAnswer announces that the answer will be asked for.
func (tx *Tx) WantAnswer(n kabar.NumberID, path, key string) {
	tx.answers.want(requestKey{int64(n), path, key})
}

// Answer returns what was answered under an idempotency key, or nil if nothing was, or too long before now.
func (tx *Tx) Answer(n kabar.NumberID, path, key string, now time.Time) (*Answer, error) {
	row, err := tx.answers.get(requestKey{int64(n), path, key})
	if err != nil || row == nil || now.Sub(instant(row.at)) >= tx.b.db.lives.of(row.account) {
		return nil, err
	}
	k, err := tx.keyOf(row.number, row.conversation)
	return openAnswer(row, k, err)
}

// Answer returns what was answered under an idempotency key, or nil if nothing was, or too long before now.
func (db *DB) Answer(ctx context.Context, n kabar.NumberID, path, key string, now time.Time) (*Answer, error) {
	row, err := readOne(ctx, db, idempotencies, "number_id = $1 AND path = $2 AND key = $3", int64(n), path, key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil || now.Sub(instant(row.at)) >= db.lives.of(row.account) {
		return nil, err
	}
	k, err := db.keyOf(ctx, row.number, row.conversation)
	return openAnswer(row, k, err)
}

// openAnswer opens an answer with its key; err is why there is none. One that went with its conversation was never given.
func openAnswer(row *idempotencyRow, key secrets.Key, err error) (*Answer, error) {
	if row.conversation != 0 && IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	body, err := key.Open(row.answer, secrets.AAD("idempotency", row.number, row.path, row.key))
	return &Answer{row.hash, int(row.status), body, instant(row.at), kabar.ConversationID(row.conversation)}, err
}

// SaveAnswer remembers an answer. The key has one answer only, until that is too old: a second one is a StatementError.
func (tx *Tx) SaveAnswer(n *kabar.Number, path, key string, a *Answer) error {
	old, err := tx.Answer(n.ID, path, key, a.At)
	if err != nil {
		return err
	}
	if old != nil {
		return &StatementError{errors.New("write idempotency: the key has an answer")}
	}
	k, err := tx.keyOf(int64(n.ID), int64(a.Conversation))
	if err != nil {
		return err
	}
	sealed := k.Seal(a.Body, secrets.AAD("idempotency", int64(n.ID), path, key))
	return tx.answers.put(idempotencyRow{int64(n.ID), path, key, int64(n.Account), a.Hash, int64(a.Status), sealed, millis(a.At), int64(a.Conversation)})
}
