package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"kabar"
	"kabar/internal/secrets"
)

type recipientRow struct {
	broadcast, row, account, number int64
	handle                          string
	message                         int64
	failure                         string
	body                            []byte
}

var recipients = &table[spot, recipientRow]{
	shape: shape{"broadcast_recipient", cols("broadcast_id:bigint place:bigint"),
		cols("account_id:bigint number_id:bigint handle:text message_id:bigint failure:text body:bytea")},
	key:  func(r *recipientRow) spot { return spot{r.broadcast, r.row} },
	args: spotArgs,
	fields: func(r *recipientRow) []any {
		return []any{&r.broadcast, &r.row, &r.account, &r.number, &r.handle, &r.message, &r.failure, &r.body}
	},
	order: orderSpot,
}

// AddRecipient stores a recipient of a broadcast that has no such row yet; not one who has been erased since the broadcast was made.
func (tx *Tx) AddRecipient(b *kabar.Broadcast, r *kabar.BroadcastRecipient) error {
	if erased, err := tx.ErasedSince(b.Account, r.Handle, b.Created); erased || err != nil {
		return err
	}
	plain, err := json.Marshal(r.Values)
	if err != nil {
		return fmt.Errorf("encode a recipient: %w", err)
	}
	key, err := tx.b.db.numberKey(int64(b.Number))
	if err != nil {
		return err
	}
	r.Broadcast = b.ID
	tx.recipients.fresh(recipientRow{int64(b.ID), int64(r.Row), int64(b.Account), int64(b.Number), r.Handle, int64(r.Message), string(r.Failure),
		key.Seal(plain, recipientAAD(int64(b.ID), int64(r.Row)))})
	return nil
}

func recipientAAD(broadcast, row int64) []byte {
	return secrets.AAD("broadcast_recipient", broadcast, row)
}

// WantRecipient announces that a recipient will be asked for.
func (tx *Tx) WantRecipient(b kabar.BroadcastID, row int) {
	tx.recipients.want(spot{int64(b), int64(row)})
}

// Recipient returns a recipient of a broadcast of the number, or a NotFoundError.
func (tx *Tx) Recipient(n kabar.NumberID, b kabar.BroadcastID, row int) (*kabar.BroadcastRecipient, error) {
	r, err := tx.recipients.see(spot{int64(b), int64(row)})
	if err != nil {
		return nil, err
	}
	if r == nil || r.number != int64(n) {
		return nil, &NotFoundError{"recipient"}
	}
	return tx.b.db.openRecipient(r)
}

// SaveRecipient stores what has become of a recipient: the message, or why there is none.
func (tx *Tx) SaveRecipient(n kabar.NumberID, r *kabar.BroadcastRecipient) error {
	row, err := tx.recipients.get(spot{int64(r.Broadcast), int64(r.Row)})
	if err != nil {
		return err
	}
	if row == nil || row.number != int64(n) {
		return &NotFoundError{"recipient"}
	}
	row.message, row.failure = int64(r.Message), string(r.Failure)
	return tx.recipients.put(*row)
}

func (db *DB) openRecipient(r *recipientRow) (*kabar.BroadcastRecipient, error) {
	key, err := db.numberKey(r.number)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(r.body, recipientAAD(r.broadcast, r.row))
	if err != nil {
		return nil, fmt.Errorf("unseal a recipient: %w", err)
	}
	out := &kabar.BroadcastRecipient{Broadcast: kabar.BroadcastID(r.broadcast), Row: int(r.row), Handle: r.handle, Message: kabar.MessageID(r.message),
		Failure: kabar.Reason(r.failure)}
	if err := json.Unmarshal(plain, &out.Values); err != nil {
		return nil, fmt.Errorf("decode a recipient: %w", err)
	}
	return out, nil
}

