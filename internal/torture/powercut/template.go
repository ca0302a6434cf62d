//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

// filled is how long the log of the second template is, in bytes: some 1,900 of the 2,000 pages after which it is carried
// over into the database, which so happens under load.
const filled = 1900 * (4096 + 24)

// templates makes the folders that rounds begin with, in both a number and customers who have just written: one of a server
// that was stopped, and one as it is after a kill, with a long log.
func templates(dir string, master secrets.Key) ([]string, error) {
	stopped, killed := filepath.Join(dir, "stopped"), filepath.Join(dir, "killed")
	s, err := furnished(stopped, master)
	if err != nil {
		return nil, err
	}
	if err := s.close(); err != nil {
		return nil, err
	}
	working := filepath.Join(dir, "working")
	if err := os.CopyFS(working, os.DirFS(stopped)); err != nil {
		return nil, err
	}
	if s, err = open(working, master); err != nil {
		return nil, err
	}
	now := time.Now()
	for size := int64(0); err == nil && size < filled; {
		now = now.Add(time.Second) // another value, or nothing would be written
		err = s.db.Probe(context.Background(), now)
		if info, serr := os.Stat(filepath.Join(working, "kabar.db-wal")); serr == nil {
			size = info.Size()
		}
	}
	if err == nil {
		err = os.CopyFS(killed, os.DirFS(working))
	}
	return []string{stopped, killed}, errors.Join(err, s.close())
}

// furnished makes a store with a number and customers.
func furnished(dir string, master secrets.Key) (*server, error) {
	s, err := open(dir, master)
	if err != nil {
		return nil, err
	}
	net, ctx := newRatchet(), context.Background()
	if err = s.add(); err == nil {
		err = s.start(net)
	}
	for i := 0; err == nil && i < customers; i++ {
		err = net.deliver(ctx, kabar.Update{From: kabar.Customer{WaID: customer(i), Name: "Ana"}, At: time.Now(), Ref: fmt.Sprintf("%032x", i+1),
			Message: &kabar.Incoming{Content: &kabar.Text{Body: "hello"}}}, nil)
	}
	if err == nil {
		err = s.drained(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}
