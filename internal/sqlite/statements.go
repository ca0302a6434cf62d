package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
)

// keptStatements bounds how many prepared statements a connection keeps; about 5 KiB each, of many rows about 30.
const keptStatements = 256

// connector opens connections that keep their statements.
type connector struct {
	driver.Connector
	wal *wal // nil: the connections only read
}

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := inner.(driverConn)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver lacks an ability"), inner.Close())
	}
	return &conn{driverConn: full, wal: c.wal, idle: make(map[string]driverStmt)}, nil
}

// What the driver's connections and statements can do beyond the least that database/sql asks for.
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

// conn keeps the statements that were run on it prepared, by their text: preparing costs several times what running a
// statement of one row does. A statement that runs is out of the map, so the same text may run twice at a time.
type conn struct {
	driverConn
	wal   *wal // nil: it only reads
	idle  map[string]driverStmt
	named []driver.NamedValue // of the statement that runs, if it was given Values
}

// Values are all arguments of a statement that is executed, handed over as one. Each is an int64, a string or a []byte: nothing is
// converted. database/sql would look at each of hundreds, and make another list of them.
type Values []any

// CheckNamedValue implements driver.NamedValueChecker.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if _, ok := v.Value.(Values); ok {
		return nil
	}
	return driver.ErrSkip // as if there were no checker
}

// unpacked returns the arguments within args.
func (c *conn) unpacked(args []driver.NamedValue) []driver.NamedValue {
	if len(args) != 1 {
		return args
	}
	values, ok := args[0].Value.(Values)
	if !ok {
		return args
	}
	c.named = c.named[:0]
	for i, v := range values {
		c.named = append(c.named, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return c.named
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	args = c.unpacked(args)
	defer clear(c.named) // what was bound is not kept alive
	if !keeps(text) {
		return c.driverConn.ExecContext(ctx, text, args)
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	res, err := s.ExecContext(ctx, args)
	c.give(text, s, err)
	return res, err
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if !keeps(text) {
		return c.driverConn.QueryContext(ctx, text, args)
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	rs, err := s.QueryContext(ctx, args)
	if err != nil {
		c.give(text, s, err)
		return nil, err
	}
	return &rows{rs, c, text, s}, nil
}

// Close implements driver.Conn. A connection that has to keep the log stays open, until the process ends.
func (c *conn) Close() error {
	err := c.settle()
	if err != nil {
		return err
	}
	for _, s := range c.idle {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, c.driverConn.Close())
}

// keeps reports whether a statement may be run again as it was prepared. Some pragmas take effect when they are prepared;
// whatever changes a schema is not run twice.
func keeps(text string) bool {
	verb, _, _ := strings.Cut(strings.TrimLeft(text, " \t\n"), " ")
	switch verb {
	case "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE", "ROLLBACK":
		return true
	}
	return false
}

// take returns a prepared statement that nobody else uses.
func (c *conn) take(ctx context.Context, text string) (driverStmt, error) {
	if s, ok := c.idle[text]; ok {
		delete(c.idle, text)
		return s, nil
	}
	s, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	full, ok := s.(driverStmt)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver lacks an ability"), s.Close())
	}
	return full, nil
}

// give takes a statement back. One that has failed is not kept.
func (c *conn) give(text string, s driverStmt, failed error) {
	if _, twin := c.idle[text]; twin || failed != nil || len(c.idle) >= keptStatements {
		_ = s.Close() // there is nothing to lose any more
		return
	}
	c.idle[text] = s
}

// rows gives their statement back when they are closed.
type rows struct {
	driver.Rows
	conn *conn
	text string
	stmt driverStmt
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	err := r.Rows.Close()
	r.conn.give(r.text, r.stmt, err)
	return err
}
