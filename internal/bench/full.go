package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// setters is how many requests that are not measured are under way at a time; fullClients is how many connections full posts from.
const (
	setters     = 16
	fullClients = 32
)

// network is the whole way in four processes: server, relay and phone, and this one, which posts and takes the webhooks.
type network struct {
	server, relay, phone *process
	api                  *server
	target               *target
	flights              *flights
	batches              bool // the server can put several events into a webhook request
}

// full measures the whole way of a message: API, encryption, relay, phone, and three webhooks, which tell that it is sent,
// delivered and read.
func (b *bench) full(ctx context.Context) (err error) {
	flying, cancel := context.WithCancelCause(ctx) // not that of the processes, which ends them
	defer cancel(nil)
	n := &network{flights: newFlights(cancel, b.o.Inflight)}
	sink, err := openSink(ctx, n.flights.taken)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.close()) }()
	phones, err := b.openNetwork(ctx, n, sink.url())
	if err != nil {
		return err
	}
	if err := b.greet(flying, n, phones); err != nil {
		return err
	}
	all, err := b.contenders(ctx, n, sink.url())
	if err != nil {
		return err
	}
	if err := b.fly(flying, n, all); err != nil {
		return err
	}
	b.reportFull(all)
	return nil
}

// contenders are the product with one event a webhook request, with several if it can, and the ceiling.
func (b *bench) contenders(ctx context.Context, n *network, hook string) ([]*contender, error) {
	all := []*contender{{events: 1, target: n.target}}
	if n.batches = b.canBatch(ctx, n.api); n.batches {
		all = append(all, &contender{events: batchSize, target: n.target})
	} else {
		b.report.note("full: this version puts one event into a webhook request; up to %d were not measured.", batchSize)
	}
	addr, p, err := b.ceiling(ctx, fullAnswer, hook)
	return append(all, &contender{target: &target{addr: addr, requests: n.target.requests, process: p}}), err
}

// fullAnswer is the length of the ceiling's answers; the product's have an id of about this length.
const fullAnswer = 90

// openNetwork starts the three programs and returns the URL of the phone's customers.
func (b *bench) openNetwork(ctx context.Context, n *network, hook string) (phones string, err error) {
	w, err := b.newWorld(ctx, "full", hook)
	if err != nil {
		return "", err
	}
	if err := w.close(); err != nil {
		return "", err
	}
	if n.relay, err = b.start(ctx, "relay", "relay", "--data", filepath.Join(b.dir, "relay"), "--addr", "127.0.0.1:0", "--open-registration",
		"--limit-registrations=-1", "--limit-business-envelopes=-1", "--limit-customer-envelopes=-1", "--mailbox=-1"); err != nil {
		return "", err
	}
	relay, err := n.relay.address(ctx)
	if err != nil {
		return "", err
	}
	if n.api, err = b.serve(ctx, w, "ws://"+relay); err != nil {
		return "", err
	}
	n.server = n.api.process
	n.target = &target{addr: n.api.addr, requests: sendRequests(n.api.addr, w.token), process: n.server}
	if n.phone, err = b.start(ctx, "phone", "phone", "--data", filepath.Join(b.dir, "phone"), "--addr", "127.0.0.1:0", "--relay", "ws://"+relay,
		"--business", businessDigits); err != nil {
		return "", err
	}
	phone, err := n.phone.address(ctx)
	if err != nil {
		return "", err
	}
	return "http://" + phone + "/api/customers", nil
}

