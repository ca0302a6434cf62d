//go:build unix

// Package recorders are the programs around the product in a crash test: clients of its API, people who use its customers'
// phones, the sink of its webhooks, and the wire between everybody and the relay. Each puts the product under load and
// records what it saw, and each may be killed and started again: it goes on where its history ends.
//
// They know the product from outside: HTTP, and the frames and clear headers that docs/encryption.md describes.
package recorders

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"time"
)

// hash is how a history names bytes.
func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// caller makes requests of one program. What takes longer than patience has got no answer.
type caller struct{ http *http.Client }

const patience = 10 * time.Second

func newCaller() *caller { return &caller{&http.Client{Timeout: patience}} }

// do returns the answer's status and body; 0 when no whole answer came.
func (c *caller) do(ctx context.Context, method, url string, body []byte, header map[string]string) (int, []byte, http.Header) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, nil, nil
	}
	defer func() { _ = res.Body.Close() }() // it has been read, or has broken off
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, nil
	}
	return res.StatusCode, answer, res.Header
}

// pause waits, or returns false when ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
