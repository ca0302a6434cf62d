package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"kabar"
	"kabar/internal/store"
)

// writers is how many requests wait for the store at a time, as behind 64 clients.
const writers = 64

// groupCommit measures what it is worth that requests share a commit: accepted messages in a store within this process,
// beside the same store with one transaction a request.
func (b *bench) groupCommit(ctx context.Context) error {
	shared, err := b.openStore(ctx, "shared", 0)
	if err != nil {
		return err
	}
	defer func() { _ = shared.close() }() // it is removed
	single, err := b.openStore(ctx, "single", 1)
	if err != nil {
		return err
	}
	defer func() { _ = single.close() }() // it is removed
	found, err := b.compare(ctx, "commit", shared, single)
	if err != nil {
		return err
	}
	b.report.put("groupcommit.per_s", found[0].perSecond())
	b.report.put("groupcommit.single_per_s", found[1].perSecond())
	b.report.put("groupcommit.ratio", median(ratios(found[0], found[1])))
	b.report.tables = append(b.report.tables, table{title: "commit: a message and its job in the store, with and without group commit",
		about: fmt.Sprintf("In one process, without HTTP; %d requests at a time; %s.", writers, b.method()),
		head:  []string{"group commit/s", "one transaction each/s", "ratio"},
		rows:  [][]string{{"=groupcommit.per_s", "=groupcommit.single_per_s", "=groupcommit.ratio"}}})
	return nil
}

// growth measures whether a store that holds very many messages takes new ones as fast as an empty one.
func (b *bench) growth(ctx context.Context) error {
	full, err := b.openStore(ctx, "grown", 0)
	if err != nil {
		return err
	}
	defer func() { _ = full.close() }() // it is removed
	const what = "growth: messages"
	b.o.Tell(what, 0, b.o.Rows)
	if err := full.fill(ctx, b.o.Rows, func(done int64) { b.o.Tell(what, done, b.o.Rows) }, full.addMessage); err != nil {
		return err
	}
	empty, err := b.openStore(ctx, "empty", 0)
	if err != nil {
		return err
	}
	defer func() { _ = empty.close() }() // it is removed
	found, err := b.compare(ctx, "growth", full, empty)
	if err != nil {
		return err
	}
	b.report.put("growth.rows", float64(b.o.Rows))
	b.report.put("growth.per_s", found[0].perSecond())
	b.report.put("growth.empty_per_s", found[1].perSecond())
	b.report.put("growth.ratio", median(ratios(found[0], found[1])))
	b.report.tables = append(b.report.tables, table{title: fmt.Sprintf("growth: the same behind %s messages", thousands(float64(b.o.Rows), 0)),
		about: fmt.Sprintf("Beside a store that was empty; %d requests at a time; %s.", writers, b.method()),
		head:  []string{"messages/s", "empty/s", "ratio"},
		rows:  [][]string{{"=growth.per_s", "=growth.empty_per_s", "=growth.ratio"}}})
	return nil
}

// openStore makes a store whose batches have so many operations at most; 0: as the product has it.
func (b *bench) openStore(ctx context.Context, name string, batch int) (*world, error) {
	w, err := b.newWorld(ctx, name, "")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(w.talk(ctx), w.close()); err != nil {
		return nil, err
	}
	o := w.options()
	o.Batch = batch
	w.db, err = store.Open(ctx, o)
	return w, err
}

// addMessage stores a message as one that has been sent long ago.
func (w *world) addMessage(tx *store.Tx, i int64) error {
	c, err := tx.Conversation(w.number.ID, w.conversations[i%int64(len(w.conversations))].ID)
	if err != nil {
		return err
	}
	return tx.AppendMessage(c, text(kabar.Read))
}

func text(s kabar.Status) *kabar.Message {
	return &kabar.Message{Direction: kabar.Outbound, Status: s, Content: &kabar.Text{Body: "Your parcel arrives today."}, At: time.Now()}
}

// accept does what a POST of a text does to the store.
func (w *world) accept(ctx context.Context, i int64) error {
	id := w.conversations[i%int64(len(w.conversations))].ID
	return w.db.Write(ctx, func(tx *store.Tx) { tx.WantConversation(id) }, func(tx *store.Tx) error {
		c, err := tx.Conversation(w.number.ID, id)
		if err != nil {
			return err
		}
		m := text(kabar.Accepted)
		if err := tx.AppendMessage(c, m); err != nil {
			return err
		}
		return tx.AddJob(&store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: "send", Message: m.ID})
	})
}

// compare measures two stores in turn. The first round warms up.
func (b *bench) compare(ctx context.Context, what string, stores ...*world) ([]*series, error) {
	found := []*series{{}, {}}
	var next atomic.Int64
	for round := -1; round < Rounds; round++ {
		b.o.Tell(what, int64(max(round, 0)), Rounds)
		for k := range stores {
			i := (k + max(round, 0)) % len(stores) // who comes first changes
			w, err := repeat(ctx, writers, b.round().span, func(ctx context.Context) error { return stores[i].accept(ctx, next.Add(1)) })
			if err != nil {
				return nil, err
			}
			if round >= 0 {
				found[i].add(w)
			}
		}
	}
	b.o.Tell(what, Rounds, Rounds)
	return found, nil
}
