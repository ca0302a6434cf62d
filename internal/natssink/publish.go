package natssink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"kabar/internal/sink"
)

var errBroken = errors.New("it broke before the stream had confirmed")

// Publish sends one event and returns when the stream has confirmed that it keeps it, or has it already. It waits 15 seconds at most. After
// an error nobody knows whether the stream has the event: the same id has to be published again.
func (s *Sink) Publish(ctx context.Context, e sink.Event) error {
	subject := s.at.prefix + "." + e.Topic
	if !isSubject(subject) || e.ID == "" {
		return fmt.Errorf("nats: %q is no subject, or %q no id", subject, e.ID)
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	line := s.line.Load()
	defer context.AfterFunc(line, cancel)()
	m := &nats.Msg{Subject: subject, Header: headerOf(e), Data: e.Body}
	if _, err := s.stream.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0)); err != nil {
		if errors.Is(err, context.Canceled) && line.Err() != nil {
			err = errBroken
		}
		return s.whyNotPublished(subject, len(e.Body), err)
	}
	return nil
}

// headerOf returns the headers of a webhook as those of a message.
func headerOf(e sink.Event) nats.Header {
	h := nats.Header{jetstream.MsgIDHeader: {e.ID}}
	for name, values := range e.Header {
		if len(values) > 0 { // net/http has names without a value, which tell its client something
			h[strings.ToLower(name)] = values
		}
	}
	return h
}

// whyNotPublished says in a sentence what has gone wrong, and where it can be mended.
func (s *Sink) whyNotPublished(subject string, size int, err error) error {
	var refused *jetstream.APIError
	switch {
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		return fmt.Errorf("nats: no stream takes the subject %s, or JetStream is not enabled: %w", subject, err)
	case errors.As(err, &refused):
		return fmt.Errorf("nats: the stream does not take it: %s", refused.Description)
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("nats: the event has %d bytes and its headers, the server takes %d in all: %w", size, s.conn.MaxPayload(), err)
	case s.conn.IsClosed(), errors.Is(err, nats.ErrConnectionClosed): // before errBroken: Close ends the line too
		return fmt.Errorf("nats: closed: %w", err)
	case !s.conn.IsConnected():
		return s.whyNotConnected(cmp.Or(s.conn.LastError(), err))
	case errors.Is(err, errBroken): // and there is another one by now
		return s.whyNotConnected(err)
	case errors.Is(err, context.DeadlineExceeded):
		if last := s.conn.LastError(); errors.Is(last, nats.ErrPermissionViolation) {
			return fmt.Errorf("nats: the user may not publish to %s, or not hear the answer (_INBOX.>): %w", subject, last)
		}
		return fmt.Errorf("nats: no stream has confirmed %s in time: %w", subject, err)
	default:
		return fmt.Errorf("nats: publish to %s: %w", subject, err)
	}
}
