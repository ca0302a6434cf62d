package ui

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	beatEvery   = 15 * time.Second
	writeWithin = 30 * time.Second // a client that takes longer to read one event has gone
)

// Stream writes server-sent events (WHATWG HTML, 9.2) as the answer to one request. It is not safe for concurrent use.
//
// The id of an event is a cursor of the sender's choice: whoever reconnects hands it back, and [LastEvent] reads it.
type Stream struct {
	w    http.ResponseWriter
	conn *http.ResponseController
}

// OpenStream sends the headers of a stream. From then on each event has 30 seconds to be written; a deadline that
// middleware has set for the whole answer is lifted.
func OpenStream(w http.ResponseWriter) (*Stream, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies must hand on each event at once
	s := &Stream{w: w, conn: http.NewResponseController(w)}
	w.WriteHeader(http.StatusOK)
	if err := s.write([]byte("retry: 1000\n\n")); err != nil {
		return nil, err
	}
	return s, nil
}

// LastEvent returns the id of the last event that the client has seen, or nothing. A browser that reconnects by itself
// says so in a header; the script, which opens a new stream when its page is shown again, in the query.
func LastEvent(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return r.URL.Query().Get("last")
}

// Send sends one event. An empty id leaves the client's cursor where it is.
func (s *Stream) Send(id string, data []byte) error {
	var b bytes.Buffer
	if id != "" {
		b.WriteString("id: " + strings.NewReplacer("\n", "", "\r", "", "\x00", "").Replace(id) + "\n")
	}
	for line := range bytes.Lines(normalBreaks(data)) {
		b.WriteString("data: ")
		b.Write(bytes.TrimSuffix(line, []byte("\n")))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return s.write(b.Bytes())
}

// normalBreaks turns every line break into a line feed: a bare carriage return would end the line of a field, too.
func normalBreaks(data []byte) []byte {
	if !bytes.ContainsRune(data, '\r') {
		return data
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
}

func (s *Stream) beat() error { return s.write([]byte(": beat\n\n")) }

func (s *Stream) write(b []byte) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeWithin)) // test recorders have none
	defer func() { _ = s.conn.SetWriteDeadline(time.Time{}) }()
	if _, err := s.w.Write(b); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	if err := s.conn.Flush(); err != nil {
		return fmt.Errorf("flush event: %w", err)
	}
	return nil
}

const maxGather = 256 // changes handed on at once

// Follow hands what arrives from changes to each, together with what has already queued up behind it, and sends a
// heart-beat every 15 seconds. It returns nil when ctx or the server ends (see Closing) or changes is closed, else the first
// error of each or of the connection. A server that shuts down must say so: http.Server.Shutdown alone waits for streams.
func Follow[T any](ctx context.Context, s *Stream, changes <-chan T, each func([]T) error) error {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	closing, _ := ctx.Value(closingKey{}).(<-chan struct{})
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-closing:
			return nil
		case <-ticker.C:
			err = s.beat()
		case change, ok := <-changes:
			if !ok {
				return nil
			}
			err = each(gather([]T{change}, changes))
		}
		if err != nil {
			return err
		}
	}
}

type closingKey struct{}

// Closing returns a context for the requests of a server that is closing when done is: Follow then ends at once, while other
// requests go on as long as the context lets them.
func Closing(ctx context.Context, done <-chan struct{}) context.Context {
	return context.WithValue(ctx, closingKey{}, done)
}

// gather appends what is ready in changes without waiting.
func gather[T any](batch []T, changes <-chan T) []T {
	for len(batch) < maxGather {
		select {
		case change, ok := <-changes:
			if !ok {
				return batch
			}
			batch = append(batch, change)
		default:
			return batch
		}
	}
	return batch
}
