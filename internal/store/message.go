package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"kabar"
	"kabar/internal/secrets"
)

type messageRow struct {
	id, account, number, conversation, prev, direction, status int64
	body                                                       []byte
	at, expires                                                int64
	failure                                                    string
	attempts                                                   int64
	events                                                     []byte
	charge                                                     int64
}

var messages = &table[int64, messageRow]{
	shape: shape{"message", cols("id:bigint"), cols("account_id:bigint number_id:bigint conversation_id:bigint prev:bigint " +
		"direction:bigint status:bigint body:bytea at:bigint expires:bigint failure:text? attempts:bigint? events:bytea? charge:bigint?")},
	key:  func(r *messageRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *messageRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.conversation, &r.prev, &r.direction, &r.status, &r.body, &r.at,
			&r.expires, &r.failure, &r.attempts, &r.events, &r.charge}
	},
	order: byID[int64],
}

// messageBody is the sealed part of a message, with a content to be written or one that was read.
type messageBody[C writtenContent | kabar.RawContent] struct {
	Content  C               `json:"content"`
	Context  kabar.Context   `json:"context,omitzero"`
	IfClosed *kabar.Template `json:"if_closed,omitzero"`
	Taps     map[int]int     `json:"taps,omitempty"`
	Wire     string          `json:"wire,omitempty"`
	Pricing  kabar.Pricing   `json:"pricing,omitempty"`
}

// writtenContent is encoded as a kabar.RawContent of its content is, in one go.
type writtenContent struct {
	Kind kabar.Kind    `json:"kind"`
	Body kabar.Content `json:"body"`
}

// AppendMessage stores m as the newest message of c: it sets m's ID, Ref, Prev and owners, and c's LastMessage. Of c it stores
// LastMessage and LastInbound; whatever else has changed is for SaveConversation.
func (tx *Tx) AppendMessage(c *kabar.Conversation, m *kabar.Message) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	m.ID, m.Ref = kabar.MessageID(id), tx.b.db.Ref(kabar.MessageID(id))
	m.Account, m.Number, m.Conversation, m.Prev = c.Account, c.Number, c.ID, c.LastMessage
	row, err := tx.sealMessage(m)
	if err != nil {
		return err
	}
	tx.messages.fresh(row)
	c.LastMessage = m.ID
	return tx.saveLatest(c)
}

// WantMessage announces that the message will be asked for.
func (tx *Tx) WantMessage(id kabar.MessageID) { tx.messages.want(int64(id)) }

// Message returns a message of the number.
func (tx *Tx) Message(n kabar.NumberID, id kabar.MessageID) (*kabar.Message, error) {
	row, err := tx.messages.see(int64(id))
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"message"}
	}
	key, err := tx.keyOf(row.number, row.conversation)
	if err != nil {
		return nil, err
	}
	return tx.b.db.openMessage(row, key)
}

// SetStatus moves a stored message to a status the caller has found allowed, and records why it failed, if it did, and how
// often it was encrypted anew.
func (tx *Tx) SetStatus(m *kabar.Message) error {
	row, err := tx.messages.get(int64(m.ID))
	if err != nil {
		return err
	}
	if row == nil || row.number != int64(m.Number) {
		return &NotFoundError{"message"}
	}
	row.status, row.failure, row.attempts = int64(m.Status), string(m.Failure), int64(m.Attempts)
	return tx.messages.put(*row)
}

// SetContent replaces what is sealed of a stored message, what is reserved for it and the end of its life, and nothing else of it: a medium
// has been fetched, say, or a link opened.
func (tx *Tx) SetContent(m *kabar.Message) error {
	row, err := tx.messages.get(int64(m.ID))
	if err != nil {
		return err
	}
	if row == nil || row.number != int64(m.Number) || row.conversation != int64(m.Conversation) {
		return &NotFoundError{"message"}
	}
	sealed, err := tx.sealMessage(m)
	if err != nil {
		return err
	}
	row.body, row.charge, row.expires = sealed.body, sealed.charge, sealed.expires
	return tx.messages.put(*row)
}

func (tx *Tx) sealMessage(m *kabar.Message) (messageRow, error) {
	plain, err := json.Marshal(messageBody[writtenContent]{writtenContent{m.Content.Kind(), m.Content}, m.Context, m.IfClosed, m.Taps, m.Wire, m.Pricing})
	if err != nil {
		return messageRow{}, fmt.Errorf("encode a message of kind %s: %w", m.Content.Kind(), err)
	}
	key, err := tx.keyOf(int64(m.Number), int64(m.Conversation))
	if err != nil {
		return messageRow{}, err
	}
	return messageRow{
		id: int64(m.ID), account: int64(m.Account), number: int64(m.Number), conversation: int64(m.Conversation), prev: int64(m.Prev),
		direction: int64(m.Direction), status: int64(m.Status),
		body: key.Seal(plain, secrets.AAD("message", int64(m.ID))), at: millis(m.At), expires: millis(m.Expires),
		failure: string(m.Failure), attempts: int64(m.Attempts), charge: m.Charge,
	}, nil
}

