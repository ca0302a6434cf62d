package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/lanes"
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
		if !store.IsNotFound(err) {
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
	if t.unseen() {
		return t.look(ctx)
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
		e.sends.Hurry(int64(job.Conversation))
		return lanes.Idle
	}
	e.note(Note{Number: job.Number, Fact: FactUploaded})
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
		if !store.IsNotFound(err) {
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
