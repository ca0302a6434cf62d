package engine

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// nextTask reads the oldest job of a conversation and what it is about; nil when there is none.
func (e *Engine) nextTask(ctx context.Context, c kabar.ConversationID) (*task, error) {
	n, err := e.db.Owner(ctx, c)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	t := &task{e: e, lane: e.ahead.take(c)}
	if len(t.lane) == 0 {
		if t.lane, err = e.db.Lane(ctx, n, c, aheadJobs); err != nil || len(t.lane) == 0 {
			return nil, err
		}
		t.last = len(t.lane) == 1
	}
	if t.job, err = e.db.Job(ctx, n, t.lane[0]); err != nil {
		return nil, err
	}
	if t.line, err = e.line(n); err != nil {
		return nil, err
	}
	if t.conv, err = e.db.Conversation(ctx, n, c); err != nil {
		return nil, err
	}
	if t.job.Kind == jobSend || t.job.Kind == jobResend {
		if t.msg, err = e.db.Message(ctx, n, t.job.Message); store.IsNotFound(err) {
			return e.skip(ctx, t.job)
		}
	}
	return t, err
}

// skip removes a job whose message has been collected, and goes on with the next.
func (e *Engine) skip(ctx context.Context, job *store.Job) (*task, error) {
	err := e.db.Write(ctx, nil, func(tx *store.Tx) error { return ignoreMissing(tx.RemoveJob(job.Number, job.ID)) })
	if err != nil {
		return nil, err
	}
	e.flights.land(job.Message)
	return e.nextTask(ctx, job.Conversation)
}

// alike returns the job and those of its kind right behind it, up to the first that has been prepared.
func (t *task) alike(ctx context.Context) ([]*store.Job, error) {
	all := []*store.Job{t.job}
	for _, id := range t.lane[1:] {
		j, err := t.e.db.Job(ctx, t.job.Number, id)
		if err != nil {
			return nil, err
		}
		if j.Kind != t.job.Kind || j.Packed {
			break
		}
		all = append(all, j)
	}
	return all, nil
}
