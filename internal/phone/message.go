package phone

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/msgid"
	"kabar/internal/payload"
	"kabar/internal/sqlite"
)

// KindRemark is a line in a thread that nobody has written, such as a changed security code. Its content is a Text.
const KindRemark kabar.Kind = "system"

// message is a row of that name, with what it shows of its media.
type message struct {
	seq            int64
	business, wire string
	mine           bool
	at             int64
	kind           kabar.Kind
	content        kabar.Content
	medium         int64
	replyTo        string
	target         string
	forwarded      int
	referral       *kabar.Referral
	product        *kabar.ProductRef
	status         kabar.Status
	deleted        bool
	failure        string
	emoji, their   string
	flow           *flowState // of a flow that exchanges data, once it was opened

	mediaID      string
	mediaFailure string
	cards        map[kabar.MediaID]CardMedium // by their keys in the content
	onCards      []int64                      // the same keys, of a message that is being stored
}

const messageColumns = `m.seq, m.business, m.wire, m.mine, m.at, m.kind, m.content, coalesce(m.medium, 0), m.reply_to, m.target, m.forwarded,
	m.referral, m.product, m.status, m.deleted, m.failure, m.emoji, m.their, m.flow, coalesce(d.id, ''), coalesce(d.failure, ''),
	(SELECT json_group_object(k.key, json_object('id', k.id, 'failure', k.failure)) FROM media k WHERE k.card_of = m.seq)
	FROM messages m LEFT JOIN media d ON d.key = m.medium`

func scanMessage(row interface{ Scan(...any) error }) (*message, error) {
	m := new(message)
	var content []byte
	var referral, product, flow string
	var cards []byte
	err := row.Scan(&m.seq, &m.business, &m.wire, &m.mine, &m.at, &m.kind, &content, &m.medium, &m.replyTo, &m.target, &m.forwarded,
		&referral, &product, &m.status, &m.deleted, &m.failure, &m.emoji, &m.their, &flow, &m.mediaID, &m.mediaFailure, &cards)
	if err != nil {
		return nil, err
	}
	kind := m.kind
	if kind == KindRemark {
		kind = kabar.KindText
	}
	if m.content, err = kabar.DecodeContent(kind, content); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	if err := json.Unmarshal(cards, &m.cards); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	return m, errors.Join(readJSON(referral, &m.referral), readJSON(product, &m.product), readJSON(flow, &m.flow))
}

// readJSON reads a column that holds JSON, or nothing.
func readJSON[T any](column string, into **T) error {
	if column == "" {
		return nil
	}
	*into = new(T)
	if err := json.Unmarshal([]byte(column), *into); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	return nil
}

// newWire makes the id of a message of the customer's.
func newWire() string {
	var b [customerWire / 2]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// publicID is the id that the business's API gives the message with a wire id; empty for what is no wire id.
func publicID(c *customer, business, wire string) string {
	stanza, err := hex.DecodeString(wire)
	if err != nil {
		return ""
	}
	digits := cmp.Or(c.former, c.handle)
	if c.hidden {
		digits = business
	}
	return msgid.Encode(len(wire) == businessWire, digits, stanza)
}

// messageByID finds a message of a customer's handset by its public id.
func messageByID(ctx context.Context, q querier, c *customer, id string) (*message, error) {
	unknown := refuse(CodeNotFound, "The customer has no message %.80q. GET …/messages lists the messages with their ids.", id)
	_, _, stanza, err := msgid.Decode(id)
	if err != nil {
		return nil, unknown
	}
	m, err := scanMessage(q.QueryRowContext(ctx, "SELECT "+messageColumns+" WHERE m.customer = ? AND m.wire = ? ORDER BY m.seq DESC LIMIT 1", c.id, hex.EncodeToString(stanza)))
	if errors.Is(err, sql.ErrNoRows) || err == nil && publicID(c, m.business, m.wire) != id {
		return nil, unknown
	}
	if err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	return m, nil
}

// posting is what travels of a message of the customer's.
func (m *message) posting(c *customer) (posting, error) {
	content, err := payload.Strip(m.content)
	if err != nil {
		return posting{}, err
	}
	return posting{
		message: m.wire,
		medium:  m.medium,
		payload: &payload.Payload{Name: c.name, Message: &payload.Message{
			ID: m.wire, Kind: m.content.Kind(), Content: content, ReplyTo: m.replyTo, Target: m.target,
			Forwarded: m.forwarded > 0, Frequent: m.forwarded > 1, Referral: m.referral, Product: m.product,
		}},
	}, nil
}

// Find returns one message by its public id.
func (p *Phone) Find(ctx context.Context, handle, id string) (Message, error) {
	c, err := customerByHandle(ctx, p.db.Read, handle)
	if err != nil {
		return Message{}, err
	}
	m, err := messageByID(ctx, p.db.Read, c, id)
	if err != nil {
		return Message{}, err
	}
	return m.present(c)
}

// Thread returns up to limit messages of the chat with a business (empty: with all), in order, whose Seq is above after.
// With after -1 they are the newest.
func (p *Phone) Thread(ctx context.Context, handle, business string, after int64, limit int) ([]Message, error) {
	c, err := customerByHandle(ctx, p.db.Read, handle)
	if err != nil {
		return nil, err
	}
	out := []Message{}
	err = p.each(ctx, c, business, after, limit, func(m Message) error {
		out = append(out, m)
		return nil
	})
	return out, err
}

// each calls f for the messages that Thread returns, holding one at a time.
func (p *Phone) each(ctx context.Context, c *customer, business string, after int64, limit int, f func(Message) error) error {
	query := "SELECT " + messageColumns + " WHERE m.customer = ?1 AND m.seq > ?2 AND (?3 = '' OR m.business = ?3) ORDER BY m.seq LIMIT ?4"
	if after < 0 {
		query = "SELECT " + messageColumns + ` WHERE m.seq IN (SELECT seq FROM messages
			WHERE customer = ?1 AND seq > ?2 AND (?3 = '' OR business = ?3) ORDER BY seq DESC LIMIT ?4) ORDER BY m.seq`
	}
	err := sqlite.Each(ctx, p.db.Read, func(r *sql.Rows) error {
		m, err := scanMessage(r)
		if err != nil {
			return err
		}
		shown, err := m.present(c)
		if err != nil {
			return err
		}
		return f(shown)
	}, query, c.id, after, business, limit)
	if err != nil {
		return fmt.Errorf("list messages: %w", err)
	}
	return nil
}

// time is when the message was written.
func (m *message) time() time.Time { return time.UnixMilli(m.at).UTC() }
