package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"kabar/internal/storetest"
)

// cluster is a PostgreSQL server of the test's own. It listens on a Unix socket and trusts who can open that, so passwords are
// handed over but not checked.
type cluster struct {
	t      *testing.T
	server *storetest.Server
	base   *url.URL
}

func newCluster(t *testing.T, s *storetest.Env, server *storetest.Server) *cluster {
	t.Helper()
	base, err := url.Parse(s.Options.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.Close(t) // only the server is needed
	return &cluster{t: t, server: server, base: base}
}

// database is the URL of a database.
func (c *cluster) database(name string) string {
	u := *c.base
	u.Path, u.User = "/"+name, url.User("kabar")
	u.RawQuery = url.Values{"host": {c.base.Query().Get("host")}}.Encode()
	return u.String()
}

// psql runs the statements behind -c, as the program of that name does.
func (c *cluster) psql(args []string) (string, error) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] != "-c" {
			return "", fmt.Errorf("the psql of this test does not know %s", args[i])
		}
		if err := c.exec("postgres", args[i+1]); err != nil {
			return "", err
		}
	}
	return "", nil
}

// exec runs a statement. The role kabar is there already: the cluster is its own.
func (c *cluster) exec(database, statement string, args ...any) error {
	db, err := sql.Open("pgx", c.database(database))
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err = db.ExecContext(ctx, statement, args...)
	const duplicateObject = "42710"
	if is, ok := errors.AsType[*pgconn.PgError](err); ok && is.Code == duplicateObject {
		return nil
	}
	return err
}
