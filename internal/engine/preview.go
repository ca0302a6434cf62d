package engine

import (
	"context"

	"kabar"
	"kabar/internal/lanes"
	"kabar/internal/store"
)

// unseen reports whether the message is a text with a link that nobody has looked at yet. A look is made once a job, which
// notes it as its try.
func (t *task) unseen() bool {
	c, ok := t.msg.Content.(*kabar.Text)
	return ok && c.PreviewURL && c.Preview == nil && t.e.preview != nil && t.job.Tries == 0 && !t.job.Packed && kabar.FirstLink(c.Body) != ""
}

// look fetches the preview of a text's link, beside the lanes, and lets its lane go on, with a preview or without.
func (t *task) look(ctx context.Context) lanes.Next {
	text := *t.msg.Content.(*kabar.Text)
	text.Preview = t.e.preview(ctx, kabar.FirstLink(text.Body)).Bounded()
	if ctx.Err() != nil {
		return lanes.Idle // the process ends: the next one looks again
	}
	job, msg := *t.job, *t.msg
	job.Tries, msg.Content = 1, &text
	err := t.e.db.Write(ctx, t.want, func(tx *store.Tx) error {
		if _, err := tx.Job(job.Number, job.ID); err != nil {
			return ignoreMissing(err)
		}
		if err := tx.SaveJob(&job); err != nil || text.Preview == nil {
			return err
		}
		return tx.SetContent(&msg)
	})
	if err != nil {
		return t.e.later(ctx, "keep a preview", err)
	}
	t.e.sends.Hurry(int64(job.Conversation))
	return lanes.Idle
}
