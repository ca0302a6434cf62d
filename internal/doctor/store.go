package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"kabar/internal/sqlite"
	"kabar/internal/store"
)

// Unopened judges why a store could not be opened.
func Unopened(err error) Result {
	var mine *sqlite.InUseError
	var theirs *store.InUseError
	var pending *store.PendingError
	var newer *store.NewerError
	switch {
	case errors.As(err, &mine), errors.As(err, &theirs):
		return Result{Fail, err.Error(), "another server owns it: stop that one; if it runs on this data folder, run kabar doctor as its user"}
	case errors.As(err, &pending):
		return Result{Fail, fmt.Sprintf("schema %d, this program needs %d", pending.Have, pending.Want), "kabar backup DIR, then kabar migrate, with the flags of the server"}
	case errors.As(err, &newer):
		return Result{Fail, fmt.Sprintf("schema %d, this program knows %d", newer.Have, newer.Want), "start the newer program, or kabar restore a backup of this one"}
	case errors.Is(err, store.ErrMasterKey):
		return Result{Fail, err.Error(), "give the right file with --master-key-file"}
	case errors.Is(err, fs.ErrNotExist):
		return Result{Fail, "there is none: " + err.Error(), "give the right --data; a new one is made by the first start of kabar serve"}
	case errors.Is(err, context.DeadlineExceeded):
		return Result{Fail, "the database does not answer", "pg_isready -d …; look at host, port and firewall"}
	}
	return Result{Fail, "the database cannot be used: " + err.Error(), "kabar status --data …; for PostgreSQL: pg_isready -d …, and its log"}
}

// Slow commits and long queues.
const (
	commitWarn = 250 * time.Millisecond
	queueShare = 2 // one of so many
)

// Store looks at an open store: it commits a small write, and looks at the queue.
func Store(db interface {
	Probe(ctx context.Context, now time.Time) error
	Waiting() (n, limit int)
	About(ctx context.Context) (store.About, error)
}) Check {
	return Check{"store", func(ctx context.Context) Result {
		a, err := db.About(ctx)
		if err != nil {
			return Unopened(err)
		}
		start := time.Now()
		if err := db.Probe(ctx, start); err != nil {
			return Result{Fail, "nothing can be written: " + err.Error(), "look at the disk (above), or at the database's own log"}
		}
		took := time.Since(start)
		n, limit := db.Waiting()
		is := fmt.Sprintf("%s, a commit takes %d ms, %d of %d writes wait", a.Version, took.Milliseconds(), n, limit)
		if took > commitWarn || n > limit/queueShare {
			return Result{Warn, is, "is the disk shared with something busy? iostat -x 5; for PostgreSQL look at its network latency, too"}
		}
		return Fine("%s", is)
	}}
}

// offline is how long a number may be without its network.
const offline = time.Minute

// Link looks at the connection of a number with its network, as of now. todo is what a person has to do before the network
// admits the number; empty if nothing.
func Link(name string, connected bool, since, now time.Time, todo string) Check {
	away := now.Sub(since)
	switch {
	case connected:
		return Known(name, Fine("connected for %s", age(away)))
	case todo != "":
		return Known(name, Result{Fail, "the network does not admit the number yet", todo})
	case away < offline:
		return Known(name, Result{Warn, "connecting since " + age(away), "wait a minute and ask again"})
	}
	return Known(name, Result{Fail, "not connected for " + age(away),
		"see the line of the relay; does it know the number? kabar relay accounts; the server's log has the reason"})
}