// greet makes the customers. Each writes, which opens the window, and reads what comes at once.
func (b *bench) greet(ctx context.Context, n *network, url string) error {
	g, making := errgroup.WithContext(ctx)
	g.SetLimit(setters)
	for i := range customers {
		g.Go(func() error { return b.addCustomer(making, n, url, i) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return b.until(ctx, 2*time.Minute, "the customers' first messages", func() error {
		_, incoming := n.flights.under()
		b.o.Tell("full: customers", int64(incoming), customers)
		if incoming < customers {
			return fmt.Errorf("%d of %d have arrived", incoming, customers)
		}
		return nil
	})
}

func (b *bench) addCustomer(ctx context.Context, n *network, url string, i int) error {
	who := customerDigits(i)
	for _, c := range []struct{ method, url, body string }{
		{http.MethodPost, url, fmt.Sprintf(`{"name":"Customer %d","wa_id":%q}`, i, who)},
		{http.MethodPatch, url + "/" + who, `{"auto_read":true,"read_receipts":true}`},
		{http.MethodPost, url + "/" + who + "/messages", `{"type":"text","text":{"body":"Hello"}}`},
	} {
		if _, err := b.call(ctx, "", c.method, c.url, []byte(c.body)); err != nil {
			return err
		}
	}
	_, incoming := n.flights.under()
	b.o.Tell("full: customers", int64(incoming), customers)
	return nil
}

// flown is what full finds of one contender.
type flown struct {
	series
	cpu      [3]time.Duration // of server, relay and phone
	counters counters
}

// contender is who carries the messages in a round: the product with so many events a webhook request, or the ceiling.
type contender struct {
	events int // 0: the ceiling
	target *target
	found  flown
}

// fly measures all contenders in turn, in rounds.
func (b *bench) fly(ctx context.Context, n *network, all []*contender) error {
	for round := -1; round < Rounds; round++ { // the first one warms up
		for i, c := range all {
			b.o.Tell("full", int64(max(round, 0)*len(all)+i), int64(Rounds*len(all)))
			into := &c.found
			if round < 0 {
				into = &flown{}
			}
			if err := b.flyRound(ctx, n, c, into); err != nil {
				return err
			}
		}
	}
	b.o.Tell("full", int64(Rounds*len(all)), int64(Rounds*len(all)))
	return nil
}

// flyRound has messages under way with one contender for a round, and waits until all have come through.
func (b *bench) flyRound(ctx context.Context, n *network, c *contender, into *flown) error {
	if c.events > 0 && n.batches {
		if err := b.batch(ctx, n.api, c.events); err != nil {
			return err
		}
	}
	before, err := b.counters(ctx, n.api)
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	g, sending := errgroup.WithContext(ctx)
	for i := range fullClients {
		g.Go(func() error { return n.flights.send(sending, c.target, i, fullClients, stop) })
	}
	err = b.observeFlights(sending, n, into)
	close(stop)
	if err := errors.Join(err, g.Wait()); err != nil {
		return err
	}
	if err := b.landed(ctx, n); err != nil {
		return err
	}
	after, err := b.counters(ctx, n.api)
	into.counters.add(after.since(before))
	return err
}

// fullLead is the lead of a round at most.
const fullLead = 30 * time.Second

// observeFlights counts once as many messages have come through as may be under way: then others begin as some arrive.
func (b *bench) observeFlights(ctx context.Context, n *network, into *flown) error {
	n.flights.reset()
	wait(ctx, b.round().lead)
	if err := b.until(ctx, fullLead, "the first messages", func() error {
		if done, _ := n.flights.counts(); done < int64(b.o.Inflight) {
			return fmt.Errorf("%d of %d have come through", done, b.o.Inflight)
		}
		return nil
	}); err != nil {
		return err
	}
	processes := [...]*process{n.server, n.relay, n.phone}
	var cpu [len(processes)]time.Duration
	for i, p := range processes {
		cpu[i] = p.cpu()
	}
	n.flights.reset()
	began := time.Now()
	wait(ctx, b.round().span)
	done, times := n.flights.counts()
	into.add(window{count: done, took: time.Since(began), times: times})
	for i, p := range processes {
		into.cpu[i] += p.cpu() - cpu[i]
	}
	return nil
}

// landed waits until nothing is under way: no message may be missing.
func (b *bench) landed(ctx context.Context, n *network) error {
	return b.until(ctx, time.Minute, "the last webhooks", func() error {
		if open, _ := n.flights.under(); open > 0 {
			return fmt.Errorf("%d messages have not come through", open)
		}
		return nil
	})
}

func (b *bench) reportFull(all []*contender) {
	rates := table{title: "full: a text from the API by the relay to a phone that reads it, with three webhooks",
		about: fmt.Sprintf("Server, relay, phone and application in four processes, %d customers, %d messages under way, relay's limits off; %s. "+
			"The ceiling makes the same four requests, and does nothing else.", customers, b.o.Inflight, b.method()),
		head: []string{"events a request", "messages/s", "p50 ms", "p99 ms", "CPU us: server", "relay", "phone"}}
	costs := table{title: "full: what a message costs the server", about: "Its receipts and webhooks included; the writer's time includes its waits for the disk.",
		head: []string{"events a request", "CPU us", "writer us", "commits", "writes", "allocations", "bytes"}}
	for _, c := range all {
		f := &c.found
		switch c.events {
		case 0:
			b.report.put("full.ceiling_per_s", f.perSecond())
			b.report.put("full.ratio", median(ratios(&all[0].found.series, &f.series)))
			rates.rows = append(rates.rows, []string{"ceiling (1)", "=full.ceiling_per_s", missing, missing, missing, missing, missing})
			continue
		case 1:
			b.putFull("full.", f)
			rates.add("1", "full.", "per_s", "p50_ms", "p99_ms", "server_cpu_us", "relay_cpu_us", "phone_cpu_us")
			costs.add("1", "full.", "server_cpu_us", "writer_us", "commits", "operations", "allocs", "alloc_bytes")
		default:
			b.putFull("full.batched_", f)
			title := fmt.Sprint("up to ", c.events)
			rates.add(title, "full.batched_", "per_s", "p50_ms", "p99_ms", "server_cpu_us", "relay_cpu_us", "phone_cpu_us")
			costs.add(title, "full.batched_", "server_cpu_us", "writer_us", "commits", "operations", "allocs", "alloc_bytes")
		}
	}
	b.report.tables = append(b.report.tables, rates, costs)
}

func (b *bench) putFull(prefix string, f *flown) {
	b.report.put(prefix+"per_s", f.perSecond())
	b.report.put(prefix+"p50_ms", millis(percentile(f.times, 50)))
	b.report.put(prefix+"p99_ms", millis(percentile(f.times, 99)))
	for i, name := range []string{"server", "relay", "phone"} {
		of := series{cpu: f.cpu[i], count: f.count}
		b.report.put(prefix+name+"_cpu_us", of.cpuMicros())
	}
	f.counters.put(b.report, prefix)
}
