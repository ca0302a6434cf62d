package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// acceptClients is where accept.ratio is taken.
const acceptClients = 64

// accept measures durable texts at POST /v1/messages, beside a program that only decodes them. No relay listens, so that what
// has been accepted waits in the store: how it goes on is measured by full.
func (b *bench) accept(ctx context.Context) error {
	s, product, err := b.acceptServer(ctx)
	if err != nil {
		return err
	}
	ceiling, err := b.acceptCeiling(ctx, product)
	if err != nil {
		return err
	}
	contenders := []*target{product, ceiling}
	for _, t := range contenders {
		if _, err := press(ctx, t, acceptClients, timing{span: b.warmTime()}); err != nil {
			return err
		}
	}
	found := map[int]*accepted{}
	for _, n := range b.o.Clients {
		found[n] = &accepted{}
	}
	total := int64(Rounds * len(b.o.Clients))
	for round := range Rounds {
		for i, n := range b.o.Clients {
			b.o.Tell(fmt.Sprintf("accept, %d clients", n), int64(round*len(b.o.Clients)+i), total)
			before, err := b.counters(ctx, s)
			if err != nil {
				return err
			}
			for k := range contenders {
				which := (k + round) % len(contenders) // who comes first changes
				w, err := press(ctx, contenders[which], n, b.round())
				if err != nil {
					return err
				}
				found[n].of[which].add(w)
			}
			after, err := b.counters(ctx, s)
			if err != nil {
				return err
			}
			found[n].counters.add(after.since(before))
		}
	}
	b.o.Tell("accept", total, total)
	b.reportAccept(found)
	return nil
}

// accepted is what accept finds with one number of clients.
type accepted struct {
	of       [2]series // product and ceiling
	counters counters
}

func (b *bench) acceptServer(ctx context.Context) (*server, *target, error) {
	w, err := b.newWorld(ctx, "accept", "")
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(w.talk(ctx), w.close()); err != nil {
		return nil, nil, err
	}
	s, err := b.serve(ctx, w, nowhere)
	if err != nil {
		return nil, nil, err
	}
	return s, &target{addr: s.addr, requests: sendRequests(s.addr, s.token), process: s.process}, nil
}

// acceptCeiling starts the ceiling, whose answers are as long as the product's.
func (b *bench) acceptCeiling(ctx context.Context, product *target) (*target, error) {
	c, err := dial(ctx, product.addr)
	if err != nil {
		return nil, err
	}
	if err := c.do(product.requests[0]); err != nil {
		return nil, err
	}
	if err := c.conn.Close(); err != nil {
		return nil, err
	}
	addr, p, err := b.ceiling(ctx, len(c.body), "")
	return &target{addr: addr, requests: product.requests, process: p}, err
}

func (b *bench) ceiling(ctx context.Context, answer int, hook string) (addr string, p *process, err error) {
	if p, err = b.start(ctx, "bench-part", "bench-part", "ceiling", "--answer", strconv.Itoa(answer), "--dir", b.dir, "--hook", hook); err != nil {
		return "", nil, err
	}
	addr, err = p.address(ctx)
	return addr, p, err
}

// textBytes is the length of a text, so that a whole body has about 330 bytes, as an ordinary message has.
const textBytes = 240

// sendRequests returns a request for each customer.
func sendRequests(addr, token string) [][]byte {
	return requestsTo(addr, token, customerDigits)
}

func requestsTo(addr, token string, digits func(i int) string) [][]byte {
	text := strings.Repeat("Your parcel arrives today. ", textBytes)[:textBytes]
	all := make([][]byte, customers)
	for i := range all {
		body := fmt.Sprintf(`{"recipient_type":"individual","to":%q,"type":"text","text":{"body":%q}}`, digits(i), text)
		all[i] = fmt.Appendf(nil, "POST /v1/messages HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
			"Content-Length: %d\r\n\r\n%s", addr, token, len(body), body)
	}
	return all
}

func (b *bench) reportAccept(found map[int]*accepted) {
	rates := table{title: "accept: POST /v1/messages of a text, on disk before its 201",
		about: "Beside a bare net/http server that decodes the same JSON; " + b.method() + ".",
		head:  []string{"clients", "messages/s", "ceiling/s", "ratio", "worst", "best", "p50 ms", "p99 ms"}}
	costs := table{title: "accept: what a message costs the server",
		about: "Processor time of the whole process, and of that the store's one writer; commits below 1 are shared.",
		head:  []string{"clients", "CPU us", "ceiling's", "writer us", "commits", "writes", "allocations", "bytes"}}
	for _, n := range b.o.Clients {
		prefix := fmt.Sprintf("accept.%d.", n)
		b.putAccept(prefix, found[n])
		if n == acceptClients {
			b.putAccept("accept.", found[n])
		}
		rates.add(strconv.Itoa(n), prefix, "per_s", "ceiling_per_s", "ratio", "least_ratio", "most_ratio", "p50_ms", "p99_ms")
		costs.add(strconv.Itoa(n), prefix, "cpu_us", "ceiling_cpu_us", "writer_us", "commits", "operations", "allocs", "alloc_bytes")
	}
	b.report.tables = append(b.report.tables, rates, costs)
	b.report.note("accept: no relay listens, so accepted messages wait in the store; full measures the way to the customer. /v1 has no rate limit, logging is at its default level.")
}

func (b *bench) putAccept(prefix string, a *accepted) {
	product, ceiling := &a.of[0], &a.of[1]
	all := ratios(product, ceiling)
	b.report.put(prefix+"per_s", product.perSecond())
	b.report.put(prefix+"ceiling_per_s", ceiling.perSecond())
	b.report.put(prefix+"ratio", median(all))
	b.report.put(prefix+"least_ratio", least(all))
	b.report.put(prefix+"most_ratio", most(all))
	b.report.put(prefix+"p50_ms", millis(percentile(product.times, 50)))
	b.report.put(prefix+"p99_ms", millis(percentile(product.times, 99)))
	b.report.put(prefix+"cpu_us", product.cpuMicros())
	b.report.put(prefix+"ceiling_cpu_us", ceiling.cpuMicros())
	a.counters.put(b.report, prefix)
}

// method says how the rounds went.
func (b *bench) method() string { return roundsOf(b.o.Time / Rounds) }

func roundsOf(span time.Duration) string {
	return fmt.Sprintf("%d rounds of %s each, in turn", Rounds, span.Round(time.Millisecond))
}
