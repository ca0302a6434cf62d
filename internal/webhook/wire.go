package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"kabar"
	"kabar/internal/signature"
)

// wire is how a session's requests leave: what is opened for them is opened by the first that needs it, and kept.
type wire struct {
	outline *http.Request // what all requests have in common; nil with err
	err     error

	mu     sync.Mutex
	client Client // with certificates of the endpoint's own
	sink   Sink

	// Of the session's goroutine.
	signer *signature.Signer
	until  time.Time // a secret ends then; zero: none does
}

// newWire prepares what all requests to a target have in common. Nothing of it is changed any more.
func newWire(to *target, version string) wire {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, to.URL, http.NoBody)
	if err != nil {
		return wire{err: errors.New("not a URL")} // the error would repeat it
	}
	h := req.Header
	for name, value := range to.Headers {
		h.Set(name, value)
	}
	h["Content-Type"] = []string{"application/json"}
	h["User-Agent"] = []string{"Kabar/" + version}
	if to.replay != nil {
		h["Kabar-Replay"] = []string{"true"}
	}
	return wire{outline: req}
}

// request is one with a body.
func (w *wire) request(ctx context.Context, h http.Header, body []byte) *http.Request {
	req := w.outline.WithContext(ctx)
	req.Header, req.ContentLength = h, int64(len(body))
	req.Header["Idempotency-Key"] = nil // not sent; it tells net/http that the request may be repeated when a kept connection turns out to be closed
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body = io.NopCloser(bytes.NewReader(body))
	return req
}

// outlet opens the sink that an endpoint's events go to; nil when they go by HTTP.
func (s *session) outlet() func(context.Context, *kabar.EndpointConfig) (Sink, error) {
	if s.wire.outline == nil {
		return nil
	}
	return s.o.Sinks[s.wire.outline.URL.Scheme]
}

// way returns what a request with an outline goes through: one of the two is not nil.
func (s *session) way(ctx context.Context) (Client, Sink, error) {
	c := &s.to.EndpointConfig
	open := s.outlet()
	if open == nil && c.Certificate == "" && c.CA == "" {
		return s.o.ClientOf(s.number), nil, nil
	}
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	switch {
	case open != nil && s.wire.sink == nil:
		sink, err := open(ctx, c)
		if err != nil {
			return nil, nil, fmt.Errorf("open the way to the endpoint: %w", err)
		}
		s.wire.sink = sink
	case open == nil && s.wire.client == nil:
		client, err := s.o.ClientFor(s.number, c)
		if err != nil {
			return nil, nil, fmt.Errorf("open the way to the endpoint: %w", err)
		}
		s.wire.client = client
	}
	return s.wire.client, s.wire.sink, nil
}

// close lets go of what was opened. No request is under way.
func (s *session) close() {
	if s.wire.sink != nil {
		if err := s.wire.sink.Close(); err != nil {
			s.log.Debug("close a sink", "err", err)
		}
	}
}

// sign returns what signs a request that begins now; nil for an endpoint without a secret.
func (s *session) sign() *signature.Signer {
	now := s.o.Now()
	if s.wire.signer != nil && (s.wire.until.IsZero() || now.Before(s.wire.until)) {
		return s.wire.signer
	}
	s.wire.until = time.Time{}
	for _, secret := range s.to.Secrets {
		if now.Before(secret.Until) && (s.wire.until.IsZero() || secret.Until.Before(s.wire.until)) {
			s.wire.until = secret.Until
		}
	}
	signer, err := signature.NewSigner(s.to.Signing(now))
	if err != nil && len(s.to.Secrets) > 0 {
		s.log.Error("a secret of a webhook endpoint is no good", "err", err)
	}
	s.wire.signer = signer
	return signer
}

// errGone says that the application wants no more events.
var errGone = errors.New("answered 410")
