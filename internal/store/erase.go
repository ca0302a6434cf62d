package store

import (
	"context"
	"fmt"
	"time"

	"kabar"
)

// EraseHooks are what the store does not know about what it erases.
type EraseHooks struct {
	// Release ends what is reserved for a message that has not been delivered, in the commit that removes it.
	Release func(*Tx, *kabar.Message) error
	// Discard removes a file in which no medium lies any more, after the commit.
	Discard func(file string)
	// Step is told after each commit what was removed so far; may be nil.
	Step func(Removed)
}

// eraser removes what belongs to an erasing, up to a thousand rows a commit, so that nobody waits long behind it. Each step finds what is
// left by itself, so a process that is killed goes on where it was, and what is done twice is done.
type eraser struct {
	db *DB
	e  *Erasure
	EraseHooks
	account int64
}

// Erase removes everything that belongs to an erasing that has begun, and then the conversations with their keys. Jobs end first, so
// that nothing more goes to the customer, and what is reserved for their messages with them. The erasing is ended when the files
// of the database hold nothing of it either: an ErrBusy says that only this is left, for later.
func (db *DB) Erase(ctx context.Context, e *Erasure, h EraseHooks, now time.Time) error {
	x := &eraser{db: db, e: e, EraseHooks: h, account: int64(e.Account)}
	if x.Step == nil {
		x.Step = func(Removed) {}
	}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"broadcasts", x.recipients}, {"jobs", x.lanes}, {"other jobs", x.loneJobs}, {"messages", x.messages}, {"media", x.media}, {"events", x.events}, {"answers", x.answers},
		{"entries of consent", x.consent}, {"conversations", x.conversations},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("erase a customer: %s: %w", step.what, err)
		}
	}
	if err := db.Scrub(ctx, append(e.rest.Handles, e.rest.Traces...)); err != nil {
		return fmt.Errorf("erase a customer: %w", err)
	}
	return x.commit(ctx, nil, func(_ *Tx, next *Erasure) error {
		next.Ended, next.rest = now, rest{}
		return nil
	})
}

// commit has an operation commit with what it has changed of the erasing.
func (x *eraser) commit(ctx context.Context, hint func(*Tx), do func(tx *Tx, next *Erasure) error) error {
	var next Erasure
	err := x.db.Write(ctx, hint, func(tx *Tx) error {
		next = *x.e // the writer may run an operation again
		if err := do(tx, &next); err != nil {
			return err
		}
		return tx.saveErasure(&next)
	})
	if err == nil {
		*x.e = next
		x.Step(next.Removed)
	}
	return err
}

// laneBehind walks a lane from its end.
const laneBehind = `WITH RECURSIVE lane (id, prev, n) AS (
	SELECT j.id, j.prev, 1 FROM latest l JOIN job j ON j.id = l.last_job WHERE l.conversation_id = $1
	UNION ALL SELECT j.id, j.prev, l.n + 1 FROM lane l JOIN job j ON j.id = l.prev WHERE l.n < $2)
	SELECT id FROM lane`

