package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
)

// database makes a PostgreSQL database for a mode and returns its URL; "" where SQLite is measured. It is gone after the run.
func (b *bench) database(ctx context.Context, mode string) (string, error) {
	if b.o.Database == "" {
		return "", nil
	}
	u, err := url.Parse(b.o.Database)
	if err != nil {
		return "", errors.New("want postgres://USER@HOST/NAME") // the error of url.Parse would show the password
	}
	name := fmt.Sprintf("kabar_bench_%d_%s", os.Getpid(), mode)
	if err := b.administer(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("make a database to measure in: %w", err)
	}
	b.databases = append(b.databases, name)
	u.Path = "/" + name
	return u.String(), nil
}

// dropDatabases removes what database has made.
func (b *bench) dropDatabases(ctx context.Context) error {
	var err error
	for _, name := range b.databases {
		err = errors.Join(err, b.administer(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"))
	}
	return err
}

func (b *bench) administer(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, b.o.Database)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
