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
	var refused *egress.Refused
	var late net.Error
	switch {
	case err == nil && res.StatusCode == http.StatusOK:
		return "ok"
	case err == nil:
		return class(res.StatusCode)
	case errors.As(err, &refused):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return "timeout"
	}
	return "error"
}
