package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type jobRow struct {
	id, account, number, conversation int64
	kind                              string
	message, packed, tries, due, prev int64
	body                              []byte
}

var jobs = &table[int64, jobRow]{
	shape: shape{"job", cols("id:bigint"), cols("account_id:bigint number_id:bigint conversation_id:bigint kind:text " +
		"message_id:bigint packed:bigint? tries:bigint? due:bigint? prev:bigint body:bytea?")},
	key:  func(r *jobRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *jobRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.conversation, &r.kind, &r.message, &r.packed, &r.tries, &r.due, &r.prev, &r.body}
	},
	order: byID[int64],
}

// JobKind says what a job is there for.
type JobKind string

// Job is work that a commit has left to do. The jobs of a conversation that go to the customer are its lane: they are done
// one after another, by key.
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

// AddJob stores a job at the end of its conversation's lane and sets its ID.
func (tx *Tx) AddJob(j *Job) error {
	end, err := tx.lane(j)
	if err != nil {
		return err
	}
	if err := tx.addJob(j, end.lastJob); err != nil {
		return err
	}
	end.lastJob = j.ID
	return tx.latest.put(end)
}

// AddLoneJob stores a job that is in no lane, and sets its ID.
func (tx *Tx) AddLoneJob(j *Job) error { return tx.addJob(j, 0) }

func (tx *Tx) addJob(j *Job, prev int64) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	j.ID = id
	row, err := tx.sealJob(j)
	if err != nil {
		return err
	}
	row.prev = prev
	tx.jobs.fresh(row)
	return nil
}

// lane returns the row in which the lane of a job's conversation ends.
func (tx *Tx) lane(j *Job) (latestRow, error) {
	c, err := tx.conversations.see(int64(j.Conversation))
	if err != nil {
		return latestRow{}, err
	}
	if c == nil || c.number != int64(j.Number) {
		return latestRow{}, &NotFoundError{"conversation"}
	}
	end, err := tx.latest.see(c.id)
	if end == nil {
		return latestRow{conversation: c.id, account: c.account, number: c.number}, err
	}
	return *end, nil
}

// WantJob announces that the job will be asked for.
func (tx *Tx) WantJob(id int64) { tx.jobs.want(id) }

// Job returns a job of the number, or a NotFoundError if it has been done meanwhile.
func (tx *Tx) Job(n kabar.NumberID, id int64) (*Job, error) {
	row, err := tx.jobs.see(id)
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
	old, err := tx.jobs.see(j.ID)
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
	row.prev = old.prev
	return tx.jobs.put(row)
}

// RemoveJob removes a job of the number that is done; one that is gone is no error. Of a lane it may be the first or the last
// job: another one would take those before it out of sight, and is a StatementError.
func (tx *Tx) RemoveJob(n kabar.NumberID, id int64) error {
	row, err := tx.jobs.see(id)
	if err != nil || row == nil {
		return err
	}
	if row.number != int64(n) {
		return &NotFoundError{"job"}
	}
	if err := tx.leaveLane(row); err != nil {
		return err
	}
	return tx.jobs.del(id)
}

// leaveLane takes a job that is about to be removed out of its lane.
func (tx *Tx) leaveLane(row *jobRow) error {
	end, err := tx.latest.get(row.conversation)
	if err != nil {
		return err
	}
	var before *jobRow
	if row.prev != 0 {
		if before, err = tx.jobs.see(row.prev); err != nil {
			return err
		}
	}
	switch {
	case end == nil || end.lastJob != row.id:
		if before != nil {
			return &StatementError{fmt.Errorf("remove job %d: job %d stands before it", row.id, before.id)}
		}
		return nil
	case before == nil:
		end.lastJob = 0
	default:
		end.lastJob = before.id
	}
	return tx.latest.put(*end)
}

func (tx *Tx) sealJob(j *Job) (jobRow, error) {
	row := jobRow{
		id: j.ID, account: int64(j.Account), number: int64(j.Number), conversation: int64(j.Conversation), kind: string(j.Kind),
		message: int64(j.Message), packed: flag(j.Packed), tries: int64(j.Tries), due: millis(j.Due),
	}
	if len(j.Body) == 0 {
		return row, nil
	}
	key, err := tx.keyOf(row.number, row.conversation)
	if err != nil {
		return jobRow{}, err
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

// laneQuery walks a lane from its end.
const laneQuery = `WITH RECURSIVE lane (id, prev) AS (
	SELECT j.id, j.prev FROM latest l JOIN job j ON j.id = l.last_job WHERE l.conversation_id = $1 AND l.number_id = $2
	UNION ALL SELECT j.id, j.prev FROM lane l JOIN job j ON j.id = l.prev)
	SELECT id FROM lane ORDER BY id LIMIT $3`

// Lane returns the keys of the first jobs in the lane of a conversation of the number, in order. It takes a time that grows
// with the lane: of a long one ask for many at a time.
func (db *DB) Lane(ctx context.Context, n kabar.NumberID, c kabar.ConversationID, limit int) ([]int64, error) {
	if ids, known := db.keptLane(n, c, limit); known {
		return ids, nil
	}
	return list(ctx, db, func(rows *sql.Rows) (id int64, err error) {
		err = rows.Scan(&id)
		return id, err
	}, laneQuery, int64(c), int64(n), limit)
}

// keptLane returns a lane of at most limit jobs; known is false when not all of it is kept.
func (db *DB) keptLane(n kabar.NumberID, c kabar.ConversationID, limit int) (ids []int64, known bool) {
	end, known := db.kept.latest.get(int64(c))
	if end == nil || end.number != int64(n) {
		return nil, known
	}
	for id := end.lastJob; id != 0; {
		row, known := db.kept.jobs.get(id)
		if !known || len(ids) == limit && row != nil {
			return nil, false
		}
		if row == nil {
			break
		}
		ids, id = append(ids, id), row.prev
	}
	slices.Reverse(ids)
	return ids, true
}

// Job returns one job of the number, or a NotFoundError if it is done.
func (db *DB) Job(ctx context.Context, n kabar.NumberID, id int64) (*Job, error) {
	row, err := readKey(ctx, db, jobs, db.kept.jobs, id)
	if err != nil {
		return nil, notFound(err, "job")
	}
	if row.number != int64(n) {
		return nil, &NotFoundError{"job"}
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
