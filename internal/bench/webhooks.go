package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"kabar"
)

// shape is how the events of a round travel, and what is found of them.
type shape struct {
	*endpoint
	prefix, title string // of its figures, of its row
	dialect       kabar.Dialect
	samples       *samples
	left          int64 // events that have not been delivered
	product, bare series
}

func shapes() []*shape {
	return []*shape{
		{prefix: "webhooks.", title: "1", dialect: kabar.OnPrem, endpoint: &endpoint{batch: 1}},
		{prefix: "webhooks.batched_", title: fmt.Sprint("up to ", batchSize), dialect: kabar.OnPrem, endpoint: &endpoint{batch: batchSize}},
		{prefix: "webhooks.cloud_", title: "up to 1,000, Cloud API", dialect: kabar.Cloud, endpoint: &endpoint{}},
	}
}

// webhooks measures the delivery of events that wait in the store to one application, beside a plain client that posts the
// same bytes to it; then that of events as they are caused, one a request.
func (b *bench) webhooks(ctx context.Context) (err error) {
	var kept atomic.Pointer[samples]
	kept.Store(new(samples))
	sink, err := openSink(ctx, func(body []byte) { kept.Load().taken(body) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.close()) }()
	d := &drain{b: b, sink: sink, kept: &kept, when: b.round(), shapes: shapes()}
	w, err := b.newWorld(ctx, "webhooks", "")
	if err != nil {
		return err
	}
	fresh, err := d.seed(ctx, w)
	if err := errors.Join(err, w.close()); err != nil {
		return err
	}
	if d.server, err = b.serve(ctx, w, nowhere); err != nil {
		return err
	}
	if err := d.rounds(ctx); err != nil {
		return err
	}
	b.reportWebhooks(d.shapes, d.when.span)
	return b.published(ctx, d.server, sink, fresh)
}

// seed gives the number its events, an endpoint for each shape, and one that is told of nothing older than itself.
func (d *drain) seed(ctx context.Context, w *world) (fresh *endpoint, err error) {
	events := d.b.webhookEvents()
	if err := errors.Join(w.talk(ctx), d.b.fillEvents(ctx, w, events, "webhooks: events")); err != nil {
		return nil, err
	}
	for _, s := range d.shapes {
		if s.endpoint, err = w.addEndpoint(ctx, s.dialect, s.batch, d.sink.url(), 0); err != nil {
			return nil, err
		}
		s.left, s.samples = events, new(samples)
	}
	return w.addEndpoint(ctx, kabar.OnPrem, 1, d.sink.url(), events)
}

// webhookEvents is how many events are filled in: more than are delivered within the rounds on an ordinary machine. A fast one has
// shorter rounds.
func (b *bench) webhookEvents() int64 {
	const perSecond, least = 60_000, 20_000
	return max(int64(b.o.Time.Seconds()*perSecond), least)
}

func (b *bench) fillEvents(ctx context.Context, w *world, n int64, what string) error {
	b.o.Tell(what, 0, n)
	return w.fill(ctx, n, func(done int64) { b.o.Tell(what, done, n) }, w.addEvent)
}

// samples keeps the first bodies that an application has been posted, of a round that warms up.
type samples struct {
	mu     sync.Mutex
	bodies [][]byte
	bytes  int
}

// Bounds of samples.
const (
	sampleCount = 1000
	sampleBytes = 16 << 20
)

func (s *samples) taken(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bodies) < sampleCount && s.bytes < sampleBytes {
		s.bodies = append(s.bodies, bytes.Clone(body))
		s.bytes += len(body)
	}
}

// write puts the samples into a file, one a line.
func (s *samples) write(file string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return os.WriteFile(file, bytes.Join(s.bodies, []byte("\n")), 0o600)
}

// drain measures rounds of delivery.
type drain struct {
	b      *bench
	sink   *sink
	kept   *atomic.Pointer[samples] // where the sink keeps bodies
	server *server
	when   timing
	shapes []*shape
}

// fit shortens the rounds to come if there are too few events of a shape for them; used is what one took that was not shortened.
func (d *drain) fit(left, used int64) {
	const reserve = 0.4 // later rounds deliver more than the first, and the least that one takes is not shortened
	if share := reserve * float64(left) / float64(used*Rounds); share < 1 {
		d.when.span = min(d.when.span, time.Duration(share*float64(d.b.round().span)))
	}
}

