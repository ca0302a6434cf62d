package store

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// Failures that say nothing about the statement: the database is away, full, broken or cannot be written now.
var (
	// SQLSTATE classes: connection, resources, operator, system, internal (PostgreSQL manual, appendix A).
	postgresOutages = []string{"08", "53", "57", "58", "XX"}
	// BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB (sqlite.org/rescode.html).
	sqliteOutages = []int{5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26}
)

// readOnly is the SQLSTATE of a server that has become a standby.
const readOnly = "25006"

// fault tells a StatementError from an UnavailableError. What has no code of the database is a lost connection. The end of
// the caller's context is neither.
func fault(err error) error {
	var connecting *pgconn.ConnectError
	var postgres *pgconn.PgError
	var known *UnavailableError
	var sqlite interface{ Code() int } // of the driver, which only internal/sqlite knows
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &connecting):
		return &UnavailableError{err}
	case errors.As(err, &postgres):
		if !slices.Contains(postgresOutages, postgres.Code[:min(2, len(postgres.Code))]) && postgres.Code != readOnly {
			return &StatementError{err}
		}
	case errors.As(err, &sqlite):
		if !slices.Contains(sqliteOutages, sqlite.Code()&0xff) {
			return &StatementError{err}
		}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return &UnavailableError{err}
}
