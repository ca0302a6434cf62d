package phone

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"kabar"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

// Lengths of wire ids in hexadecimal digits.
const (
	businessWire = 18
	customerWire = 32
)

// handle does what a decrypted envelope says. What makes no sense is dropped: the business wrote it, and asking again
// would bring the same.
func (a *arrival) handle(in *incoming, p *payload.Payload, d relayclient.Delivery) error {
	switch {
	case p.Message != nil && !in.blocked:
		return a.message(in, p.Message, p.At)
	case p.Receipt != nil:
		return a.receipt(in, p.Receipt)
	case p.Retry != nil:
		return a.again(in, p.Retry.IDs, d.Ciphertext)
	case p.Deleted != nil:
		return a.deleted(in, p.Deleted.ID)
	case p.Profile != nil:
		return a.profile(in, p.Profile)
	case p.Step != nil && !in.blocked:
		return a.step(in, p.Step)
	}
	return nil
}

// message stores a message of the business. One that was stored before is only confirmed again: the receipt may have
// been lost.
func (a *arrival) message(in *incoming, m *payload.Message, at int64) error {
	if len(m.ID) != businessWire {
		return nil
	}
	in.delivered = append(in.delivered, m.ID)
	known, err := a.has(a.c, in.business, m.ID)
	if err != nil || known {
		return err
	}
	content, err := kabar.DecodeContent(m.Kind, m.Content)
	if err != nil {
		return fmt.Errorf("read message: %w", err) // payload.Decode has read it already
	}
	if text, ok := content.(*kabar.Text); ok {
		text.Preview = text.Preview.Bounded()
	}
	row := &message{
		business: in.business, wire: m.ID, at: at, kind: m.Kind, content: content, replyTo: m.ReplyTo, target: m.Target,
		forwarded: forwardedRank(m.Forwarded, m.Frequent), referral: m.Referral, status: kabar.Received,
	}
	if err := a.expect(row, m); err != nil {
		return err
	}
	if a.c.autoRead {
		row.status = kabar.Read
		in.read = append(in.read, m.ID)
	}
	if err := a.insert(a.c, row); err != nil {
		return err
	}
	return a.echo(in, row)
}

// has says whether the handset has a message.
func (t *tx) has(c *customer, business, wire string) (known bool, err error) {
	err = t.QueryRow("SELECT EXISTS (SELECT 1 FROM messages WHERE customer = ? AND business = ? AND wire = ?)", c.id, business, wire).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for message: %w", err)
	}
	return known, nil
}

// expect notes the media of a message that are to be fetched. A card whose medium did not come along has the key 0.
func (a *arrival) expect(row *message, m *payload.Message) (err error) {
	for _, media := range kabar.AllMedia(row.content) {
		media.ID, media.Link, media.Provider = 0, "", ""
	}
	if own := kabar.MediumOf(row.content); own != nil && m.Medium != nil {
		if row.medium, err = a.await(own, m.Medium); err != nil {
			return err
		}
	}
	for n, media := range kabar.CardMedia(row.content) {
		if n == len(m.Cards) {
			break // a server of before
		}
		key, err := a.await(media, &m.Cards[n])
		if err != nil {
			return err
		}
		row.onCards = append(row.onCards, key)
	}
	return nil
}

// await notes a medium that is to be fetched, and gives the content what is known about it. It returns its key.
func (a *arrival) await(media *kabar.Media, m *payload.Medium) (key int64, err error) {
	locator, err := json.Marshal(m)
	if err != nil {
		return 0, fmt.Errorf("write locator: %w", err)
	}
	err = a.QueryRow(`INSERT INTO media (id, customer, state, file, mime, filename, size, sha256, locator, uploaded)
		VALUES (?, ?, ?, '', ?, ?, ?, ?, ?, 0) RETURNING key`,
		newMediaID(), a.c.id, mediaAbsent, m.MIME, media.Filename, m.Size, m.SHA256, locator).Scan(&key)
	if err != nil {
		return 0, fmt.Errorf("note medium: %w", err)
	}
	media.ID, media.MIME, media.SHA256, media.Size = kabar.MediaID(key), m.MIME, m.SHA256, m.Size
	a.fetch = true
	return key, nil
}

// maxEcho bounds the part of a text that an automatic reply repeats, in bytes.
const maxEcho = 1000