// rounds measures each shape and its ceiling in turn. The first round warms up, and gives the ceilings their bodies.
func (d *drain) rounds(ctx context.Context) error {
	for _, s := range d.shapes {
		d.kept.Store(s.samples)
		before := s.left
		if _, err := d.deliver(ctx, s); err != nil {
			return err
		}
		if err := s.samples.write(d.file(s)); err != nil {
			return err
		}
		d.fit(s.left, before-s.left)
	}
	for round := range Rounds {
		d.b.o.Tell("webhooks", int64(round), Rounds)
		for _, s := range d.shapes {
			before := s.left
			if err := d.pair(ctx, s); err != nil {
				return err
			}
			if s.left < 2*(before-s.left) && round < Rounds-1 {
				d.b.report.note("webhooks: this machine is fast: the events ran out after %d of %d rounds.", round+1, Rounds)
				return nil
			}
		}
	}
	d.b.o.Tell("webhooks", Rounds, Rounds)
	return nil
}

func (d *drain) file(s *shape) string { return filepath.Join(d.b.dir, s.prefix+"bodies") }

// pair measures a round of a shape, and one of its ceiling next to it.
func (d *drain) pair(ctx context.Context, s *shape) error {
	w, err := d.deliver(ctx, s)
	if err != nil {
		return err
	}
	s.product.add(w)
	if w, err = d.bare(ctx, d.file(s)); err != nil {
		return err
	}
	s.bare.add(w)
	return nil
}

// deliver has the server deliver for a round: the endpoint is active as long as it lasts.
func (d *drain) deliver(ctx context.Context, s *shape) (window, error) {
	before := d.sink.events.Load()
	if err := d.b.become(ctx, d.server, s.endpoint, kabar.EndpointActive); err != nil {
		return window{}, err
	}
	w, err := d.count(ctx, d.server.process)
	if err != nil {
		return w, err
	}
	if err := d.b.become(ctx, d.server, s.endpoint, kabar.EndpointPaused); err != nil {
		return w, err
	}
	err = d.quiet(ctx)
	s.left -= d.sink.events.Load() - before
	return w, err
}

// bare has the plain client post for a round.
func (d *drain) bare(ctx context.Context, file string) (window, error) {
	p, err := d.b.start(ctx, "bench-part", "bench-part", "post", d.sink.url(), file, "--concurrency", strconv.Itoa(concurrency))
	if err != nil {
		return window{}, err
	}
	w, err := d.count(ctx, p)
	return w, errors.Join(err, p.close(), d.quiet(ctx))
}

// count waits for the first events of a process and its lead, and counts for the span, or until one more has come.
func (d *drain) count(ctx context.Context, p *process) (window, error) {
	if err := d.more(ctx, p, d.sink.events.Load()); err != nil {
		return window{}, err
	}
	wait(ctx, d.when.lead)
	cpu, began, from := p.cpu(), time.Now(), d.sink.events.Load()
	wait(ctx, d.when.span)
	if err := d.more(ctx, p, from); err != nil {
		return window{}, err
	}
	return window{count: d.sink.events.Load() - from, took: time.Since(began), cpu: p.cpu() - cpu}, nil
}

// more waits until more events have come than before.
func (d *drain) more(ctx context.Context, p *process, before int64) error {
	err := d.b.until(ctx, startTime, "a webhook", func() error {
		if d.sink.events.Load() == before {
			return fmt.Errorf("none has come after the first %d", before)
		}
		return nil
	})
	if err != nil {
		err = p.failed(err)
	}
	return err
}

// quiet waits until nothing more comes.
func (d *drain) quiet(ctx context.Context) error {
	const still = 100 * time.Millisecond
	return d.b.until(ctx, startTime, "the end of a round", func() error {
		before := d.sink.events.Load()
		if wait(ctx, still); d.sink.events.Load() != before {
			return errors.New("webhooks still come")
		}
		return nil
	})
}

func (b *bench) reportWebhooks(shapes []*shape, span time.Duration) {
	t := table{title: "webhooks: events that wait in the store, delivered to one application",
		about: fmt.Sprintf("Signed and logged, beside a bare net/http client that posts the same bytes; %d requests in flight; %s.", concurrency, roundsOf(span)),
		head:  []string{"events a request", "events/s", "ceiling/s", "ratio", "CPU us/event", "ceiling's"}}
	for _, s := range shapes {
		b.report.put(s.prefix+"per_s", s.product.perSecond())
		b.report.put(s.prefix+"cpu_us", s.product.cpuMicros())
		b.report.put(s.prefix+"ceiling_per_s", s.bare.perSecond())
		b.report.put(s.prefix+"ratio", median(ratios(&s.product, &s.bare)))
		b.report.put(s.prefix+"ceiling_cpu_us", s.bare.cpuMicros())
		t.add(s.title, s.prefix, "per_s", "ceiling_per_s", "ratio", "cpu_us", "ceiling_cpu_us")
	}
	b.report.tables = append(b.report.tables, t)
}
