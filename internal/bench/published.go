package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
)

// strangerDigits are those of somebody who has not written to the business: what is sent to them is accepted, and fails at once, since
// no window is open. That is one event a request, on disk with the message before the answer, with nobody else at work.
func strangerDigits(i int) string { return fmt.Sprint(34700000000 + i) }

// published measures events from the request that causes them to the POST that tells of them, one each. A round lasts until the last has
// been told.
func (b *bench) published(ctx context.Context, s *server, sink *sink, e *endpoint) error {
	if err := b.become(ctx, s, e, kabar.EndpointActive); err != nil {
		return err
	}
	p := &publishing{b: b, sink: sink, target: &target{addr: s.addr, requests: requestsTo(s.addr, s.token, strangerDigits), process: s.process}}
	var found series
	for round := -1; round < Rounds; round++ {
		b.o.Tell("webhooks: published", int64(max(round, 0)), Rounds)
		w, err := p.round(ctx)
		if err != nil {
			return err
		}
		if round >= 0 { // the first warms up
			found.add(w)
		}
	}
	b.o.Tell("webhooks: published", Rounds, Rounds)
	b.report.put("webhooks.published_per_s", found.perSecond())
	b.report.put("webhooks.published_cpu_us", found.cpuMicros())
	t := table{title: "webhooks: from a request to POST /v1/messages, on disk before its answer, to the POST that tells of its one event",
		about: fmt.Sprintf("%d clients; %s, each until the last event was told.", acceptClients, b.method()),
		head:  []string{"clients", "events/s", "CPU us/event"}}
	t.add(fmt.Sprint(acceptClients), "webhooks.published_", "per_s", "cpu_us")
	b.report.tables = append(b.report.tables, t)
	return nil
}

type publishing struct {
	b      *bench
	sink   *sink
	target *target
}

func (p *publishing) round(ctx context.Context) (window, error) {
	l := &load{target: p.target, times: make([][]time.Duration, acceptClients)}
	l.measuring.Store(true)
	cpu, began, before := p.target.process.cpu(), time.Now(), p.sink.events.Load()
	err := l.apply(ctx, func(ctx context.Context) { wait(ctx, p.b.round().span) })
	if err != nil {
		return window{}, err
	}
	err = p.b.until(ctx, time.Minute, "the last event", func() error {
		if p.sink.events.Load()-before < l.count.Load() {
			return errors.New("some events are not told yet")
		}
		return nil
	})
	return window{count: l.count.Load(), took: time.Since(began), cpu: p.target.process.cpu() - cpu}, err
}
