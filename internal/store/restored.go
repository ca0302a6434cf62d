package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kabar"
)

// Restored says where a store comes from that was restored from a backup. What has happened between Backup and the end of
// the store that was lost is not known to it: see docs/decisions/0008-backup-format.md.
type Restored struct {
	At     time.Time `json:"at"`     // when it was restored
	Backup time.Time `json:"backup"` // when the backup was made
	// Before tells the rows of the backup from later ones: their keys are smaller. Of a message that was accepted or sent in
	// the backup and still is, the status may be behind for good: its receipts went to the store that was lost.
	Before int64 `json:"before"`
	// Messages were on their way to customers when the backup was made, Events on their way to endpoints. They go out again
	// under the same ids.
	Messages int64 `json:"messages"`
	Events   int64 `json:"events"`
}

const restoredMeta = "restored"

// Restored returns where the store comes from; nil if it has never been restored.
func (db *DB) Restored(ctx context.Context) (*Restored, error) {
	plain, err := db.sealed(ctx, restoredMeta)
	if IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the note of a restore: %w", err)
	}
	r := new(Restored)
	if err := json.Unmarshal(plain, r); err != nil {
		return nil, fmt.Errorf("decode the note of a restore: %w", err)
	}
	return r, nil
}

// life is how many numbers each counter has for every millisecond since 1970. A store that was restored at a time has begun at
// that time's number, and gives out far fewer in a millisecond: so a store that is restored later begins above all that it
// can have given out, also if both come from the same backup. A jump from where the backup stands would not do: the second
// store from one backup would repeat the first. The numbers stay below 2^53, which JavaScript still counts exactly, until 2248.
const life = 1 << 10

// leapt returns where a counter goes on after a restore at a time.
func leapt(next int64, at time.Time) (int64, error) {
	leap := at.UnixMilli() * life
	if leap <= next {
		return 0, ErrClock
	}
	return leap, nil
}

// ErrClock says that the time of a restore cannot be true.
var ErrClock = errors.New("the clock of this machine is behind the time at which the backup was made: set it, or ids would be given out twice")

// Finish makes the loaded store fit for use, and known as restored at r.At: every counter leaps beyond whatever the store
// that was lost can have used since the backup, and every number's driver finds an entry called mark, which tells it to
// start its sessions afresh. It completes r. Then the store can be opened.
func (l *Loader) Finish(ctx context.Context, r *Restored, mark string) error {
	if r.At.Before(r.Backup) {
		return ErrClock
	}
	if err := l.Open(ctx); err != nil {
		return err
	}
	if err := l.db.underway(ctx, r); err != nil {
		return fmt.Errorf("count what was on its way: %w", err)
	}
	numbers, err := l.db.Numbers(ctx)
	if err != nil {
		return err
	}
	if err := l.db.leapAll(ctx, numbers, r); err != nil {
		return fmt.Errorf("raise the counters: %w", err)
	}
	for _, n := range numbers {
		if err := l.db.markRestored(ctx, n, mark, r); err != nil {
			return fmt.Errorf("tell the driver of a number: %w", err)
		}
	}
	if err := l.db.pauseRestored(ctx, r); err != nil {
		return fmt.Errorf("pause the broadcasts: %w", err)
	}
	if _, err := l.db.conn.ExecContext(ctx, "DELETE FROM schema_version WHERE number = $1", unfinished); err != nil {
		return fmt.Errorf("finish the restore: %w", err)
	}
	return nil
}

// pauseRestored pauses the broadcasts that would go on by themselves: recipients who wait in the backup may have had their message since.
func (db *DB) pauseRestored(ctx context.Context, r *Restored) error {
	return db.Write(ctx, nil, func(tx *Tx) error {
		rows, err := tx.broadcasts.all()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if s := kabar.BroadcastState(row.state); s != kabar.BroadcastRunning && s != kabar.BroadcastScheduled {
				continue
			}
			row.state = string(kabar.BroadcastPaused)
			row.why = "the server was restored from a backup of " + r.Backup.UTC().Format(time.RFC3339) + ": recipients who wait here may have had their message after that"
			if err := tx.broadcasts.put(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// underway counts what was on its way.
func (db *DB) underway(ctx context.Context, r *Restored) error {
	err := db.read.QueryRowContext(ctx, "SELECT count(DISTINCT m.id) FROM job j JOIN message m ON m.id = j.message_id WHERE m.direction = $1",
		int64(kabar.Outbound)).Scan(&r.Messages)
	if err != nil {
		return fault(err)
	}
	err = db.read.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM endpoint p JOIN event e ON e.number_id = p.number_id AND e.seq > p.mark WHERE p.gone = 0) -
		(SELECT count(*) FROM endpoint p JOIN delivery d ON d.endpoint_id = p.id AND d.seq > p.mark AND d.state = $1 WHERE p.gone = 0) +
		(SELECT count(*) FROM endpoint p JOIN delivery d ON d.endpoint_id = p.id AND d.seq <= p.mark AND d.state = $2 WHERE p.gone = 0)`,
		int64(Finished), int64(Parked)).Scan(&r.Events)
	if err != nil {
		return fault(err)
	}
	return nil
}

// leapAll raises every counter, those included that the backup does not have yet, and writes the note.
func (db *DB) leapAll(ctx context.Context, numbers []*kabar.Number, r *Restored) error {
	rows, err := readAll(ctx, db, counters, "name <> ''")
	if err != nil {
		return err
	}
	next := map[string]int64{keyCounter: 1}
	for _, n := range numbers {
		next[seqCounter(n.ID)] = 1
	}
	for _, row := range rows {
		next[row.name] = row.next
	}
	for name := range next {
		if next[name], err = leapt(next[name], r.At); err != nil {
			return err
		}
	}
	r.Before = next[keyCounter]
	note, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return db.Write(ctx, nil, func(tx *Tx) error {
		for name, n := range next {
			if err := tx.counters.put(counterRow{name, n}); err != nil {
				return err
			}
		}
		return tx.seal(restoredMeta, note)
	})
}

// markRestored leaves the entry called mark with the number's driver.
func (db *DB) markRestored(ctx context.Context, n *kabar.Number, mark string, r *Restored) error {
	_, version, err := db.State(ctx, n.ID, mark)
	if err != nil {
		return err
	}
	return db.Write(ctx, nil, func(tx *Tx) error { return tx.SetState(n, mark, version, []byte(r.At.UTC().Format(time.RFC3339))) })
}

// A log has gaps only where a restore has raised its counter, which leaps far beyond what a log grows to by itself. So these
// differences of seqs are numbers of events, and nothing has to be counted:
const (
	certain = 1 << 16 // smaller ones than this: a gap is mostly far longer
	unleapt = 1 << 40 // those below this: there has been no restore
)

// Behind returns how many events of the number have a seq above after. In a store that was restored it counts rows when they
// are many.
func (db *DB) Behind(ctx context.Context, n kabar.NumberID, after int64) (int64, error) {
	last, err := db.LastSeq(ctx, n)
	if err != nil || last-after < certain || last < unleapt {
		return max(last-after, 0), err
	}
	var count int64
	err = db.read.QueryRowContext(ctx, "SELECT count(*) FROM event WHERE number_id = $1 AND seq > $2", int64(n), after).Scan(&count)
	if err != nil {
		return 0, fault(err)
	}
	return count, nil
}
