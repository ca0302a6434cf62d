package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/lanes"
	"kabar/internal/media"
	"kabar/internal/network"
	"kabar/internal/store"
)

// uploadMargin is how long an upload must still hold to be used again.
const uploadMargin = 24 * time.Hour

// errUploading says that the medium of a message is not at the network yet. Its customer waits, nobody else does.
var errUploading = errors.New("the medium is on its way to the network")

// uploaded says where the medium of a message lies on the network. If it is not there, it is brought there beside the
// lanes, and the lane is woken when it has arrived.
func (t *task) uploaded(ctx context.Context, c *kabar.Media) (*kabar.RemoteMedium, error) {
	if c.ID != 0 {
		locator, err := t.e.db.Upload(ctx, t.line.number.ID, c.SHA256, t.e.now().Add(uploadMargin))
		if err == nil {
			return &kabar.RemoteMedium{Locator: locator, MIME: c.MIME, Size: c.Size, SHA256: c.SHA256}, nil
		}
		if !isMissing(err) {
			return nil, err
		}
	}
	t.e.fetches.Wake(t.job.ID)
	return nil, errUploading
}

// carryUp brings the medium of a message to the network and lets its lane go on.
func (e *Engine) carryUp(ctx context.Context, l *line, job *store.Job) lanes.Next {
	t := &task{e: e, line: l, job: job}
	var err error
	if t.msg, err = e.db.Message(ctx, job.Number, job.Message); err != nil {
		return e.later(ctx, "read a message", err)
	}
	if t.conv, err = e.db.Conversation(ctx, job.Number, job.Conversation); err != nil {
		return e.later(ctx, "read a conversation", err)
	}
	c := kabar.MediumOf(t.msg.Content)
	if c == nil || job.Packed {
		return lanes.Idle
	}
	if err = t.upload(ctx, c); err != nil {
		next, again := e.tryAgain(ctx, job, err)
		if again {
			return next
		}
		e.log.Info("media: given up", "message", job.Message, "err", err)
		if err := t.giveUp(ctx, kabar.ReasonMediaDownload); err != nil {
			return e.later(ctx, "give up a message", err)
		}
	}
	e.sends.Hurry(int64(job.Conversation))
	return lanes.Idle
}

// upload fetches the medium's link, if it has only that, and stores the encrypted bytes at the network. Of several messages
// with the same bytes one does it.
func (t *task) upload(ctx context.Context, c *kabar.Media) error {
	if c.ID == 0 {
		if err := t.fetchLink(ctx, c); err != nil {
			return err
		}
	}
	carrier, ok := t.line.net.(network.MediaCarrier)
	if !ok {
		return fmt.Errorf("%w: the network carries no media", errNeverThere)
	}
	n := t.line.number
	_, err, _ := t.e.uploads.Do(fmt.Sprintf("%d/%s", n.ID, c.SHA256), func() (any, error) {
		_, err := t.e.db.Upload(ctx, n.ID, c.SHA256, t.e.now().Add(uploadMargin))
		if !isMissing(err) {
			return nil, err
		}
		_, r, err := t.e.Medium(ctx, n.ID, c.ID)
		if err != nil {
			return nil, gone(err)
		}
		defer func() { _ = r.Close() }() // read only
		locator, expires, err := carrier.Upload(ctx, r, c.Size)
		if err != nil {
			return nil, err
		}
		return nil, t.e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SaveUpload(n, c.SHA256, locator, expires) })
	})
	return err
}

// gone marks a medium that has been deleted between acceptance and sending.
func gone(err error) error {
	var refused *kabar.Error
	if errors.As(err, &refused) && refused.Reason == kabar.ReasonNotFound {
		return fmt.Errorf("%w: %w", errNeverThere, err)
	}
	return err
}

// fetchLink downloads the medium that a message names by a link, stores it and names it in the message.
func (t *task) fetchLink(ctx context.Context, c *kabar.Media) error {
	m, err := t.e.saveLink(ctx, t.line, c)
	if err != nil {
		return err
	}
	named := *t.msg
	if named.Content, err = withMedium(t.msg.Content, m); err != nil {
		return err
	}
	err = t.e.db.Write(ctx, t.want, func(tx *store.Tx) error {
		if err := tx.AddMedium(m); err != nil {
			return err
		}
		kabar.MediumOf(named.Content).ID = m.ID
		return tx.SetContent(&named)
	})
	if err != nil {
		t.e.discardUnstored(m.File, err)
		return err
	}
	t.msg = &named
	*c = *kabar.MediumOf(named.Content)
	return nil
}

// withMedium returns a copy of a content that names a stored medium.
func withMedium(c kabar.Content, m *store.Medium) (kabar.Content, error) {
	b, err := kabar.EncodeContent(c)
	if err != nil {
		return nil, err
	}
	if c, err = kabar.DecodeContent(c.Kind(), b); err != nil {
		return nil, err
	}
	md := kabar.MediumOf(c)
	md.MIME, md.SHA256, md.Size = m.MIME, m.SHA256, m.Size
	return c, nil
}

// saveLink fetches a link and stores what it leads to. What no further try can mend is errNeverThere.
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
	res, err := e.fetcher.Do(req, maxDownload)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // everything has been read, or the error is known
	switch {
	case res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests:
		return nil, errors.New("the link answered " + res.Status)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: the link answered %s", errNeverThere, res.Status)
	}
	m, err := e.save(ctx, l, Upload{Body: res.Body, MIME: res.Header.Get("Content-Type"), Filename: c.Filename}, maxDownload)
	if _, ok := errors.AsType[*kabar.Error](err); ok {
		return nil, fmt.Errorf("%w: %w", errNeverThere, err)
	}
	if err != nil {
		return nil, err
	}
	if err := media.Check(string(c.Kind()), m.MIME, m.Size); err != nil {
		e.discard(m.File)
		return nil, fmt.Errorf("%w: %w", errNeverThere, err)
	}
	return m, nil
}
