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
	"time"
)

// webhooks measures the delivery of events that wait in the store to one application, beside a plain client that posts the
// same bytes to it.
func (b *bench) webhooks(ctx context.Context) (err error) {
	samples := &samples{}
	sink, err := openSink(ctx, samples.taken)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.close()) }()
	w, err := b.newWorld(ctx, "webhooks", "")
	if err != nil {
		return err
	}
	if err := errors.Join(w.talk(ctx), b.fillEvents(ctx, w, b.webhookEvents(), "webhooks: events"), w.close()); err != nil {
		return err
	}
	s, err := b.serve(ctx, w, nowhere)
	if err != nil {
		return err
	}
	d := &drain{b: b, sink: sink, server: s, when: b.round(), left: b.webhookEvents()}
	kinds := []int{1}
	if b.canBatch(ctx, s) {
		kinds = append(kinds, batchSize)
	} else {
		b.report.note("webhooks: this version puts one event into a request; up to %d were not measured.", batchSize)
	}
	ceiling, found, err := d.rounds(ctx, kinds, samples)
	if err != nil {
		return err
	}
	b.reportWebhooks(kinds, d.when.span, found, ceiling)
	return nil
}

// webhookEvents is how many events are filled in: more than are delivered within the rounds on an ordinary machine. A fast one has
// shorter rounds.
func (b *bench) webhookEvents() int64 {
	const perSecond, least = 45_000, 20_000
	return max(int64(b.o.Time.Seconds()*perSecond), least)
}

func (b *bench) fillEvents(ctx context.Context, w *world, n int64, what string) error {
	b.o.Tell(what, 0, n)
	return w.fill(ctx, n, func(done int64) { b.o.Tell(what, done, n) }, w.addEvent)
}

// samples keeps the first bodies with one event that an application has been posted.
type samples struct {
	mu     sync.Mutex
	bodies [][]byte
}

const sampleCount = 1000

func (s *samples) taken(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bodies) < sampleCount && bytes.Count(body, eventMark) == 1 {
		s.bodies = append(s.bodies, bytes.Clone(body))
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
	server *server
	when   timing
	left   int64 // events that have not been delivered
}

// fit shortens the rounds to come if there are too few events for them; used is what one took that was not shortened.
func (d *drain) fit(used int64) {
	const reserve = 0.4 // later rounds deliver more than the first, and the least that one takes is not shortened
	if share := reserve * float64(d.left) / float64(used*Rounds); share < 1 {
		d.when.span = time.Duration(share * float64(d.when.span))
	}
}

// rounds measures each kind and the ceiling in turn. The first round warms up, and gives the ceiling its bodies.
func (d *drain) rounds(ctx context.Context, kinds []int, samples *samples) (ceiling *series, found map[int]*series, err error) {
	ceiling, found = &series{}, map[int]*series{}
	file := filepath.Join(d.b.dir, "bodies")
	for round := -1; round < Rounds; round++ {
		d.b.o.Tell("webhooks", int64(max(round, 0)), Rounds)
		before := d.left
		for _, kind := range kinds {
			w, err := d.product(ctx, kind, len(kinds) > 1)
			if err != nil {
				return nil, nil, err
			}
			if round < 0 {
				found[kind] = &series{}
			} else {
				found[kind].add(w)
			}
		}
		if round < 0 {
			if err := samples.write(file); err != nil {
				return nil, nil, err
			}
			d.fit(before - d.left)
			continue
		}
		w, err := d.bare(ctx, file)
		if err != nil {
			return nil, nil, err
		}
		ceiling.add(w)
		if used := before - d.left; d.left < 2*used && round < Rounds-1 {
			d.b.report.note("webhooks: this machine is fast: the events ran out after %d of %d rounds.", round+1, Rounds)
			break
		}
	}
	d.b.o.Tell("webhooks", Rounds, Rounds)
	return ceiling, found, nil
}

// product has the server deliver for a round: the endpoint has a URL as long as it lasts.
func (d *drain) product(ctx context.Context, kind int, batches bool) (window, error) {
	body := fmt.Sprintf(`{"webhooks":{"url":%q}}`, d.sink.url())
	if batches {
		body = fmt.Sprintf(`{"webhooks":{"url":%q,"batch":%d}}`, d.sink.url(), kind)
	}
	before := d.sink.events.Load()
	if err := d.b.settings(ctx, d.server, body); err != nil {
		return window{}, err
	}
	w, err := d.count(ctx, d.server.process)
	if err != nil {
		return w, err
	}
	if err := d.b.settings(ctx, d.server, `{"webhooks":{"url":""}}`); err != nil {
		return w, err
	}
	err = d.quiet(ctx)
	d.left -= d.sink.events.Load() - before
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

func (b *bench) reportWebhooks(kinds []int, span time.Duration, found map[int]*series, ceiling *series) {
	t := table{title: "webhooks: events that wait in the store, delivered to one application",
		about: fmt.Sprintf("Beside a bare net/http client that posts the same bytes; %d requests in flight; %s.", concurrency, roundsOf(span)),
		head:  []string{"events a request", "events/s", "ceiling/s", "ratio", "CPU us/event", "ceiling's"}}
	for _, kind := range kinds {
		prefix, title := "webhooks.", "1"
		if kind > 1 {
			prefix, title = "webhooks.batched_", fmt.Sprint("up to ", kind)
		}
		b.report.put(prefix+"per_s", found[kind].perSecond())
		b.report.put(prefix+"cpu_us", found[kind].cpuMicros())
		row := []string{title, "=" + prefix + "per_s", missing, missing, "=" + prefix + "cpu_us", missing}
		if kind == 1 {
			b.report.put("webhooks.ceiling_per_s", ceiling.perSecond())
			b.report.put("webhooks.ratio", median(ratios(found[kind], ceiling)))
			b.report.put("webhooks.ceiling_cpu_us", ceiling.cpuMicros())
			row[2], row[3], row[5] = "=webhooks.ceiling_per_s", "=webhooks.ratio", "=webhooks.ceiling_cpu_us"
		}
		t.rows = append(t.rows, row)
	}
	b.report.tables = append(b.report.tables, t)
}
