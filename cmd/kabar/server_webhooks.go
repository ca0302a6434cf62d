package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"kabar"
	"kabar/internal/deliveries"
	"kabar/internal/egress"
	"kabar/internal/endpoint"
	"kabar/internal/engine"
	"kabar/internal/eventjson"
	"kabar/internal/feed"
	"kabar/internal/graph"
	"kabar/internal/natssink"
	"kabar/internal/onprem"
	"kabar/internal/store"
	"kabar/internal/webhook"
)

// openWebhooks makes what reads the event logs: what tells applications of events, in the words of all dialects, what hands them out, what
// manages where they go, and what shows what became of them.
func (s *server) openWebhooks(v1 *onprem.API, cloud *graph.API) {
	own := eventjson.New(s.db, v1.MediaID)
	words := map[kabar.Dialect]webhook.Renderer{kabar.OnPrem: v1.Render, kabar.Cloud: cloud.Render, kabar.Kabar: own.Render}
	s.feed = feed.New(feed.Options{Store: s.db, Settings: s.engine.Settings, Message: newTracer(s.db).Events, Render: words, Log: s.o.log,
		Sign: map[kabar.Dialect]func([]byte) http.Header{kabar.Cloud: cloud.Signed}})
	s.endpoints = endpoint.New(endpoint.Options{Store: s.db, Now: s.now, CheckURL: s.checkEndpoint, Prove: cloud.Prove, Customer: engine.ParseRecipient,
		Wake:  func(n kabar.NumberID) { s.dispatcher.Wake(n); s.feed.Wake(n) },
		Retry: func(n kabar.NumberID, e kabar.EndpointID) { s.dispatcher.Retry(n, e) }})
	s.dispatcher = webhook.New(webhook.Options{Store: s.db,
		Told:      func(p webhook.Post) { s.stats.Told(p.Number, p.Kind, p.Status, p.Err, p.Took) },
		ClientOf:  func(n kabar.NumberID) webhook.Client { return s.metrics.Client(s.trust.Client(n)) },
		ClientFor: s.clientFor, Sinks: s.sinks(),
		Render:   words,
		Batch:    map[kabar.Dialect]webhook.Batcher{kabar.OnPrem: v1, kabar.Cloud: cloud, kabar.Kabar: own},
		Profile:  map[kabar.Dialect]webhook.Profile{kabar.Cloud: cloudProfile(), kabar.Kabar: ownProfile()},
		Sign:     map[kabar.Dialect]webhook.Signer{kabar.Cloud: cloud.Signed},
		Settings: s.engine.Settings, Number: s.engine.Number, Suspend: s.endpoints.Suspend, Now: s.now, Log: s.o.log, Version: version()})
	s.deliveries = deliveries.New(deliveries.Options{Store: s.db, Messages: newTracer(s.db), Settings: s.engine.Settings, Render: words, Log: s.o.log})
}

// giveUpAfter is how long an endpoint may take nothing until it is suspended; its events are kept.
const giveUpAfter = 7 * 24 * time.Hour

// cloudProfile is how Meta delivers the webhooks of the Cloud API, but that nothing is given up.
func cloudProfile() webhook.Profile {
	return webhook.Profile{First: 5 * time.Second, Most: time.Hour, Jitter: 0.2, Timeout: 15 * time.Second, Suspend: giveUpAfter, Batch: 1000}
}

// ownProfile is that of Kabar's own dialect: soon again for a day, which is about a hundred failures, and hourly then.
func ownProfile() webhook.Profile {
	return webhook.Profile{First: 3 * time.Second, Most: 15 * time.Minute, Late: time.Hour, Often: 104, Jitter: 0.2, Timeout: 15 * time.Second,
		Any2xx: true, Suspend: giveUpAfter}
}

// checkEndpoint refuses URLs that nothing may be sent to.
func (s *server) checkEndpoint(address string) error {
	u, err := url.Parse(address)
	if err != nil || s.sinks()[u.Scheme] == nil {
		return s.egress.CheckURL(address)
	}
	if err := natssink.Check(address); err != nil {
		return err
	}
	judged := url.URL{Scheme: "https", Host: u.Host} // the rules for what is encrypted, and for what is not, are those of the web
	if u.Scheme == "nats" {
		judged.Scheme = "http"
	}
	return s.egress.CheckURL(judged.String())
}

// try sends an endpoint a test event, if its URL may be reached.
func (s *server) try(ctx context.Context, e *kabar.Endpoint) (*webhook.Trial, error) {
	if err := s.endpoints.Reachable(e); err != nil {
		return nil, err
	}
	return s.dispatcher.Try(ctx, e)
}

// clientFor makes the client of an endpoint with certificates of its own.
func (s *server) clientFor(n kabar.NumberID, c *kabar.EndpointConfig) (webhook.Client, error) {
	var own []tls.Certificate
	if c.Certificate != "" {
		pair, err := tls.X509KeyPair([]byte(c.Certificate), []byte(c.CertificateKey))
		if err != nil {
			return nil, fmt.Errorf("read the client certificate: %w", err)
		}
		own = append(own, pair)
	}
	return s.metrics.Client(s.trust.Client(n).WithTLS(poolOf(c.CA), own)), nil
}

// poolOf holds the authorities of a text in PEM; nil, which leaves those that are trusted anyway, if there is none.
func poolOf(text string) *x509.CertPool {
	if text == "" {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(text))
	return pool
}

// sinks open what takes events otherwise than by HTTP, by scheme: NATS JetStream, encrypted, or in clear where the operator allows the
// network.
func (s *server) sinks() map[string]func(context.Context, *kabar.EndpointConfig) (webhook.Sink, error) {
	open := func(dial egress.DialFunc) func(context.Context, *kabar.EndpointConfig) (webhook.Sink, error) {
		return func(ctx context.Context, c *kabar.EndpointConfig) (webhook.Sink, error) {
			sink, err := natssink.Open(ctx, natssink.Options{URL: c.URL, Dial: dial, RootCAs: poolOf(c.CA), Name: "Kabar"})
			if err != nil {
				return nil, err // and not a Sink that holds no sink
			}
			return sink, nil
		}
	}
	return map[string]func(context.Context, *kabar.EndpointConfig) (webhook.Sink, error){"tls": open(s.egress.DialContext), "nats": open(s.egress.DialPlainContext)}
}

// health says how the endpoints are that a group of rows is.
func (s *server) health(ctx context.Context) (func(endpoint.Group) webhook.Backlog, error) {
	all, err := s.dispatcher.Backlog(ctx)
	if err != nil {
		return nil, store.Refusal(err)
	}
	return func(g endpoint.Group) webhook.Backlog { return sum(g, all) }, nil
}

// sum adds up how far the rows of an endpoint are behind. The last answer is the newest.
func sum(g endpoint.Group, all map[kabar.EndpointID]webhook.Backlog) webhook.Backlog {
	var total webhook.Backlog
	for _, e := range g {
		b := all[e.ID]
		total.Pending += b.Pending
		total.Parked += b.Parked
		if !b.Oldest.IsZero() && (total.Oldest.IsZero() || b.Oldest.Before(total.Oldest)) {
			total.Oldest = b.Oldest
		}
		if b.LastAt.After(total.LastAt) {
			total.LastAt, total.LastStatus, total.LastError = b.LastAt, b.LastStatus, b.LastError
		}
		total.Failing = total.Failing || b.Failing
	}
	return total
}
