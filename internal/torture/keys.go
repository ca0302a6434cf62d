//go:build unix

package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// serverSecrets returns what a stopped server keeps secret and the harness can read with the master key: that key itself, and
// everything its driver keeps (identity, prekeys, sessions with their ratchets), by name.
func serverSecrets(database, masterFile string) (map[string][]byte, error) {
	ctx := context.Background()
	master, err := secrets.LoadMasterKey(masterFile)
	if err != nil {
		return nil, err
	}
	known := map[string][]byte{}
	if known["the master key"], err = rawMaster(masterFile); err != nil {
		return nil, err
	}
	names, err := stateNames(ctx, database)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{Path: database, Master: master})
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		value, _, e := db.State(ctx, n.number, n.name)
		known["state "+n.name], err = value, errors.Join(err, e)
	}
	return known, errors.Join(err, db.Close())
}

// rawMaster reads the bytes of a master key from its file, of which they are the last line in base64.
func rawMaster(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines := strings.Fields(string(text))
	return base64.StdEncoding.DecodeString(lines[len(lines)-1])
}

type stateName struct {
	number kabar.NumberID
	name   string
}

func stateNames(ctx context.Context, database string) (names []stateName, err error) {
	db, err := sql.Open("sqlite", "file:"+database+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT number_id, name FROM driver_state")
	if err != nil {
		return nil, fmt.Errorf("list the driver's state: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	for rows.Next() {
		var n stateName
		if err := rows.Scan(&n.number, &n.name); err != nil {
			return nil, err
		}
		names = append(names, n)
	}
	return names, rows.Err()
}
