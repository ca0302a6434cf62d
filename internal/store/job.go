package store

import (
	"context"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type jobRow struct {
	id, account, number, conversation int64
	kind                              string
	message, packed, tries, due       int64
	body                              []byte
}

var jobs = &table[int64, jobRow]{
	shape: shape{"job", cols("id:bigint"), cols("account_id:bigint number_id:bigint conversation_id:bigint kind:text " +
		"message_id:bigint packed:bigint tries:bigint due:bigint body:bytea")},
	key:  func(r *jobRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *jobRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.conversation, &r.kind, &r.message, &r.packed, &r.tries, &r.due, &r.body}
	},
	order: byID[int64],
}

// JobKind says what a job is there for.
type JobKind string

// Job is work that a commit has left to do. The jobs of a conversation that go to the customer are done one after another,
// by key.
type Job struct {
	ID           int64
	Account      kabar.AccountID
	Number       kabar.NumberID
	Conversation kabar.ConversationID
	Kind         JobKind
	Message      kabar.MessageID // what it is about; may be zero
	Packed       bool            // Body is the packet to transmit
	Tries        int
	Due          time.Time // not before; zero means at once
	Body         []byte    // sealed at rest: a packet, a locator, …
}

// AddJob stores a job and sets its ID.
func (tx *Tx) AddJob(j *Job) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	j.ID = id
	row, err := tx.sealJob(j)
	if err != nil {
		return err
	}
	tx.jobs.fresh(*row)
	return nil
}

// WantJob announces that the job will be asked for.
func (tx *Tx) WantJob(id int64) { tx.jobs.want(id) }

// Job returns a job of the number, or a NotFoundError if it has been done meanwhile.
func (tx *Tx) Job(n kabar.NumberID, id int64) (*Job, error) {
	row, err := tx.jobs.get(id)
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"job"}
	}
	key, err := tx.keyOf(row.number, row.conversation)
	if err != nil {
		return nil, err
	}
	return openJob(row, key)
}

// SaveJob stores a changed job, unless it has been done meanwhile: then it is a NotFoundError.
func (tx *Tx) SaveJob(j *Job) error {
	old, err := tx.jobs.get(j.ID)
	if err != nil {
		return err
	}
	if old == nil || old.number != int64(j.Number) || old.conversation != int64(j.Conversation) {
		return &NotFoundError{"job"}
	}
	row, err := tx.sealJob(j)
	if err != nil {
		return err
	}
	return tx.jobs.put(*row)
}

// RemoveJob removes a job of the number that is done; one that is gone is no error.
func (tx *Tx) RemoveJob(n kabar.NumberID, id int64) error {
	row, err := tx.jobs.get(id)
	if err != nil || row == nil {
		return err
	}
	if row.number != int64(n) {
		return &NotFoundError{"job"}
	}
	return tx.jobs.del(id)
}

func (tx *Tx) sealJob(j *Job) (*jobRow, error) {
	row := &jobRow{
		id: j.ID, account: int64(j.Account), number: int64(j.Number), conversation: int64(j.Conversation), kind: string(j.Kind),
		message: int64(j.Message), packed: flag(j.Packed), tries: int64(j.Tries), due: millis(j.Due),
	}
	if len(j.Body) == 0 {
		return row, nil
	}
	key, err := tx.keyOf(row.number, row.conversation)
	if err != nil {
		return nil, err
	}
	row.body = key.Seal(j.Body, secrets.AAD("job", j.ID))
	return row, nil
}

func openJob(r *jobRow, key secrets.Key) (*Job, error) {
	j := &Job{
		ID: r.id, Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number), Conversation: kabar.ConversationID(r.conversation),
		Kind: JobKind(r.kind), Message: kabar.MessageID(r.message), Packed: r.packed != 0, Tries: int(r.tries), Due: instant(r.due),
	}
	if len(r.body) == 0 {
		return j, nil
	}
	var err error
	if j.Body, err = key.Open(r.body, secrets.AAD("job", r.id)); err != nil {
		return nil, fmt.Errorf("unseal job: %w", err)
	}
	return j, nil
}

// Jobs returns the oldest jobs of a conversation of the number, in order, except those of the kind but.
func (db *DB) Jobs(ctx context.Context, n kabar.NumberID, c kabar.ConversationID, but JobKind, limit int) ([]*Job, error) {
	rows, err := readAll(ctx, db, jobs, "conversation_id = $1 AND number_id = $2 AND kind <> $3 ORDER BY id LIMIT $4",
		int64(c), int64(n), string(but), limit)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := db.keyOf(ctx, int64(n), int64(c))
	if err != nil {
		return nil, err
	}
	all := make([]*Job, len(rows))
	for i := range rows {
		if all[i], err = openJob(&rows[i], key); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Job returns one job of the number, or a NotFoundError if it is done.
func (db *DB) Job(ctx context.Context, n kabar.NumberID, id int64) (*Job, error) {
	row, err := readOne(ctx, db, jobs, "id = $1 AND number_id = $2", id, int64(n))
	if err != nil {
		return nil, notFound(err, "job")
	}
	key, err := db.keyOf(ctx, row.number, row.conversation)
	if err != nil {
		return nil, err
	}
	return openJob(row, key)
}

// ScanJobs returns up to limit jobs with keys above after, without their bodies: how a start, or a reader that could not
// keep everything in memory, finds what is left to do.
func (db *DB) ScanJobs(ctx context.Context, after int64, limit int) ([]*Job, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, account_id, number_id, conversation_id, kind, message_id, packed, tries, due
		FROM job WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fault(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	var all []*Job
	for rows.Next() {
		var r jobRow
		if err := rows.Scan(&r.id, &r.account, &r.number, &r.conversation, &r.kind, &r.message, &r.packed, &r.tries, &r.due); err != nil {
			return nil, fault(err)
		}
		j, err := openJob(&r, secrets.Key{})
		if err != nil {
			return nil, err
		}
		all = append(all, j)
	}
	if err := rows.Err(); err != nil {
		return nil, fault(err)
	}
	return all, nil
}
