package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"

	"kabar"
	"kabar/internal/sink"
	"kabar/internal/store"
)

// Limits of a request.
const (
	timeout   = 5 * time.Second // from the beginning to the last byte of the answer
	maxAnswer = 64 << 10        // bytes of an answer that are read; what is longer costs the connection
	keptBody  = 4 << 10         // bytes of an answer that are kept when the attempt has failed
	maxQuiet  = time.Hour       // that an answer can ask for with Retry-After
)

// answer is what a request was answered.
type answer struct {
	status int // 0 for none
	err    error
	header http.Header   // when it has failed
	body   []byte        // as well, its beginning
	quiet  time.Duration // that the application asks for
}

// request is what a request consists of.
type request struct {
	id   string
	body []byte
	of   []*item
	j    *job

	trial bool // nobody has caused the event
}

// post makes one request. The answer's err is nil for a success that has arrived as a whole, as far as it is read: one that breaks
// off may come from something between us and the application.
func (s *session) post(ctx context.Context, r *request) answer {
	ctx, cancel := context.WithTimeout(ctx, s.patience())
	defer cancel()
	header, err := s.header(r)
	if err != nil {
		return answer{err: err}
	}
	client, queue, err := s.way(ctx)
	switch {
	case err != nil:
		return answer{err: err}
	case queue != nil:
		return s.enqueue(ctx, queue, r, header)
	}
	res, err := client.Do(s.wire.request(ctx, header, r.body), math.MaxInt64)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = res.Body.Close() }() // the answer has been read, or is not wanted
	return s.judge(res)
}

// header is that of a request, whatever it goes through.
func (s *session) header(r *request) (http.Header, error) {
	if s.wire.err != nil {
		return nil, s.wire.err
	}
	now := time.Now() // the receiver's time, not that of the rules
	h := maps.Clone(s.wire.outline.Header)
	own := [...]string{r.id, strconv.FormatInt(now.Unix(), 10), ""}
	h["Webhook-Id"], h["Webhook-Timestamp"] = own[0:1:1], own[1:2:2]
	if r.j.signer != nil {
		var err error
		if own[2], err = r.j.signer.Sign(r.id, now, r.body); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		h["Webhook-Signature"] = own[2:3:3]
	}
	if r.trial {
		h["Kabar-Test"] = []string{"true"}
	}
	if sign := s.o.Sign[s.dialect]; sign != nil {
		maps.Copy(h, sign(r.body))
	}
	return h, nil
}

// judge says what an answer means. Its body is read, as far as it is wanted, and not closed.
func (s *session) judge(res *http.Response) answer {
	a := answer{status: res.StatusCode}
	if !s.profile.takes(a.status) {
		a.header = res.Header
		a.body, _ = io.ReadAll(io.LimitReader(res.Body, keptBody))          // as much as has come
		_, _ = io.CopyN(io.Discard, res.Body, maxAnswer-int64(len(a.body))) // for the connection's sake
		a.err, a.quiet = fmt.Errorf("answered %d", a.status), s.asked(res)
		if a.status == http.StatusGone {
			a.err = errGone
		}
		return a
	}
	if res.ContentLength == 0 {
		return a // there is nothing to read
	}
	if _, err := io.CopyN(io.Discard, res.Body, maxAnswer); err != nil && !errors.Is(err, io.EOF) {
		a.err = fmt.Errorf("read the answer: %w", err)
	}
	return a
}

// asked is how long the application asks to be left alone: 429 and 503 may say so, in seconds or as a date.
func (s *session) asked(res *http.Response) time.Duration {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	value := res.Header.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = time.Until(at) // real time, as the application has it
	}
	return min(max(wait, 0), maxQuiet)
}

// enqueue hands a request to a sink.
func (s *session) enqueue(ctx context.Context, queue Sink, r *request, h http.Header) answer {
	n, err := s.o.Number(s.number)
	if err != nil {
		return answer{err: err}
	}
	kind, err := s.typeOf(ctx, r.of[0])
	if err != nil {
		return answer{err: err}
	}
	customer := strconv.FormatUint(s.o.Store.Ref(kabar.MessageID(r.of[0].conversation)), 36) // tells nothing of who it is
	return answer{err: queue.Publish(ctx, sink.Event{ID: r.id, Topic: n.Digits + "." + kind, Key: customer, Header: h, Body: r.body})}
}

// typeOf returns the type of an event, which is read for that when its bytes come from an earlier attempt.
func (s *session) typeOf(ctx context.Context, it *item) (string, error) {
	if it.typ != "" {
		return it.typ, nil
	}
	ev, err := s.o.Store.Event(ctx, s.number, it.seq)
	if store.IsNotFound(err) { // retention or an erasing has been here
		return string(it.kind), nil
	}
	if err != nil {
		return "", fmt.Errorf("read the type of an event: %w", err)
	}
	return string(ev.Type()), nil
}
