package engine

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"syscall"
	"time"

	"kabar"
	"kabar/internal/media"
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
	if err == nil && sent.Replayed {
		e.discard(m.File)
	}
	e.discardUnstored(m.File, err)
	return sent, store.Refusal(err)
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
	if noRoom(err) {
		e.log.WarnContext(ctx, "a medium cannot be stored", "error", err)
		return nil, &kabar.Error{Reason: kabar.ReasonNotReady, Detail: "the disk is full", After: 5 * time.Second}
	}
	if err != nil {
		return nil, err
	}
	m.File, m.Size, m.SHA256 = info.Name, info.Size, hex.EncodeToString(info.SHA256[:])
	return m, nil
}

// noRoom reports whether the disk, or what one may use of it, is full.
func noRoom(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// Medium returns a stored medium and its bytes, which the caller closes.
func (e *Engine) Medium(ctx context.Context, n kabar.NumberID, id kabar.MediaID) (*store.Medium, *media.Reader, error) {
	m, err := e.db.Medium(ctx, n, id)
	if err != nil {
		return nil, nil, store.Refusal(err)
	}
	r, err := e.media.OpenReader(m.File, m.Key, m.Size)
	return m, r, err
}

// RemoveMedium removes a medium: first the row, then the file.
func (e *Engine) RemoveMedium(ctx context.Context, n kabar.NumberID, id kabar.MediaID) error {
	m, err := e.db.Medium(ctx, n, id)
	if err != nil {
		return store.Refusal(err)
	}
	if err := e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.RemoveMedium(n, id) }); err != nil {
		return store.Refusal(err)
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