func (db *DB) openMessage(r *messageRow, key secrets.Key) (*kabar.Message, error) {
	plain, err := key.Open(r.body, secrets.AAD("message", r.id))
	if err != nil {
		return nil, fmt.Errorf("unseal message: %w", err)
	}
	var body messageBody[kabar.RawContent]
	if err := json.Unmarshal(plain, &body); err != nil {
		return nil, fmt.Errorf("decode message: %w", err)
	}
	content, err := body.Content.Content()
	if err != nil {
		return nil, err
	}
	id := kabar.MessageID(r.id)
	return &kabar.Message{
		ID: id, Ref: db.Ref(id), Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number),
		Conversation: kabar.ConversationID(r.conversation), Prev: kabar.MessageID(r.prev), Direction: kabar.Direction(r.direction),
		Status: kabar.Status(r.status), Content: content, Context: body.Context, IfClosed: body.IfClosed, Taps: body.Taps, At: instant(r.at),
		Expires: instant(r.expires),
		Failure: kabar.Reason(r.failure), Attempts: int(r.attempts), Wire: body.Wire, Pricing: body.Pricing, Events: seqsOf(r.events), Charge: r.charge,
	}, nil
}

// noteEvent has the message of an event remember where the event is, so that what became of it can be told without a search
// in the log. The row is written anyway, for the status that the event tells.
func (tx *Tx) noteEvent(e *kabar.Event) error {
	if e.Message == 0 {
		return nil
	}
	row, err := tx.messages.get(int64(e.Message))
	if err != nil || row == nil || row.number != int64(e.Number) {
		return err
	}
	last := int64(0)
	if seqs := seqsOf(row.events); len(seqs) > 0 {
		last = seqs[len(seqs)-1]
	}
	row.events = binary.AppendUvarint(slices.Clip(row.events), uint64(e.Seq-last))
	return tx.messages.put(*row)
}

// seqsOf reads what noteEvent has written.
func seqsOf(b []byte) (seqs []int64) {
	seq := int64(0)
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return seqs
		}
		seq += int64(d)
		seqs, b = append(seqs, seq), b[n:]
	}
	return seqs
}

// FindMessage returns a message of whichever number.
func (db *DB) FindMessage(ctx context.Context, id kabar.MessageID) (*kabar.Message, error) {
	row, err := readKey(ctx, db, messages, db.kept.messages, int64(id))
	if err != nil {
		return nil, notFound(err, "message")
	}
	return db.Message(ctx, kabar.NumberID(row.number), id)
}

// Messages returns up to limit messages of the number, newest first, that are older than the one with key before; zero means
// from the newest on.
func (db *DB) Messages(ctx context.Context, n kabar.NumberID, before kabar.MessageID, limit int) ([]*kabar.Message, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := readAll(ctx, db, messages, "number_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3", int64(n), int64(before), limit)
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.Message, len(rows))
	for i := range rows {
		key, err := db.keyOf(ctx, rows[i].number, rows[i].conversation)
		if err != nil {
			return nil, err
		}
		if all[i], err = db.openMessage(&rows[i], key); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Message returns a message of the number.
func (db *DB) Message(ctx context.Context, n kabar.NumberID, id kabar.MessageID) (*kabar.Message, error) {
	row, err := readKey(ctx, db, messages, db.kept.messages, int64(id))
	if err != nil {
		return nil, notFound(err, "message")
	}
	if row.number != int64(n) {
		return nil, &NotFoundError{"message"}
	}
	key, err := db.keyOf(ctx, row.number, row.conversation)
	if err != nil {
		return nil, err
	}
	return db.openMessage(row, key)
}

// History returns up to limit messages of a conversation, newest first, from the message with key from on; zero means
// the newest. It ends before messages that have been collected.
func (db *DB) History(ctx context.Context, n kabar.NumberID, c kabar.ConversationID, from kabar.MessageID, limit int) ([]*kabar.Message, error) {
	conv, err := db.Conversation(ctx, n, c)
	if err != nil {
		return nil, err
	}
	if from == 0 {
		from = conv.LastMessage
	}
	var all []*kabar.Message
	for id := from; id != 0 && len(all) < limit; {
		m, err := db.Message(ctx, n, id)
		if IsNotFound(err) && (len(all) > 0 || from == conv.LastMessage) {
			break // older ones have been collected
		}
		if err != nil {
			return nil, err
		}
		if m.Conversation != c {
			return nil, &NotFoundError{"message"}
		}
		all, id = append(all, m), m.Prev
	}
	return all, nil
}
