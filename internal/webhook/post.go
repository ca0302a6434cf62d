package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Limits of a request.
const (
	timeout   = 5 * time.Second // from the beginning to the last byte of the answer
	maxAnswer = 64 << 10        // bytes of an answer that are read; what is longer costs the connection
)

// post makes one request and returns the status of the answer. The error is nil for a 200 that has arrived as a whole, as
// far as it is read: one that breaks off may come from something between us and the application.
func (s *session) post(ctx context.Context, id string, body []byte) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("not a URL") // the error would repeat it
	}
	req.Header = http.Header{
		"Content-Type":      {"application/json"},
		"User-Agent":        {"Kabar/" + s.o.Version},
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {strconv.FormatInt(time.Now().Unix(), 10)}, // the receiver's time, not that of the rules
		// Not sent; it tells net/http that the request may be repeated when a kept connection turns out to be closed.
		"Idempotency-Key": nil,
	}
	if sign := s.o.Sign[s.dialect]; sign != nil {
		maps.Copy(req.Header, sign(body))
	}
	res, err := s.o.ClientOf(s.number).Do(req, math.MaxInt64)
	if err != nil {
		return 0, err
	}
	_, err = io.CopyN(io.Discard, res.Body, maxAnswer)
	_ = res.Body.Close() // the answer has been read, or is not wanted
	switch {
	case res.StatusCode != http.StatusOK:
		return res.StatusCode, fmt.Errorf("answered %d", res.StatusCode)
	case err != nil && !errors.Is(err, io.EOF):
		return res.StatusCode, fmt.Errorf("read the answer: %w", err)
	}
	return res.StatusCode, nil
}
