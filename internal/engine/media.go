package engine

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"kabar"
	"kabar/internal/media"
	"kabar/internal/network"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// Fetcher fetches a URL that a user gave us. It decides where it may lead.
type Fetcher interface {
	Do(req *http.Request, maxBytes int64) (*http.Response, error)
}

// Upload is a medium an application hands in.
type Upload struct {
	Body     io.Reader
	MIME     string // as declared; the content decides
	Filename string
}

// maxDownload is how many bytes of a medium are downloaded at most.
const maxDownload = 100 << 20

// PutMedia stores an uploaded medium and returns the answer to the request. File, folder and row are on disk when it
// returns. The Hash of once is filled in from the bytes.
func (e *Engine) PutMedia(ctx context.Context, id kabar.NumberID, u Upload, once *Once, answer func(*store.Medium) (int, []byte, error)) (*Sent, error) {
	l, err := e.line(id)
	if err != nil {
		return nil, err
	}
	m, err := e.save(ctx, l, u, media.UploadMax)
	if err != nil {
		return nil, err
	}
	if once != nil {
		once.Hash = m.SHA256
	}
	var sent *Sent
	err = e.db.Write(ctx, func(tx *store.Tx) { once.want(tx, l) }, func(tx *store.Tx) error {
		sent = &Sent{}
		var err error
		if sent.Answer, err = once.replay(tx, l, m.Created); err != nil || sent.Answer != nil {
			sent.Replayed = err == nil
			return err
		}
		if err := tx.AddMedium(m); err != nil {
			return err
		}
		status, body, err := answer(m)
		if err != nil {
			return err
		}
		sent.Answer, err = once.remember(tx, l, m.Created, status, body)
		return err
	})
	if err != nil || sent.Replayed {
		e.discard(m.File)
	}
	return sent, refusal(err)
}

// save writes a medium's bytes to a file and finds out what they are.
func (e *Engine) save(ctx context.Context, l *line, u Upload, most int64) (*store.Medium, error) {
	body := bufio.NewReaderSize(u.Body, media.SniffLen)
	head, err := body.Peek(media.SniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(head) == 0 {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "", "the body is empty: send the bytes of the medium")
	}
	mime, err := media.Sniff(head, u.MIME)
	if err != nil {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "Content-Type", "%s", err.Error())
	}
	m := &store.Medium{Account: l.number.Account, Number: l.number.ID, MIME: mime, Filename: u.Filename, Key: secrets.NewKey(), Created: e.now()}
	info, err := e.media.Put(ctx, body, m.Key, most)
	if errors.Is(err, media.ErrTooLarge) {
		return nil, kabar.Refuse(kabar.ReasonTooLarge, "", "a medium may have %d MB", most>>20)
	}
	if err != nil {
		return nil, err
	}
	m.File, m.Size, m.SHA256 = info.Name, info.Size, hex.EncodeToString(info.SHA256[:])
	return m, nil
}

// Medium returns a stored medium and its bytes, which the caller closes.
func (e *Engine) Medium(ctx context.Context, n kabar.NumberID, id kabar.MediaID) (*store.Medium, *media.Reader, error) {
	m, err := e.db.Medium(ctx, n, id)
	if err != nil {
		return nil, nil, refusal(err)
	}
	r, err := e.media.OpenReader(m.File, m.Key, m.Size)
	return m, r, err
}

// RemoveMedium removes a medium: first the row, then the file.
func (e *Engine) RemoveMedium(ctx context.Context, n kabar.NumberID, id kabar.MediaID) error {
	m, err := e.db.Medium(ctx, n, id)
	if err != nil {
		return refusal(err)
	}
	if err := e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.RemoveMedium(n, id) }); err != nil {
		return refusal(err)
	}
	e.discard(m.File)
	return nil
}

