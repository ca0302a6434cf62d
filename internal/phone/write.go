package phone

import (
	"context"
	"strings"

	"kabar"
)

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
	Picture   string            // of the referral: what PutMedia returned; may be empty
	Product   *kabar.ProductRef // what the message is about
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
		forwarded: forwardedRank(d.Forwarded, d.Frequent), referral: d.Referral, product: d.Product,
		status: kabar.Accepted,
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
	switch {
	case d.Picture != "" && ok:
		return 0, refuse(CodeInvalid, "The message has a medium, and so has its referral. Come from the ad with a text.")
	case d.Picture != "":
		m, err := t.medium(ctx, c, d.Picture, d.Referral.Kind)
		if err != nil {
			return 0, err
		}
		return m.key, nil
	case !ok:
		return 0, nil
	}
	m, err := t.medium(ctx, c, d.Media, content.Kind())
	if err != nil {
		return 0, err
	}
	if content.Filename == "" && content.Kind() == kabar.KindDocument {
		content.Filename = m.filename
	}
	content.ID, content.MIME, content.SHA256, content.Size = kabar.MediaID(m.key), m.mime, m.sha256, m.size
	content.Link, content.Provider = "", ""
	return m.key, nil
}

// medium finds a medium that can go as a kind, and has it uploaded again if the relay may have forgotten it.
func (t *tx) medium(ctx context.Context, c *customer, id string, kind kabar.Kind) (*medium, error) {
	m, err := mediumByID(ctx, t, c, id)
	if err != nil {
		return nil, err
	}
	if m.state != mediaHere {
		return nil, refuse(CodeConflict, "The medium %s is still on its way. Forward it when it is here.", id)
	}
	family, _, _ := strings.Cut(m.mime, "/")
	fits := kind == kabar.KindDocument || string(kind) == family || kind == kabar.KindSticker && m.mime == "image/webp"
	if !fits {
		return nil, refuse(CodeInvalid, "The medium %s is %s, which cannot go as %s. Upload it with the right Content-Type, or send it as a document.", id, m.mime, kind)
	}
	if m.locator != "" && m.uploaded <= t.now.Add(-blobLife).UnixMilli() {
		err = t.exec("UPDATE media SET locator = '' WHERE key = ?", m.key)
	}
	return m, err
}
