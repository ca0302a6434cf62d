package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// ownerLock is the advisory lock that the owner of a store holds on the connection that commits. PostgreSQL frees it when
// that connection ends, so a dead owner never blocks the next one.
const ownerLock = 0x6b61626172 // "kabar"

// maxConns is how many connections a store opens at most, if nothing else is said: the writer's and the readers'.
const maxConns = 9

// How long a database may take that is there but does not answer. A network that swallows packets, a machine that is
// frozen or a lock that somebody holds must not stop the server for ever: the connection is given up, whoever waits gets an
// UnavailableError, and the next one connects anew. A checkpoint on a slow disk may take seconds; a request may take a minute.
const (
	connectTime = 5 * time.Second
	answerTime  = 20 * time.Second // a batch of the writer, or one read
)

// keepalive notices within half a minute that the other end of an idle connection is gone without a word.
var keepalive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

func (db *DB) connectPostgres(ctx context.Context, o Options) error {
	conf, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	host, _ := os.Hostname() // a name for people; without it the process id still tells
	conf.RuntimeParams["application_name"] = fmt.Sprintf("kabar: process %d on %s", os.Getpid(), host)
	conf.ConnectTimeout = cmp.Or(conf.ConnectTimeout, connectTime)
	conf.DialFunc = (&net.Dialer{KeepAliveConfig: keepalive}).DialContext
	db.flavour, db.patience = postgresFlavour, answerTime
	// Every connection that may commit takes the lock first: a store that was lost to another process stays lost.
	db.conn = stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		defer db.kept.forget() // while there was no connection the store may have been another process's
		return takeOwnership(ctx, c)
	}))
	db.conn.SetMaxOpenConns(1)
	db.read = stdlib.OpenDB(*conf)
	readers := max(1, cmp.Or(o.MaxConns, maxConns)-1)
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	db.close = func() error { return errors.Join(db.read.Close(), db.conn.Close()) }
	if err := db.conn.PingContext(ctx); err != nil {
		return errors.Join(unreachable(conf, err), db.close())
	}
	pools := db.close
	db.close = func() error {
		db.release()
		return pools()
	}
	return nil
}

// unreachable says what to look at when a database cannot be opened.
func unreachable(conf *pgx.ConnConfig, err error) error {
	if _, ok := errors.AsType[*InUseError](err); ok {
		return fmt.Errorf("open the store: %w", err)
	}
	advice := "check that the server runs there and takes connections from this machine"
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case e.Code == "3D000":
			advice = fmt.Sprintf("create the database: createdb -O %s %s", conf.User, conf.Database)
		case strings.HasPrefix(e.Code, "28"):
			advice = "check the user, the password and the server's pg_hba.conf"
		}
	}
	return fmt.Errorf("open the store: PostgreSQL at %s, port %d, database %s, user %s: %w\n%s", conf.Host, conf.Port, conf.Database, conf.User, err,
		strings.ToUpper(advice[:1])+advice[1:])
}

// release frees the owner's lock: the server notices a closed connection only a moment later, and the next start would
// find the database in use.
func (db *DB) release() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = db.conn.ExecContext(ctx, "SELECT pg_advisory_unlock_all()") // without a connection there is no lock either
}

// How often, and after what pause, a new connection asks for the lock of an owner whose death the server is about to notice.
const (
	ownerTries = 20
	ownerPause = 25 * time.Millisecond
)

// takeOwnership takes the lock, or says who has it. So a commit that is still on its way on a connection that was given up
// comes before anything that is written through the next one.
func takeOwnership(ctx context.Context, c *pgx.Conn) error {
	mine, err := tryOwnership(ctx, c)
	for range ownerTries {
		if mine || err != nil {
			break
		}
		time.Sleep(ownerPause)
		mine, err = tryOwnership(ctx, c)
	}
	if err != nil {
		return err
	}
	if mine {
		// The server, too, has to notice that this machine is gone, or the lock would outlive it by hours.
		_, err := c.Exec(ctx, "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3")
		return err
	}
	var owner string
	err = c.QueryRow(ctx, `SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND l.classid::bigint = $1 AND l.objid::bigint = $2 LIMIT 1`, int64(ownerLock>>32), int64(ownerLock&0xffff_ffff)).Scan(&owner)
	if err != nil {
		owner = "another process"
	}
	return errors.Join(&InUseError{Owner: owner}, c.Close(ctx)) // nobody else closes a connection that is refused here
}

func tryOwnership(ctx context.Context, c *pgx.Conn) (mine bool, err error) {
	err = c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(ownerLock)).Scan(&mine)
	return mine, err
}

// notice logs, once, that another process has taken the database over, and that it has given it back.
func (db *DB) notice(err error) {
	owner, taken := errors.AsType[*InUseError](err)
	switch {
	case taken && !db.lost:
		db.lost = true
		db.log.Error("the store belongs to another process now, and every write is refused: stop that process, or this one", "owner", owner.Owner)
	case err == nil && db.lost:
		db.lost = false
		db.log.Info("the store belongs to this process again")
	}
}

// InUseError says that another process owns the database.
type InUseError struct{ Owner string }

func (e *InUseError) Error() string {
	return fmt.Sprintf("the database is in use by %q: stop that process, or use another database", e.Owner)
}
