package phone

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"kabar"
	"kabar/internal/msgid"
	"kabar/internal/payload"
)

// KindRemark is a line in a thread that nobody has written, such as a changed security code. Its content is a Text.
const KindRemark kabar.Kind = "system"

// message is a row of that name, with what it shows of its medium.
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
	status         kabar.Status
	deleted        bool
	failure        string
	emoji, their   string

	mediaID      string
	mediaFailure string
}

const messageColumns = `m.seq, m.business, m.wire, m.mine, m.at, m.kind, m.content, coalesce(m.medium, 0), m.reply_to, m.target, m.forwarded,
	m.referral, m.status, m.deleted, m.failure, m.emoji, m.their, coalesce(d.id, ''), coalesce(d.failure, '')
	FROM messages m LEFT JOIN media d ON d.key = m.medium`

func scanMessage(row interface{ Scan(...any) error }) (*message, error) {
	m := new(message)
	var content []byte
	var referral string
	err := row.Scan(&m.seq, &m.business, &m.wire, &m.mine, &m.at, &m.kind, &content, &m.medium, &m.replyTo, &m.target, &m.forwarded,
		&referral, &m.status, &m.deleted, &m.failure, &m.emoji, &m.their, &m.mediaID, &m.mediaFailure)
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
	if referral != "" {
		m.referral = new(kabar.Referral)
		if err := json.Unmarshal([]byte(referral), m.referral); err != nil {
			return nil, fmt.Errorf("read message: %w", err)
		}
	}
	return m, nil
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
	digits := c.handle
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
			Forwarded: m.forwarded > 0, Frequent: m.forwarded > 1, Referral: m.referral,
		}},
	}, nil
}

// Draft is a message that a customer writes.
type Draft struct {
	To        string        // digits of the business; empty: the phone's only one
	Content   kabar.Content // of a kind that customers send; keys in it are ignored
	Media     string        // of a media content: what PutMedia returned
	ReplyTo   string        // public id of the quoted message; may be empty
	Target    string        // of a reaction: public id of the message it is about
	Forwarded bool
	Frequent  bool // forwarded many times
	Referral  *kabar.Referral
}

// Send writes a message and returns its public id. It is on disk then, and leaves as soon as the customer is online.
func (p *Phone) Send(ctx context.Context, handle string, d Draft) (id string, err error) {
	err = p.do(ctx, func(t *tx) error {
		c, business, err := p.parties(ctx, t, handle, d.To)
		if err != nil {
			return err
		}
		id, err = t.write(ctx, c, business, d)
		return err
	})
	return id, err
}

// write stores a message of the customer's and puts it into the outbox.
func (t *tx) write(ctx context.Context, c *customer, business string, d Draft) (id string, err error) {
	ch, err := t.chat(c, business)
	if err != nil {
		return "", err
	}
	if ch.blocked {
		return "", refuse(CodeConflict, `The customer has blocked %s. Unblock it first: PATCH /api/customers/%s {"blocked": false}.`, business, c.handle)
	}
	m := &message{
		business: business, wire: newWire(), mine: true, at: t.now.UnixMilli(), kind: d.Content.Kind(), content: d.Content,
		forwarded: forwardedRank(d.Forwarded, d.Frequent), referral: d.Referral, status: kabar.Accepted,
	}
	if m.replyTo, err = t.wireOf(ctx, c, business, d.ReplyTo); err != nil {
		return "", err
	}
	if m.target, err = t.wireOf(ctx, c, business, d.Target); err != nil {
		return "", err
	}
	if m.medium, err = t.attach(ctx, c, d); err != nil {
		return "", err
	}
	out, err := m.posting(c)
	if err == nil {
		err = t.insert(c, m)
	}
	if err == nil {
		err = t.post(c, ch, out)
	}
	return publicID(c, business, m.wire), err
}

// wireOf finds the wire id of a message in the chat with a business; empty for empty.
func (t *tx) wireOf(ctx context.Context, c *customer, business, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	m, err := messageByID(ctx, t, c, id)
	if err != nil {
		return "", err
	}
	if m.business != business {
		return "", refuse(CodeInvalid, "The message %s belongs to the chat with %s. Quote one of the chat with %s.", id, m.business, business)
	}
	return m.wire, nil
}

// attach gives a media content what is known about its medium and returns the medium's key; 0 for other contents.
func (t *tx) attach(ctx context.Context, c *customer, d Draft) (key int64, err error) {
	content, ok := d.Content.(*kabar.Media)
	if !ok {
		return 0, nil
	}
	m, err := mediumByID(ctx, t, c, d.Media)
	if err != nil {
		return 0, err
	}
	if m.state != mediaHere {
		return 0, refuse(CodeConflict, "The medium %s is still on its way. Forward it when it is here.", d.Media)
	}
	family, _, _ := strings.Cut(m.mime, "/")
	if kind := content.Kind(); kind != kabar.KindDocument && string(kind) != family {
		return 0, refuse(CodeInvalid, "The medium %s is %s, which cannot go as %s. Upload it with the right Content-Type, or send it as a document.", d.Media, m.mime, kind)
	}
	if content.Filename == "" && content.Kind() == kabar.KindDocument {
		content.Filename = m.filename
	}
	content.ID, content.MIME, content.SHA256, content.Size = kabar.MediaID(m.key), m.mime, m.sha256, m.size
	content.Link, content.Provider = "", ""
	if m.locator != "" && m.uploaded <= t.now.Add(-blobLife).UnixMilli() {
		err = t.exec("UPDATE media SET locator = '' WHERE key = ?", m.key) // it is to be uploaded again
	}
	return m.key, err
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
	err := eachRow(ctx, p.db.Read, func(r *sql.Rows) error {
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
