package store

import (
	"context"

	"kabar/internal/sqlite"
)

// ErrBusy says that somebody reads an older state of the database, a backup say, so that it cannot be written over yet.
var ErrBusy = sqlite.ErrBusy

// Scrub sees to it that the files of a SQLite database hold the texts nowhere but in rows that are there. It takes as long as reading the
// database does; others write meanwhile. PostgreSQL has means of its own, which belong to whoever runs it.
func (db *DB) Scrub(ctx context.Context, texts []string) error {
	if db.flavour != sqliteFlavour {
		return nil
	}
	needles := make([][]byte, len(texts))
	for i, t := range texts {
		needles[i] = []byte(t)
	}
	return sqlite.Scrub(ctx, db.conn, db.read, needles)
}
