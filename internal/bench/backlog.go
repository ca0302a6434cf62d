package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// backlog measures a server behind which very many events wait: how long it takes to start, how much memory it needs while
// the application is down and while it catches up, how fast that goes, and how long new events of other lanes take meanwhile.
func (b *bench) backlog(ctx context.Context) (err error) {
	f := &fresh{b: b, told: make(chan struct{}, 1)}
	sink, err := openSink(ctx, f.taken)
	if err != nil {
		return err
	}
	sink.down.Store(true)
	defer func() { err = errors.Join(err, sink.close()) }()
	w, err := b.newWorld(ctx, "backlog", sink.url())
	if err != nil {
		return err
	}
	began := time.Now()
	if err := errors.Join(w.talk(ctx), b.fillEvents(ctx, w, b.o.Events, "backlog: events")); err != nil {
		return err
	}
	b.report.put("backlog.events", float64(b.o.Events))
	b.report.put("backlog.fill_per_s", float64(b.o.Events)/time.Since(began).Seconds())
	f.token = w.token
	if err := w.close(); err != nil {
		return err
	}
	began = time.Now()
	s, err := b.serve(ctx, w, nowhere)
	if err != nil {
		return err
	}
	b.report.put("backlog.start_s", time.Since(began).Seconds())
	waiting, err := b.watch(ctx, s, "backlog: the application is down", b.o.Time, func() bool { return false })
	if err != nil {
		return err
	}
	_, most := s.memory()
	b.report.put("backlog.waiting_rss_mib", mebi(most))
	if err := f.beside(ctx, s, func(ctx context.Context) error { return b.drainBacklog(ctx, s, sink) }); err != nil {
		return err
	}
	_, most = s.memory()
	b.report.put("backlog.rss_mib", mebi(most))
	b.report.tables = append(b.report.tables, table{title: fmt.Sprintf("backlog: %s events wait, the application is down, then it is back", thousands(float64(b.o.Events), 0)),
		about: fmt.Sprintf("Start until the API answers; memory at most, down for %s and catching up for %s. New: from request to POST, of customers who have nothing waiting.", waiting.Round(1e8), b.drainTime().Round(1e8)),
		head:  []string{"start s", "memory MiB: waiting", "and draining", "events/s drained", "CPU us/event", "new, p50 ms", "p99 ms"},
		rows:  [][]string{{"=backlog.start_s", "=backlog.waiting_rss_mib", "=backlog.rss_mib", "=backlog.drain_per_s", "=backlog.cpu_us", "=backlog.fresh_p50_ms", "=backlog.fresh_p99_ms"}}})
	return nil
}

// drainTime is how long the catching up is measured, unless it is over before.
func (b *bench) drainTime() time.Duration { return 3 * b.o.Time }

// drainBacklog has the application answer again and measures how fast it is told what has waited.
func (b *bench) drainBacklog(ctx context.Context, s *server, sink *sink) error {
	sink.down.Store(false)
	if err := b.until(ctx, startTime, "the first webhook", func() error {
		if sink.events.Load() == 0 {
			return errors.New("none has come")
		}
		return nil
	}); err != nil {
		return s.failed(err)
	}
	cpu, began, from := s.cpu(), time.Now(), sink.events.Load()
	all := func() bool { return sink.events.Load() >= b.o.Events }
	if _, err := b.watch(ctx, s, "backlog: catching up", b.drainTime(), all); err != nil {
		return err
	}
	of := series{cpu: s.cpu() - cpu, count: sink.events.Load() - from}
	b.report.put("backlog.drain_per_s", float64(of.count)/time.Since(began).Seconds())
	b.report.put("backlog.cpu_us", of.cpuMicros())
	b.report.put("backlog.drained", float64(sink.events.Load()))
	return nil
}

// watch waits for a time, or until something holds, and fails when the server ends.
func (b *bench) watch(ctx context.Context, s *server, what string, d time.Duration, enough func() bool) (time.Duration, error) {
	began := time.Now()
	for time.Since(began) < d && !enough() {
		b.o.Tell(what, time.Since(began).Milliseconds(), d.Milliseconds())
		select {
		case <-s.done:
			return 0, s.failed(errors.New("ended by itself"))
		default:
		}
		if wait(ctx, 20*time.Millisecond); ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
	}
	return time.Since(began), nil
}
