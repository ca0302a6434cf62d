package natssink_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"kabar/internal/natssink"
	"kabar/internal/patience"
	"kabar/internal/sink"
)

// A publisher as the product has it: one event after the other, each until it is confirmed. The server is killed in the middle, again and
// again, and everything that may have been confirmed without our hearing of it is published anew.
func TestNothingIsLostWhenTheServerIsKilled(t *testing.T) {
	server := start(t, "")
	stream := server.create("", jetstream.StreamConfig{Storage: jetstream.FileStorage})
	s := open(t, server.url("", ""))
	var confirmed, failed atomic.Int64
	complain := func(err error) {
		failed.Add(1)
		said := err.Error() // a server that has just started finds its streams one by one
		if !strings.Contains(said, "no connection to") && !strings.Contains(said, "no stream takes") || strings.Contains(said, "context canceled") {
			t.Error(said)
		}
	}
	enough, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- publishUntil(t.Context(), s, enough, &confirmed, complain)
	}()
	for range 3 {
		was := confirmed.Load()
		patience.Until(t, "some events", func() bool { return confirmed.Load() > was+50 })
		server.kill()
		was = failed.Load()
		patience.Until(t, "a failure", func() bool { return failed.Load() > was })
		server.run()
	}
	close(enough)
	if err := patience.Next(t, "all events", done); err != nil {
		t.Fatal(err)
	}
	events := int(confirmed.Load())
	for i := range min(events, 500) {
		if err := s.Publish(patience.Context(t), numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	patience.Until(t, "the operator's connection", func() bool {
		_, err := stream.Info(patience.Context(t))
		return err == nil
	})
	all := stored(t, stream)
	if len(all) != events {
		t.Errorf("%d messages of %d events", len(all), events)
	}
	for i, m := range all {
		if want := numbered(i).ID; m.Header.Get("Nats-Msg-Id") != want {
			t.Fatalf("message %d is %s", i, m.Header.Get("Nats-Msg-Id"))
		}
	}
}

func numbered(i int) sink.Event { return event(fmt.Sprintf("evt_%06d", i)) }

// publishUntil publishes events with the ids of numbered, one after the other, until there are enough.
func publishUntil(ctx context.Context, s *natssink.Sink, enough <-chan struct{}, confirmed *atomic.Int64, complain func(error)) error {
	for i := 0; ; i++ {
		select {
		case <-enough:
			return nil
		default:
		}
		if !patience.Comes(func() bool {
			err := s.Publish(ctx, numbered(i))
			if err != nil {
				complain(err)
			}
			return err == nil
		}) {
			return fmt.Errorf("event %d is never confirmed", i)
		}
		confirmed.Add(1)
	}
}

// What is published while there is no server fails at once and says why; nothing is kept to be sent by itself later.
func TestWithoutTheServer(t *testing.T) {
	server := start(t, "")
	stream := server.create("", jetstream.StreamConfig{Storage: jetstream.FileStorage})
	s := open(t, server.url("", ""))
	if err := s.Publish(patience.Context(t), event("evt_1")); err != nil {
		t.Fatal(err)
	}
	server.kill()
	var err error
	patience.Until(t, "the refused connection", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = s.Publish(ctx, event("evt_2"))
		return err != nil && ctx.Err() == nil
	})
	fails(t, err, "no connection to "+server.host)
	server.run()
	patience.Until(t, "the connection", func() bool { return s.Publish(patience.Context(t), event("evt_3")) == nil })
	patience.Until(t, "the operator's connection", func() bool {
		_, err := stream.Info(patience.Context(t))
		return err == nil
	})
	all := stored(t, stream)
	if len(all) != 2 || all[1].Header.Get("Nats-Msg-Id") != "evt_3" {
		t.Errorf("%d messages", len(all))
	}
}

// A server that no longer admits us may do so again: nobody has to open anything anew.
func TestAPasswordThatChanges(t *testing.T) {
	const mine, other = `authorization { token: "geheim" }`, `authorization { token: "geheim2" }`
	server := start(t, mine)
	server.create("geheim", jetstream.StreamConfig{Storage: jetstream.FileStorage})
	s := open(t, server.url("geheim", ""))
	change := func(from, to string) {
		server.kill()
		server.config = strings.Replace(server.config, from, to, 1)
		server.run()
	}
	change(mine, other)
	var err error
	patience.Until(t, "the refusal", func() bool {
		err = s.Publish(t.Context(), event("evt_1"))
		return err != nil && strings.Contains(err.Error(), "does not admit")
	})
	fails(t, err, "this user, password or token")
	change(other, mine)
	patience.Until(t, "the connection", func() bool { return s.Publish(t.Context(), event("evt_1")) == nil })
}
