package metrics

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"kabar/internal/egress"
	"kabar/internal/webhook"
)

// Client counts the requests of the webhooks' client.
func (m *Metrics) Client(next webhook.Client) webhook.Client { return &client{m, next} }

type client struct {
	m    *Metrics
	next webhook.Client
}

// Do implements webhook.Client.
func (c *client) Do(req *http.Request, maxBytes int64) (*http.Response, error) {
	start := time.Now()
	res, err := c.next.Do(req, maxBytes)
	if errors.Is(err, context.Canceled) {
		return res, err // the server stops: it says nothing of the application
	}
	c.m.postTime.Observe(time.Since(start).Seconds())
	c.m.posts.WithLabelValues(result(res, err)).Inc()
	return res, err
}

// result names what has become of a request. Of the 2xx, 200 alone is taken by every dialect.
func result(res *http.Response, err error) string {
	switch {
	case err != nil:
		return failure(err)
	case res.StatusCode == http.StatusOK:
		return "ok"
	}
	return class(res.StatusCode)
}

// failure names why there is no answer.
func failure(err error) string {
	if _, refused := errors.AsType[*egress.Refused](err); refused {
		return "refused"
	}
	late, ok := errors.AsType[net.Error](err)
	if errors.Is(err, context.DeadlineExceeded) || ok && late.Timeout() {
		return "timeout"
	}
	return "error"
}
