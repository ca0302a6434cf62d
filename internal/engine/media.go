package engine

import (
	"bufio"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"time"

	"kabar"
	"kabar/internal/media"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// Fetcher fetches a URL that a user gave us. It decides where it may lead. An error with a method Final that returns true
// will be the same the next time.
type Fetcher interface {
	Fetch(req *http.Request, maxBytes int64) (*http.Response, error)
}

// Upload is a medium an application hands in.
type Upload struct {
	Body     io.Reader
	MIME     string // as declared; the content decides
	Filename string
	Max      int64 // bytes; zero: media.UploadMax
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
	m, err := e.save(ctx, l, u, cmp.Or(u.Max, media.UploadMax))
	if err != nil {
		return nil, err
	}
	if once != nil {
		once.Hash = m.SHA256
	}
	var sent *Sent
	var stored store.Medium
	err = e.db.Write(ctx, func(tx *store.Tx) { once.want(tx, l) }, func(tx *store.Tx) error {
		sent = &Sent{}
		var err error
		if sent.Answer, err = once.replay(tx, l, m.Created); err != nil || sent.Answer != nil {
			sent.Replayed = err == nil
			return err
		}
		stored = *m // which the store may have lie in another file
		if err := tx.AddMedium(&stored); err != nil {
			return err
		}
		status, body, err := answer(&stored)
		if err != nil {
			return err
		}
		sent.Answer, err = once.remember(tx, l, m.Created, status, body, 0)
		return err
	})
	if err == nil && stored.File != m.File { // none is stored when the answer is an old one
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
	err = e.put(ctx, m, body, most)
	if errors.Is(err, media.ErrTooLarge) {
		return nil, kabar.Refuse(kabar.ReasonTooLarge, "", "a medium may have %d MB", most>>20)
	}
	if err != nil {
		return nil, err
	}
	if err := errors.Join(e.inspect(m), e.find(ctx, m)); err != nil {
		e.discard(m.File)
		return nil, err
	}
	return m, nil
}

// put writes a medium's bytes to a file.
func (e *Engine) put(ctx context.Context, m *store.Medium, body io.Reader, most int64) error {
	info, err := e.media.Put(ctx, body, m.Key, most)
	if noRoom(err) {
		e.log.WarnContext(ctx, "a medium cannot be stored", "error", err)
		return &kabar.Error{Reason: kabar.ReasonNotReady, Detail: "the disk is full", After: 5 * time.Second}
	}
	if err != nil {
		return err
	}
	m.File, m.Size, m.SHA256 = info.Name, info.Size, hex.EncodeToString(info.SHA256[:])
	return nil
}

// inspect refuses a picture that nobody could look at.
func (e *Engine) inspect(m *store.Medium) error {
	if !media.Inspects(m.MIME, m.Size) {
		return nil
	}
	r, err := e.media.OpenReader(m.File, m.Key, m.Size)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // read only
	_, err = media.Inspect(r, m.MIME)
	return formatRefusal(kabar.ReasonInvalid, "", err)
}

// formatRefusal makes a refusal of what is wrong with the content of a medium.
func formatRefusal(reason kabar.Reason, field string, err error) error {
	if fault, ok := errors.AsType[*media.FormatError](err); ok {
		return kabar.Refuse(reason, field, "%s", fault.Error())
	}
	return err
}

// find notes in m when the number's file with the same bytes cannot be read any more: then the new one takes its place.
func (e *Engine) find(ctx context.Context, m *store.Medium) error {
	file, key, err := e.db.SharedFile(ctx, m.Number, m.SHA256)
	if err != nil {
		return ignoreMissing(err)
	}
	r, err := e.media.OpenReader(file, key, m.Size)
	if err != nil {
		e.log.WarnContext(ctx, "a media file is lost, and its bytes have come again", "file", file, "error", err)
		m.Replace = true
		return nil
	}
	return r.Close()
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
	if err == nil {
		e.touch(ctx, m)
	}
	return m, r, err
}

// usedEvery is how often the use of a medium is noted.
const usedEvery = 24 * time.Hour

// touch notes that a medium is used, so that it is not collected. That fails with the store: then it was not used long before.
func (e *Engine) touch(ctx context.Context, m *store.Medium) {
	now := e.now()
	if now.Sub(m.Used) < usedEvery {
		return
	}
	if err := e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.UseMedium(m.Number, m.ID, now) }); err != nil && !store.IsNotFound(err) {
		e.log.WarnContext(ctx, "note the use of a medium", "error", err)
	}
}