// describe fills in what is known of the medium of a message that is to be sent, and checks that it fits its kind. A link
// is fetched later.
func (e *Engine) describe(ctx context.Context, l *line, c *kabar.Media) error {
	if c == nil || c.ID == 0 {
		return nil
	}
	m, err := e.db.Medium(ctx, l.number.ID, c.ID)
	if isMissing(err) {
		return kabar.Refuse(kabar.ReasonInvalid, string(c.Kind())+".id", "there is no such medium: upload it first")
	}
	if err != nil {
		return err
	}
	if err := media.Check(string(c.Kind()), m.MIME, m.Size); err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, string(c.Kind())+".id", "%s", err.Error())
	}
	c.MIME, c.SHA256, c.Size = m.MIME, m.SHA256, m.Size
	if c.Kind() == kabar.KindDocument && c.Filename == "" {
		c.Filename = m.Filename
	}
	return nil
}

// upload brings the medium of a message to the network, unless the same bytes are there already, and says where it is.
func (t *task) upload(ctx context.Context, c *kabar.Media) (*kabar.RemoteMedium, error) {
	carrier, ok := t.line.net.(network.MediaCarrier)
	if !ok {
		return nil, &network.Refused{Reason: kabar.ReasonUndeliverable}
	}
	if c.ID == 0 {
		if err := t.fetchLink(ctx, c); err != nil {
			return nil, err
		}
	}
	n := t.line.number
	remote := &kabar.RemoteMedium{MIME: c.MIME, Size: c.Size, SHA256: c.SHA256}
	locator, err := t.e.db.Upload(ctx, n.ID, c.SHA256, t.e.now().Add(uploadMargin))
	if err == nil || !isMissing(err) {
		remote.Locator = locator
		return remote, err
	}
	_, r, err := t.e.Medium(ctx, n.ID, c.ID)
	if err != nil {
		return nil, mediumGone(err)
	}
	defer func() { _ = r.Close() }() // read only
	locator, expires, err := carrier.Upload(ctx, r, c.Size)
	if err != nil {
		return nil, err
	}
	remote.Locator = locator
	return remote, t.e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SaveUpload(n, c.SHA256, locator, expires) })
}

// mediumGone refuses a message whose medium has been deleted between acceptance and sending.
func mediumGone(err error) error {
	var refused *kabar.Error
	if errors.As(err, &refused) && refused.Reason == kabar.ReasonNotFound {
		return &network.Refused{Reason: kabar.ReasonMediaDownload}
	}
	return err
}

// fetchLink downloads the medium that a message names by a link, stores it and names it in the message.
func (t *task) fetchLink(ctx context.Context, c *kabar.Media) error {
	m, err := t.e.saveLink(ctx, t.line, c)
	if err != nil {
		t.e.log.Info("fetch a media link", "err", err)
		return &network.Refused{Reason: kabar.ReasonMediaDownload}
	}
	err = t.e.db.Write(ctx, t.want, func(tx *store.Tx) error {
		if err := tx.AddMedium(m); err != nil {
			return err
		}
		c.ID, c.MIME, c.SHA256, c.Size = m.ID, m.MIME, m.SHA256, m.Size
		return tx.SetContent(t.msg)
	})
	if err != nil {
		c.ID = 0
		t.e.discard(m.File)
	}
	return err
}

func (e *Engine) saveLink(ctx context.Context, l *line, c *kabar.Media) (*store.Medium, error) {
	if e.fetcher == nil {
		return nil, errors.New("links are not fetched here")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Link, http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := e.fetcher.Do(req, maxDownload)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // everything has been read, or the error is known
	if res.StatusCode != http.StatusOK {
		return nil, errors.New("the link answered " + res.Status)
	}
	m, err := e.save(ctx, l, Upload{Body: res.Body, MIME: res.Header.Get("Content-Type"), Filename: c.Filename}, maxDownload)
	if err != nil {
		return nil, err
	}
	if err := media.Check(string(c.Kind()), m.MIME, m.Size); err != nil {
		e.discard(m.File)
		return nil, err
	}
	return m, nil
}
