//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/media"
	"kabar/internal/network"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// server is the business's machine while it runs: the product's store, media folder and engine.
type server struct {
	db    *store.DB
	media *media.Store
	e     *engine.Engine
	id    kabar.NumberID
	stop  func() error // ends the engine and waits for it
}

// open opens what lies in a folder.
func open(dir string, master secrets.Key) (*server, error) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{Path: filepath.Join(dir, "kabar.db"), Master: master})
	if err != nil {
		return nil, err
	}
	s := &server{db: db, stop: func() error { return nil }}
	if s.media, err = media.Open(filepath.Join(dir, "media")); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	numbers, err := db.Numbers(ctx)
	if len(numbers) == 1 {
		s.id = numbers[0].ID
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// start has the engine work over a network.
func (s *server) start(n network.Network) error {
	s.e = engine.New(engine.Options{Store: s.db, Media: s.media})
	if err := s.e.Attach(context.Background(), s.id, n); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.e.Run(ctx) }()
	s.stop = func() error {
		cancel()
		return <-done
	}
	return nil
}

func (s *server) close() error {
	return errors.Join(s.stop(), s.db.Close(), s.media.Close())
}

// drained waits until no work is left.
func (s *server) drained(ctx context.Context) error {
	overdue := time.After(patience)
	for {
		jobs, err := s.db.ScanJobs(ctx, 0, 1)
		if err != nil {
			return err
		}
		if len(jobs) == 0 {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-overdue:
			return fmt.Errorf("job %d (%s of message %d, tried %d times, packed: %v) is still there after %s", jobs[0].ID, jobs[0].Kind,
				jobs[0].Message, jobs[0].Tries, jobs[0].Packed, patience)
		}
	}
}

// patience is how long the engine may take for what it has to do after a power cut.
const patience = 30 * time.Second

// send sends, with an idempotency key, and returns the answer: the message's public number.
func (s *server) send(ctx context.Context, m *send) (*engine.Sent, error) {
	var content kabar.Content = &kabar.Text{Body: m.text}
	if m.medium != nil {
		doc := kabar.NewMedia(kabar.KindDocument)
		doc.ID, doc.Caption, doc.Filename = m.medium.id, m.text, "news.bin"
		content = doc
	}
	return s.e.Send(ctx, s.id, engine.Request{To: m.to, Content: content,
		Once: &engine.Once{Path: "/v1/messages", Key: m.key, Hash: hash([]byte(m.text))},
		Answer: func(m *kabar.Message, _ kabar.Customer) (int, []byte, error) {
			return 201, strconv.AppendUint(nil, m.Ref, 10), nil
		}})
}

// add stores the business's number.
func (s *server) add() error {
	n, err := engine.AddNumber(context.Background(), s.db, engine.NewNumber{Account: &kabar.Account{Name: "Warung"}, Digits: "628111000111",
		Profile: kabar.Profile{Name: "Warung Kabar"}}, time.Now())
	if err == nil {
		s.id = n.ID
	}
	return err
}
