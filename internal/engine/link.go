package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/media"
	"kabar/internal/store"
)

// How long a link may hold up the messages behind it: one that is silent for not quite a minute, pauses included, one that keeps on
// sending as long as any medium.
const (
	linkTries   = 3
	linkSilence = 15 * time.Second // of a server, before its answer and within
)

// errLink marks faults of a link that may pass: its server is busy, cannot be reached, or stops in the middle.
var errLink = errors.New("the link cannot be fetched now")

// fetchLink downloads the medium at a place of kabar.AllMedia, which the message names by a link, stores it and names it in the
// message.
func (t *task) fetchLink(ctx context.Context, place int) error {
	m, err := t.e.saveLink(ctx, t.line, kabar.AllMedia(t.msg.Content)[place])
	if err != nil {
		return err
	}
	named := *t.msg
	if named.Content, err = withMedium(t.msg.Content, place, m); err != nil {
		return err
	}
	var stored store.Medium
	err = t.e.db.Write(ctx, t.want, func(tx *store.Tx) error {
		stored = *m
		stored.Conversation = t.msg.Conversation
		if err := tx.AddMedium(&stored); err != nil {
			return err
		}
		kabar.AllMedia(named.Content)[place].ID = stored.ID
		return tx.SetContent(&named)
	})
	if err != nil {
		t.e.discardUnstored(m.File, err)
		return err
	}
	if stored.File != m.File {
		t.e.discard(m.File)
	}
	t.msg = &named
	return nil
}

// withMedium returns a copy of a content that names a stored medium at a place of kabar.AllMedia.
func withMedium(c kabar.Content, place int, m *store.Medium) (kabar.Content, error) {
	b, err := kabar.EncodeContent(c)
	if err != nil {
		return nil, err
	}
	if c, err = kabar.DecodeContent(c.Kind(), b); err != nil {
		return nil, err
	}
	md := kabar.AllMedia(c)[place]
	md.MIME, md.SHA256, md.Size = m.MIME, m.SHA256, m.Size
	return c, nil
}

// neverThere marks an error that the next try would meet again: a refusal of ours, or what says so itself.
func neverThere(err error) error {
	var refused *kabar.Error
	var final interface{ Final() bool }
	if errors.As(err, &refused) && refused.After == 0 || errors.As(err, &final) && final.Final() {
		return fmt.Errorf("%w: %w", errNeverThere, err)
	}
	return err
}

// saveLink fetches a link and stores what it leads to. What may pass is errLink, what no further try can mend errNeverThere.
func (e *Engine) saveLink(ctx context.Context, l *line, c *kabar.Media) (*store.Medium, error) {
	if e.fetcher == nil {
		return nil, fmt.Errorf("%w: links are not fetched here", errNeverThere)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Link, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNeverThere, err)
	}
	if err := e.authorize(ctx, l, c, req); err != nil {
		return nil, err
	}
	m, err := e.saveAnswer(l, c, req)
	if err == nil {
		return m, nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("%w: it takes longer than %v", errNeverThere, fetchTimeout)
	}
	return nil, neverThere(err)
}

// saveAnswer asks for a link and stores the answer.
func (e *Engine) saveAnswer(l *line, c *kabar.Media, req *http.Request) (*store.Medium, error) {
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	silence := time.AfterFunc(linkSilence, cancel)
	defer silence.Stop()
	most := media.Limit(string(c.Kind()))
	res, err := e.fetcher.Fetch(req.WithContext(ctx), most)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLink, err)
	}
	defer func() { _ = res.Body.Close() }() // everything has been read, or the error is known
	switch {
	case res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("%w: it answered %s", errLink, res.Status)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: the link answered %s", errNeverThere, res.Status)
	}
	body := &linkBody{res.Body, silence}
	m, err := e.save(ctx, l, Upload{Body: body, MIME: res.Header.Get("Content-Type"), Filename: c.Filename}, most)
	if err != nil {
		return nil, err
	}
	if err := e.fits(c, m, kabar.ReasonMediaUnfit); err != nil {
		e.discard(m.File)
		return nil, fmt.Errorf("%w: %w", errNeverThere, err)
	}
	return m, nil
}

// linkBody is the body of a link's answer. Whatever comes starts the silence anew.
type linkBody struct {
	io.Reader
	silence *time.Timer
}

func (b *linkBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.silence.Stop() // what follows is ours to do
	case err != nil:
		err = fmt.Errorf("%w: %w", errLink, err)
	default:
		b.silence.Reset(linkSilence)
	}
	return n, err
}
