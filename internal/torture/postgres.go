//go:build unix

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"kabar/internal/storetest/pgserver"
)

// newDatabase makes an empty database: on the server of KABAR_TEST_POSTGRES, or on one that is started for it from the
// programs on PATH. stop removes it.
func newDatabase(ctx context.Context) (database string, stop func() error, err error) {
	given := os.Getenv("KABAR_TEST_POSTGRES")
	if given == "" {
		own, stop, err := pgserver.Run(true)
		if err != nil {
			return "", nil, err
		}
		return own.String(), stop, nil // the database that every server has: it goes with the server
	}
	u, err := url.Parse(given)
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("kabar_torture_%d", os.Getpid())
	u.Path = "/" + name
	drop := func() error {
		return execute(context.WithoutCancel(ctx), given, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	}
	return u.String(), drop, errors.Join(drop(), execute(ctx, given, "CREATE DATABASE "+name))
}

// emptyDatabase makes an empty one of a database. Connections of a server that was killed may be there still.
func emptyDatabase(ctx context.Context, database string) error {
	return errors.Join(
		execute(ctx, database, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`),
		execute(ctx, database, `DROP SCHEMA public CASCADE; CREATE SCHEMA public`))
}

func execute(ctx context.Context, database, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", database)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}
