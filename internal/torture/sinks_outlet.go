//go:build unix

package main

import (
	"context"
	"net/http"
	"time"

	"kabar/internal/torture/history"
	"kabar/internal/torture/recorders"
)

// outlet is a sink, and the endpoint that leads to it.
type outlet struct {
	c    *cluster
	name string
	path string // in the endpoint's URL
	bad  bool   // the sink misbehaves

	addr, tlsAddr string
	sink          *process

	mood recorders.Mood
	next time.Time                                   // when it changes
	url  string                                      // that the server knows
	aim  func(ctx context.Context, url string) error // has the server tell the events there
}

// newOutlet describes a sink; nothing runs yet.
func newOutlet(ctx context.Context, c *cluster, name, path string, bad bool) (*outlet, error) {
	o := &outlet{c: c, name: name, path: path, bad: bad, mood: recorders.Good}
	var err error
	for _, addr := range []*string{&o.addr, &o.tlsAddr} {
		if *addr, err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	o.sink = c.recorder(name, answersTCP(o.addr), "moody", "--name", name, "--addr", o.addr, "--tls-addr", o.tlsAddr)
	return o, nil
}

// goesTo is the URL that a sink of its mood is told at.
func (o *outlet) goesTo() string {
	switch o.mood {
	case recorders.Expired:
		return "https://" + o.tlsAddr + o.path
	case recorders.Nameless:
		return "http://nobody.onion:8080" + o.path // of which no name server is asked (RFC 7686)
	default:
		return "http://" + o.addr + o.path
	}
}

// point has the server tell the events to where the sink's mood says.
func (o *outlet) point(ctx context.Context) error {
	url := o.goesTo()
	if url == o.url {
		return nil
	}
	if err := o.aim(ctx, url); err != nil {
		return err
	}
	o.url = url
	return nil
}

// change sets the mood of the sink, and the URL with it.
func (o *outlet) change(ctx context.Context, mood recorders.Mood) error {
	o.mood = mood
	if err := o.sink.command("%s", mood); err != nil {
		return err
	}
	if err := o.point(ctx); err != nil {
		return err
	}
	return o.c.rec.Write(history.Record{Op: history.Started, Process: o.name, Detail: string(mood)})
}

// openWide opens an endpoint of all numbers that the account has, and will have, in the dialect kabar: each of their logs is told in an order
// of its own, and the others' endpoints must not notice how its sink fares.
func openWide(ctx context.Context, c *cluster, name string) (*outlet, error) {
	o, err := newOutlet(ctx, c, name, recorders.FlatPath, true)
	if err != nil {
		return nil, err
	}
	key, err := c.addKey(ctx, "webhooks")
	if err != nil {
		return nil, err
	}
	if err := o.sink.start(ctx); err != nil {
		return nil, err
	}
	var endpoint string
	o.aim = func(ctx context.Context, url string) (err error) {
		if endpoint == "" {
			endpoint, err = c.addEndpoint(ctx, key, `{"url":"`+url+`","dialect":"kabar"}`)
			return err
		}
		_, err = call(ctx, http.MethodPatch, endpoint, key, `{"url":"`+url+`"}`)
		return err
	}
	if err := o.point(ctx); err != nil {
		return nil, err
	}
	return o, c.rec.Write(history.Record{Op: history.Opened, Endpoint: recorders.Flat})
}