// echo answers a text of the business if the customer does that. A message is answered once, when it is stored.
func (a *arrival) echo(in *incoming, m *message) error {
	text, ok := m.content.(*kabar.Text)
	if !a.c.autoReply || !ok {
		return nil
	}
	body := text.Body
	if len(body) > maxEcho {
		n := maxEcho
		for !utf8.RuneStart(body[n]) {
			n--
		}
		body = body[:n] + "…"
	}
	reply := &message{
		business: in.business, wire: newWire(), mine: true, at: a.now.UnixMilli(), kind: kabar.KindText,
		content: &kabar.Text{Body: "Hi! I am away, but I got this: " + body}, replyTo: m.wire, status: kabar.Accepted,
	}
	if err := a.insert(a.c, reply); err != nil {
		return err
	}
	p, err := reply.posting(a.c)
	in.replies = append(in.replies, p)
	return err
}

// receipt moves the ticks of our messages. What the business has need not be kept for a retry.
func (a *arrival) receipt(in *incoming, r *payload.Receipt) error {
	for _, wire := range r.IDs {
		if _, err := a.advance(a.c, in.business, wire, r.Rank()); err != nil {
			return err
		}
		if err := a.exec("DELETE FROM outbox WHERE customer = ? AND business = ? AND message = ? AND message != ''", a.c.id, in.business, wire); err != nil {
			return err
		}
	}
	return nil
}

// deleted marks a message that the business has taken back.
func (a *arrival) deleted(in *incoming, wire string) error {
	r, err := a.Exec("UPDATE messages SET deleted = 1 WHERE customer = ? AND business = ? AND wire = ? AND NOT mine AND kind != ?",
		a.c.id, in.business, wire, KindRemark)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	a.note(a.c, publicID(a.c, in.business, wire))
	return nil
}

// profile stores who the business says it is.
func (a *arrival) profile(in *incoming, p *kabar.Profile) error {
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write profile: %w", err)
	}
	a.note(a.c, "")
	return a.exec("INSERT INTO chats (customer, business, profile) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET profile = excluded.profile",
		a.c.id, in.business, b)
}

const identityRemark = "The security code of this business has changed: it has a new phone or server."

// remark puts a line into the thread that nobody has written.
func (t *tx) remark(c *customer, business, text string) error {
	return t.insert(c, &message{
		business: business, wire: newWire(), at: t.now.UnixMilli(), kind: KindRemark, content: &kabar.Text{Body: text}, status: kabar.Read,
	})
}

// insert stores a message; a reaction is also put on its target.
func (t *tx) insert(c *customer, m *message) error {
	content, err := kabar.EncodeContent(m.content)
	if err != nil {
		return err
	}
	referral, err := writeJSON(m.referral)
	if err != nil {
		return err
	}
	product, err := writeJSON(m.product)
	if err != nil {
		return err
	}
	err = t.QueryRow(`INSERT INTO messages (customer, business, wire, mine, at, kind, content, medium, reply_to, target, forwarded, referral, product, status)
		VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?, ?, ?, ?, ?) RETURNING seq`,
		c.id, m.business, m.wire, m.mine, m.at, m.kind, content, m.medium, m.replyTo, m.target, m.forwarded, referral, product, m.status).Scan(&m.seq)
	if err != nil {
		return fmt.Errorf("store message: %w", err)
	}
	for _, key := range m.onCards {
		if err := t.exec("UPDATE media SET card_of = ? WHERE key = ?", m.seq, key); err != nil {
			return err
		}
	}
	t.note(c, publicID(c, m.business, m.wire))
	if r, ok := m.content.(*kabar.Reaction); ok {
		return t.react(c, m, r.Emoji)
	}
	return nil
}

// writeJSON is the column of a value that may be absent.
func writeJSON[T any](v *T) (string, error) {
	if v == nil {
		return "", nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("store message: %w", err)
	}
	return string(b), nil
}

// react shows an emoji on the message it is about; an empty one takes the last one back.
func (t *tx) react(c *customer, m *message, emoji string) error {
	column := "their"
	if m.mine {
		column = "emoji"
	}
	var seq int64
	err := t.QueryRow("UPDATE messages SET "+column+" = ? WHERE customer = ? AND business = ? AND wire = ? RETURNING seq",
		emoji, c.id, m.business, m.target).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // a message this handset does not have
	}
	if err != nil {
		return fmt.Errorf("react: %w", err)
	}
	t.note(c, publicID(c, m.business, m.target))
	return nil
}

// forwardedRank is how the store says whether a message was forwarded.
func forwardedRank(forwarded, frequent bool) int {
	switch {
	case frequent:
		return 2
	case forwarded:
		return 1
	}
	return 0
}