// RemoveMedium removes a medium: first the row, then the file, unless other media lie in it.
func (e *Engine) RemoveMedium(ctx context.Context, n kabar.NumberID, id kabar.MediaID) error {
	var file string
	err := e.db.Write(ctx, nil, func(tx *store.Tx) (err error) {
		file, err = tx.RemoveMedium(n, id)
		return err
	})
	if err == nil && file != "" {
		e.discard(file)
	}
	return store.Refusal(err)
}

// describeAll fills in the facts of the media of a content, also of those on its cards.
func (e *Engine) describeAll(ctx context.Context, l *line, c kabar.Content, unfit kabar.Reason) error {
	for n, m := range kabar.CardMedia(c) {
		err := e.describe(ctx, l, m, unfit)
		if refused, ok := errors.AsType[*kabar.Error](err); ok && refused.Field != "" { // which of up to ten
			refused.Field = fmt.Sprintf("cards[%d].%s", n, refused.Field)
		}
		if err != nil {
			return err
		}
	}
	return e.describe(ctx, l, kabar.MediumOf(c), unfit)
}

// describe fills in what is known of the medium of a message that is to be sent, and checks that it fits its kind: if not, the
// reason is unfit. A link is fetched later.
func (e *Engine) describe(ctx context.Context, l *line, c *kabar.Media, unfit kabar.Reason) error {
	if c == nil || c.ID == 0 {
		return e.checkProvider(ctx, l, c)
	}
	m, err := e.db.Medium(ctx, l.number.ID, c.ID)
	if store.IsNotFound(err) {
		return kabar.Refuse(kabar.ReasonInvalid, string(c.Kind())+".id", "there is no such medium: upload it first")
	}
	if err != nil {
		return err
	}
	if err := e.fits(c, m, unfit); err != nil {
		return err
	}
	e.touch(ctx, m)
	c.MIME, c.SHA256, c.Size = m.MIME, m.SHA256, m.Size
	if c.Kind() == kabar.KindDocument && c.Filename == "" {
		c.Filename = m.Filename
	}
	return nil
}

// place notes in which conversation the stored media of a message are: with the last they go when its customer is erased.
func place(tx *store.Tx, m *kabar.Message) error {
	for _, of := range kabar.AllMedia(m.Content) {
		if of.ID == 0 {
			continue
		}
		if err := tx.PlaceMedium(m.Number, of.ID, m.Conversation); err != nil {
			return err
		}
	}
	return nil
}

// fits checks that a stored medium may be sent as what a message names it; if not, the reason is unfit.
func (e *Engine) fits(c *kabar.Media, m *store.Medium, unfit kabar.Reason) error {
	kind := string(c.Kind())
	field := kind + ".id"
	if err := media.Check(kind, m.MIME, m.Size); err != nil {
		return kabar.Refuse(unfit, field, "%s", err.Error())
	}
	if c.GIF && m.Size > kabar.MaxGIF {
		return kabar.Refuse(unfit, "gif.id", "has %d bytes, the limit of a GIF is %d", m.Size, kabar.MaxGIF)
	}
	film := media.HasTracks(kind, m.MIME)
	if c.Kind() != kabar.KindSticker && !c.Voice && !film {
		return nil
	}
	r, err := e.media.OpenReader(m.File, m.Key, m.Size)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // read only
	switch {
	case c.Voice:
		err = media.CheckVoice(r, m.MIME)
	case film:
		err = media.CheckTracks(kind, r, m.Size)
	default:
		err = media.CheckSticker(r, m.Size)
	}
	return formatRefusal(unfit, field, err)
}