// lanes ends what is on its way to the customer: the last job first, so that none overtakes another.
func (x *eraser) lanes(ctx context.Context) error {
	for _, t := range x.e.rest.Talks {
		for {
			ids, err := list(ctx, x.db, scanID, laneBehind, int64(t.Conversation), int64(chunk))
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				break
			}
			err = x.commit(ctx, func(tx *Tx) {
				for _, id := range ids {
					tx.jobs.want(id)
				}
			}, func(tx *Tx, _ *Erasure) error { return x.shorten(tx, int64(t.Conversation)) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// shorten takes the last jobs off a lane.
func (x *eraser) shorten(tx *Tx, conversation int64) error {
	end, err := tx.latest.get(conversation)
	if err != nil || end == nil {
		return err
	}
	for range chunk {
		job, err := tx.jobs.see(end.lastJob)
		if err != nil {
			return err
		}
		if job == nil {
			end.lastJob = 0
			break
		}
		if err := x.endJob(tx, job); err != nil {
			return err
		}
		end.lastJob = job.prev
	}
	return tx.latest.put(*end)
}

// endJob removes a job. Its message will not be sent any more.
func (x *eraser) endJob(tx *Tx, job *jobRow) error {
	if err := tx.jobs.del(job.id); err != nil || job.message == 0 {
		return err
	}
	row, err := tx.messages.get(job.message)
	if err != nil || row == nil || row.conversation != job.conversation || kabar.Status(row.status) != kabar.Accepted {
		return err
	}
	if err := x.free(tx, row); err != nil {
		return err
	}
	row.status = int64(kabar.Failed)
	return tx.messages.put(*row)
}

// loneJobs removes the jobs of the conversations that stand in no lane: what is being fetched or asked for.
func (x *eraser) loneJobs(ctx context.Context) error {
	for after := int64(0); ; {
		page, err := x.db.ScanJobs(ctx, after, chunk)
		if err != nil || len(page) == 0 {
			return err
		}
		var mine []int64
		for _, j := range page {
			if x.talks(int64(j.Number), int64(j.Conversation)) {
				mine = append(mine, j.ID)
			}
		}
		if len(mine) > 0 {
			err = x.commit(ctx, func(tx *Tx) {
				for _, id := range mine {
					tx.jobs.want(id)
				}
			}, func(tx *Tx, _ *Erasure) error {
				for _, id := range mine {
					job, err := tx.jobs.see(id)
					if err == nil && job != nil {
						err = x.endJob(tx, job)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err != nil || len(page) < chunk {
			return err
		}
		after = page[len(page)-1].ID
	}
}

// talks reports whether a conversation is one of those that are erased.
func (x *eraser) talks(number, conversation int64) bool {
	for _, t := range x.e.rest.Talks {
		if int64(t.Conversation) == conversation && int64(t.Number) == number {
			return true
		}
	}
	return false
}

// consent removes the entries of the ledger of consent that there were when the erasing began.
func (x *eraser) consent(ctx context.Context) error {
	for _, h := range x.e.rest.Handles {
		for {
			ids, err := list(ctx, x.db, scanID, entriesBefore, x.account, h, x.e.rest.Before, int64(chunk))
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				break
			}
			err = x.commit(ctx, nil, func(tx *Tx, _ *Erasure) error {
				for _, id := range ids {
					if err := tx.consentEntries.del(id); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

const entriesBefore = "SELECT id FROM consent_entry WHERE account_id = $1 AND handle = $2 AND id < $3 ORDER BY id LIMIT $4"

// answers removes what requests were answered that were about the conversations.
func (x *eraser) answers(ctx context.Context) error {
	for _, n := range x.numbers() {
		last := requestKey{number: n}
		for {
			page, err := x.db.answerHeads(ctx, n, last)
			if err != nil {
				return err
			}
			if err := x.dropAnswers(ctx, page); err != nil {
				return err
			}
			if len(page) < headsAtOnce {
				break
			}
			last = idempotencies.key(&page[len(page)-1])
		}
	}
	return nil
}

func (x *eraser) dropAnswers(ctx context.Context, page []idempotencyRow) error {
	var mine []requestKey
	for i := range page {
		if x.talks(page[i].number, page[i].conversation) {
			mine = append(mine, idempotencies.key(&page[i]))
		}
	}
	if len(mine) == 0 {
		return nil
	}
	return x.commit(ctx, nil, func(tx *Tx, _ *Erasure) error {
		for _, k := range mine {
			if err := tx.answers.del(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// numbers returns the numbers that have had a conversation with the customer.
func (x *eraser) numbers() (all []int64) {
	seen := map[kabar.NumberID]bool{}
	for _, t := range x.e.rest.Talks {
		if !seen[t.Number] {
			seen[t.Number] = true
			all = append(all, int64(t.Number))
		}
	}
	return all
}

// conversations removes the conversations, and with them the keys that their contents were sealed under.
func (x *eraser) conversations(ctx context.Context) error {
	return x.commit(ctx, nil, func(tx *Tx, next *Erasure) error {
		for _, t := range x.e.rest.Talks {
			id := int64(t.Conversation)
			row, err := tx.conversations.see(id)
			if err != nil {
				return err
			}
			if row == nil {
				continue
			}
			next.Removed.Conversations++
			if err := tx.conversations.del(id); err != nil {
				return err
			}
			if err := tx.latest.del(id); err != nil {
				return err
			}
			tx.After(func() { tx.b.db.dropConversationKey(id) })
		}
		return nil
	})
}
