package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// flights are the messages that are on their way: posted, and not yet told of by all three webhooks. It is safe for
// concurrent use.
type flights struct {
	cancel context.CancelCauseFunc // called when a message fails
	room   chan struct{}           // one for each message that may be under way

	mu       sync.Mutex
	by       map[string]*flight
	incoming int // messages of customers
	done     int64
	times    []time.Duration // of those that have come through since the last reset
}

// flight is one message. Its first webhook may come before the answer to its POST.
type flight struct {
	began time.Time // zero until the answer has come
	told  int       // bits of the statuses that have been told
}

// The webhooks that a message has.
const (
	toldSent = 1 << iota
	toldDelivered
	toldRead
	toldAll = toldSent | toldDelivered | toldRead
)

func newFlights(cancel context.CancelCauseFunc, inflight int) *flights {
	return &flights{cancel: cancel, room: make(chan struct{}, inflight), by: map[string]*flight{}}
}

// taken takes note of the body of a webhook request.
func (f *flights) taken(body []byte) {
	var hook struct {
		Messages []struct{}
		Statuses []struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		} `json:"statuses"`
	}
	if bytes.HasPrefix(body, []byte(`{"contacts"`)) {
		f.mu.Lock()
		f.incoming++
		f.mu.Unlock()
		return
	}
	if err := json.Unmarshal(body, &hook); err != nil {
		f.cancel(fmt.Errorf("a webhook that is not JSON: %w", err))
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range hook.Statuses {
		bit := map[string]int{"sent": toldSent, "delivered": toldDelivered, "read": toldRead}[s.Status]
		if bit == 0 {
			f.cancel(fmt.Errorf("message %s: status %s: %s", s.ID, s.Status, body))
			return
		}
		fl := f.of(s.ID)
		fl.told |= bit
		f.land(s.ID, fl)
	}
}

// posted takes note of a message whose POST began at a time and has been answered.
func (f *flights) posted(id string, began time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl := f.of(id)
	fl.began = began
	f.land(id, fl)
}

func (f *flights) of(id string) *flight {
	fl := f.by[id]
	if fl == nil {
		fl = &flight{}
		f.by[id] = fl
	}
	return fl
}

// land ends a flight of which everything has been told, and makes room for another.
func (f *flights) land(id string, fl *flight) {
	if fl.told != toldAll || fl.began.IsZero() {
		return
	}
	delete(f.by, id)
	f.done++
	f.times = append(f.times, time.Since(fl.began))
	<-f.room
}

// reset begins to count anew.
func (f *flights) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done, f.times = 0, nil
}

func (f *flights) counts() (done int64, times []time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done, f.times
}

func (f *flights) under() (open, incoming int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.by), f.incoming
}

// send posts messages to a target, as many as may be under way, until stop is closed. Callers begin at different requests.
func (f *flights) send(ctx context.Context, t *target, first, step int, stop <-chan struct{}) error {
	c, err := dial(ctx, t.addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = c.conn.Close() })() // ends what it waits for
	defer func() { _ = c.conn.Close() }()                         // nobody waits any more
	for n := first; ; n += step {
		select {
		case f.room <- struct{}{}:
		case <-stop:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		began := time.Now()
		if err := c.do(t.requests[n%len(t.requests)]); err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		id, err := messageID(c.body)
		if err != nil {
			return err
		}
		f.posted(id, began)
	}
}

// messageID finds the id in the answer to a POST.
func messageID(answer []byte) (string, error) {
	_, rest, found := bytes.Cut(answer, []byte(`"id":"`))
	id, _, closed := bytes.Cut(rest, []byte(`"`))
	if !found || !closed {
		return "", fmt.Errorf("there is no id in %s", answer)
	}
	return string(id), nil
}