func (db *DB) openRecipients(rows []recipientRow) (all []*kabar.BroadcastRecipient, err error) {
	all = make([]*kabar.BroadcastRecipient, len(rows))
	for i := range rows {
		if all[i], err = db.openRecipient(&rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

const recipientsAfter = "broadcast_id = $1 AND place > $2"

// WaitingRecipients returns up to limit recipients of a broadcast whose turn it is yet, by their rows, behind the one given.
func (db *DB) WaitingRecipients(ctx context.Context, b kabar.BroadcastID, after, limit int) ([]*kabar.BroadcastRecipient, error) {
	rows, err := readAll(ctx, db, recipients, recipientsAfter+" AND message_id = 0 AND failure = '' ORDER BY place LIMIT $3", int64(b), int64(after), int64(limit))
	if err != nil {
		return nil, err
	}
	return db.openRecipients(rows)
}

// RecipientRows returns up to limit rows that a customer of an account has in broadcasts, oldest first.
func (db *DB) RecipientRows(ctx context.Context, a kabar.AccountID, handle string, limit int) ([]*kabar.BroadcastRecipient, error) {
	if impossible(handle) {
		return nil, nil
	}
	rows, err := readAll(ctx, db, recipients, recipientsOfCustomer, int64(a), handle, int64(limit))
	if err != nil {
		return nil, err
	}
	return db.openRecipients(rows)
}

// RemoveRecipients removes up to a thousand recipients of a broadcast, and reports how many.
func (db *DB) RemoveRecipients(ctx context.Context, b kabar.BroadcastID) (removed int, err error) {
	rows, err := list(ctx, db, scanID, "SELECT place FROM broadcast_recipient WHERE broadcast_id = $1 ORDER BY place LIMIT $2", int64(b), int64(chunk))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	err = db.Write(ctx, nil, func(tx *Tx) error {
		for _, row := range rows {
			tx.recipients.drop(spot{int64(b), row})
		}
		return nil
	})
	return len(rows), err
}

// RecipientState is how it stands with a recipient.
type RecipientState struct {
	Row     int
	Handle  string
	Message kabar.MessageID // 0: there is none
	Status  kabar.Status    // of the message; Received, which none of ours has, when it has been collected
	Failure kabar.Reason    // of the message, or why there is none
}

const (
	recipientStates = `SELECT r.place, r.handle, r.message_id, COALESCE(m.status, 0), COALESCE(m.failure, r.failure)
		FROM broadcast_recipient r LEFT JOIN message m ON m.id = r.message_id WHERE r.broadcast_id = $1 AND r.place > $2`
	recipientsInOrder = " ORDER BY r.place LIMIT $3"
)

// RecipientStates returns how it stands with up to limit recipients of a broadcast, by their rows, behind the one given.
func (db *DB) RecipientStates(ctx context.Context, b kabar.BroadcastID, after, limit int) ([]RecipientState, error) {
	return list(ctx, db, scanRecipientState, recipientStates+recipientsInOrder, int64(b), int64(after), int64(limit))
}

// FailedRecipients is RecipientStates of those who have no message, or one that has failed.
func (db *DB) FailedRecipients(ctx context.Context, b kabar.BroadcastID, after, limit int) ([]RecipientState, error) {
	return list(ctx, db, scanRecipientState, recipientStates+" AND (r.failure <> '' OR m.status = 9)"+recipientsInOrder, int64(b), int64(after), int64(limit))
}

func scanRecipientState(rs *sql.Rows) (s RecipientState, err error) {
	return s, rs.Scan(&s.Row, &s.Handle, &s.Message, &s.Status, &s.Failure)
}

// BroadcastCount is how many recipients of a broadcast stand alike, and what is reserved or spent for their messages.
type BroadcastCount struct {
	Sent    bool // there is, or was, a message
	Status  kabar.Status
	Failure kabar.Reason
	Count   int
	Amount  kabar.Money
}

// BroadcastCounts counts the recipients of a broadcast. It reads all of them.
func (db *DB) BroadcastCounts(ctx context.Context, b kabar.BroadcastID) ([]BroadcastCount, error) {
	return list(ctx, db, func(rs *sql.Rows) (c BroadcastCount, err error) {
		var sent int64
		err = rs.Scan(&sent, &c.Status, &c.Failure, &c.Count, &c.Amount)
		c.Sent = sent != 0
		return c, err
	}, `SELECT sent, status, failure, count(*), CAST(sum(amount) AS BIGINT) FROM (
		SELECT CASE WHEN r.message_id = 0 THEN 0 ELSE 1 END AS sent, COALESCE(m.status, 0) AS status, COALESCE(m.failure, r.failure) AS failure,
			COALESCE(l.amount, 0) AS amount
		FROM broadcast_recipient r LEFT JOIN message m ON m.id = r.message_id LEFT JOIN ledger l ON l.account_id = r.account_id AND l.id = m.charge
		WHERE r.broadcast_id = $1) AS each GROUP BY sent, status, failure ORDER BY sent, status, failure`, int64(b))
}

// FlyingMessage is a message of a broadcast that has not left yet.
type FlyingMessage struct {
	Number       kabar.NumberID
	Conversation kabar.ConversationID
	Message      kabar.MessageID
}

// FlyingMessages returns up to limit messages of a broadcast that are accepted and have not left, newest first.
func (db *DB) FlyingMessages(ctx context.Context, b kabar.BroadcastID, limit int) ([]FlyingMessage, error) {
	return list(ctx, db, func(rs *sql.Rows) (f FlyingMessage, err error) {
		return f, rs.Scan(&f.Number, &f.Conversation, &f.Message)
	}, `SELECT m.number_id, m.conversation_id, m.id FROM broadcast_recipient r JOIN message m ON m.id = r.message_id
		WHERE r.broadcast_id = $1 AND m.status = 1 ORDER BY m.id DESC LIMIT $2`, int64(b), int64(limit))
}
