//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kabar/internal/torture/history"
	"kabar/internal/torture/recorders"
)

// second is an endpoint that the number has beside that of the /v1 settings, in the dialect kabar, and the hand that has it told again.
type second struct {
	rec *history.Recorder
	key string // for endpoints
	url string // of the endpoint, in the management API
}

// openSecond makes the endpoint, before anything has happened to the number: it is told of all.
func openSecond(ctx context.Context, c *cluster) (*second, error) {
	key, err := c.addKey(ctx, "webhooks")
	if err != nil {
		return nil, err
	}
	url, err := c.addEndpoint(ctx, key, `{"url":"http://`+c.sinkAddr+recorders.FlatPath+`","dialect":"kabar","number":"`+business+`"}`)
	if err != nil {
		return nil, err
	}
	s := &second{key: key, url: url}
	if s.rec, err = history.Open(c.path("history"), "second"); err != nil {
		return nil, err
	}
	return s, s.rec.Write(history.Record{Op: history.Opened, Endpoint: recorders.Flat})
}

// addEndpoint makes an endpoint, and returns its own URL in the management API.
func (c *cluster) addEndpoint(ctx context.Context, key, body string) (string, error) {
	endpoints := "http://" + c.api + "/kabar/v1/endpoints"
	answer, err := call(ctx, http.MethodPost, endpoints, key, body)
	if err != nil {
		return "", err
	}
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &made); err != nil || made.ID == "" {
		return "", fmt.Errorf("there is no endpoint in %q: %w", answer, err)
	}
	return endpoints + "/" + made.ID, nil
}

// again has the endpoint told again of what has happened since a time. While nobody answers it asks for the same again.
func (s *second) again(ctx context.Context, since time.Time) error {
	asked := history.Record{Op: history.Again, Endpoint: recorders.Flat, Since: since.UnixNano()}
	body := `{"since":"` + since.UTC().Format(time.RFC3339Nano) + `"}`
	for begun := time.Now(); ; {
		if err := s.rec.Write(asked); err != nil {
			return err
		}
		agreed := history.Record{Op: history.Agreed, Endpoint: recorders.Flat, Since: asked.Since, HTTP: http.StatusAccepted}
		_, err := call(ctx, http.MethodPost, s.url+"/replay", s.key, body)
		if err != nil {
			agreed.HTTP, agreed.Detail = 0, err.Error()
		}
		if e := s.rec.Write(agreed); e != nil || err == nil {
			return e
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if time.Since(begun) > readyWithin {
			return fmt.Errorf("nobody takes a request to tell again: %w", err)
		}
	}
}

// whileToldAgain asks in some of the rounds that something be told again, and in those that kill where a replay is: the last two seconds or
// so, or what is so recent that it is still being told for the first time. It asks until it is answered.
func (r *rounds) whileToldAgain(ctx context.Context, p point, round func() error) error {
	past := time.Duration(r.chance.IntN(2500)) * time.Millisecond
	if r.chance.IntN(2) == 0 {
		past /= 20
	}
	since := time.Now().Add(-past)
	if chance := r.chance.IntN(4); chance > 0 && !strings.HasPrefix(p.name, "replay-") {
		return round()
	}
	answered := make(chan error, 1)
	go func() { answered <- r.second.again(ctx, since) }()
	return errors.Join(round(), <-answered)
}
