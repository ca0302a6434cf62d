package sim

import (
	"context"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"

	"kabar/internal/torture/memory"
)

// place is where one seed after another is played: a folder, a disk in memory for the server's database, and the connections
// to it. They outlive a server, as SQLite's code does: opening them anew, each with its schema and its statements, took a
// quarter of the time. A server that starts finds the log that the one before it has left and recovers it, as ever.
type place struct {
	dir  string
	disk *memory.Disk

	mu   sync.Mutex
	idle map[string][]*wire // by data source
}

func newPlace(dir string) (*place, error) {
	disk, err := memory.New(filepath.Join(dir, dbFile))
	return &place{dir: dir, disk: disk, idle: map[string][]*wire{}}, err
}

// close closes what is kept.
func (p *place) close() error {
	var err error
	for _, wires := range p.idle {
		for _, w := range wires {
			err = errors.Join(err, w.end())
		}
	}
	return errors.Join(err, p.disk.Close())
}

// dial is how a server gets its connections.
func (p *place) dial(dsn string) (driver.Connector, error) {
	c, err := sqlite.NewConnector(dsn)
	return &connector{c, p, dsn}, err
}

type connector struct {
	driver.Connector
	place *place
	dsn   string
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	p := c.place
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle[c.dsn]); n > 0 {
		w := p.idle[c.dsn][n-1]
		p.idle[c.dsn] = p.idle[c.dsn][:n-1]
		return w, nil
	}
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := inner.(driverConn)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver lacks an ability"), inner.Close())
	}
	return &wire{driverConn: full, from: c, idle: map[string]driverStmt{}}, nil
}

// What the product asks of a connection and a statement.
type (
	driverConn interface {
		driver.Conn
		driver.ConnBeginTx
		driver.ConnPrepareContext
		driver.ExecerContext
		driver.QueryerContext
		driver.Pinger
		driver.SessionResetter
		driver.Validator
	}
	driverStmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
)

// wire is a connection that closing gives back, with its statements.
type wire struct {
	driverConn
	from *connector
	idle map[string]driverStmt
}

// stmt is a statement that closing gives back.
type stmt struct {
	driverStmt
	wire *wire
	text string
}

// PrepareContext implements driver.ConnPrepareContext.
func (w *wire) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if s := w.idle[text]; s != nil {
		delete(w.idle, text)
		return &stmt{s, w, text}, nil
	}
	inner, err := w.driverConn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s, ok := inner.(driverStmt)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver lacks an ability"), inner.Close())
	}
	return &stmt{s, w, text}, nil
}

// Close implements driver.Stmt.
func (s *stmt) Close() error {
	if s.wire.idle[s.text] != nil {
		return s.driverStmt.Close()
	}
	s.wire.idle[s.text] = s.driverStmt
	return nil
}

// Close implements driver.Conn.
func (w *wire) Close() error {
	p := w.from.place
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle[w.from.dsn] = append(p.idle[w.from.dsn], w)
	return nil
}

// end closes a connection for good.
func (w *wire) end() error {
	var err error
	for _, s := range w.idle {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, w.driverConn.Close())
}
