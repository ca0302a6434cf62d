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

// errUploading says that not all media of a message are at the network yet. Its customer waits, nobody else does.
var errUploading = errors.New("the medium is on its way to the network")

// media says where the media of a message lie on the network. If one is not there, all are brought there beside the lanes, and
// the lane is woken when they have arrived.
func (t *task) media(ctx context.Context, o *network.Outgoing) error {
	own := kabar.MediumOf(t.msg.Content)
	for _, c := range kabar.AllMedia(t.msg.Content) {
		remote, err := t.uploaded(ctx, c)
		switch {
		case err != nil:
			return err
		case remote == nil:
			t.e.fetches.Wake(t.job.ID)
			return errUploading
		case c == own:
			o.Medium = remote
		default:
			o.Cards = append(o.Cards, remote)
		}
	}
	return nil
}

// uploaded says where a medium lies on the network; nil when it is not there.
func (t *task) uploaded(ctx context.Context, c *kabar.Media) (*kabar.RemoteMedium, error) {
	if c.ID == 0 {
		return nil, nil
	}
	locator, err := t.e.db.Upload(ctx, t.line.number.ID, c.SHA256, t.e.now().Add(uploadMargin))
	if err != nil {
		return nil, ignoreMissing(err)
	}
	return &kabar.RemoteMedium{Locator: locator, MIME: c.MIME, Size: c.Size, SHA256: c.SHA256}, nil
}

// lacking is the place in kabar.AllMedia of the first medium that is not at the network; -1 when all are.
func (t *task) lacking(ctx context.Context) (place int, err error) {
	for n, c := range kabar.AllMedia(t.msg.Content) {
		if remote, err := t.uploaded(ctx, c); remote == nil {
			return n, err
		}
	}
	return -1, nil
}

// carryUp brings the media of a message to the network, one a turn so that other messages have theirs between, and lets its lane
// go on when all are there.
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
	if job.Packed {
		return lanes.Idle
	}
	place, err := t.lacking(ctx)
	if err != nil {
		return e.later(ctx, "read an upload", err)
	}
	if place < 0 {
		e.sends.Hurry(int64(job.Conversation))
		return lanes.Idle
	}
	if err = t.upload(ctx, place); err != nil {
		next, again := e.tryAgain(ctx, job, err)
		if again {
			return next
		}
		t.card = cardAt(t.msg.Content, place)
		e.log.Info("media: given up", "message", job.Message, "card", t.card, "err", err)
		if err := t.giveUp(ctx, kabar.ReasonMediaDownload); err != nil {
			return e.later(ctx, "give up a message", err)
		}
		e.sends.Hurry(int64(job.Conversation))
		return lanes.Idle
	}
	e.note(Note{Number: job.Number, Fact: FactUploaded})
	if err := t.countAnew(ctx); err != nil {
		return e.later(ctx, "count the tries of a medium", err)
	}
	return lanes.Again
}

// cardAt is the card, from 1, of the medium at a place of kabar.AllMedia; 0 for a medium of no card.
func cardAt(c kabar.Content, place int) int {
	if kabar.MediumOf(c) == nil {
		place++
	}
	return place
}

// countAnew gives the next medium of a message as many tries as the one that has arrived.
func (t *task) countAnew(ctx context.Context) error {
	if t.job.Tries == 0 {
		return nil
	}
	job := *t.job
	job.Tries = 0
	return t.e.db.Write(ctx, t.want, func(tx *store.Tx) error {
		if _, err := tx.Job(job.Number, job.ID); err != nil {
			return ignoreMissing(err)
		}
		return tx.SaveJob(&job)
	})
}

// upload fetches the medium's link, if it has only that, and stores the encrypted bytes at the network. Of several messages
// with the same bytes one does it.
func (t *task) upload(ctx context.Context, place int) error {
	if kabar.AllMedia(t.msg.Content)[place].ID == 0 {
		if err := t.fetchLink(ctx, place); err != nil {
			return err
		}
	}
	c := kabar.AllMedia(t.msg.Content)[place]
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
