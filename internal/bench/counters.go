package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// counters are what a program counts of itself, at its metrics.
type counters struct {
	messages                       float64 // accepted
	batches, operations, batchTime float64 // of the store's writer
	mallocs, bytes                 float64 // of the Go heap
}

// freeAddress returns an address that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// counters asks the server. It costs the server a small write and a few reads: it is done outside of rounds.
func (b *bench) counters(ctx context.Context, s *server) (counters, error) {
	text, err := b.call(ctx, "", http.MethodGet, "http://"+s.debug+"/metrics", nil)
	if err != nil {
		return counters{}, err
	}
	var c counters
	places := map[string]*float64{`kabar_messages_total{direction="out",type="text"}`: &c.messages, "kabar_store_batch_operations_count": &c.batches, "kabar_store_batch_operations_sum": &c.operations,
		"kabar_store_batch_duration_seconds_sum": &c.batchTime, "go_memstats_mallocs_total": &c.mallocs, "go_memstats_alloc_bytes_total": &c.bytes}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if place := places[name]; place != nil {
			if *place, err = strconv.ParseFloat(value, 64); err != nil {
				return counters{}, fmt.Errorf("metrics: %s: %w", name, err)
			}
		}
	}
	return c, nil
}

// since is what has been counted after an earlier time.
func (c counters) since(before counters) counters {
	return counters{c.messages - before.messages, c.batches - before.batches, c.operations - before.operations, c.batchTime - before.batchTime,
		c.mallocs - before.mallocs, c.bytes - before.bytes}
}

func (c *counters) add(more counters) {
	c.messages += more.messages
	c.batches, c.operations, c.batchTime = c.batches+more.batches, c.operations+more.operations, c.batchTime+more.batchTime
	c.mallocs, c.bytes = c.mallocs+more.mallocs, c.bytes+more.bytes
}

// put reports what each message has cost.
func (c *counters) put(r *Report, prefix string) {
	if c.messages == 0 {
		return
	}
	r.put(prefix+"allocs", c.mallocs/c.messages)
	r.put(prefix+"alloc_bytes", c.bytes/c.messages)
	r.put(prefix+"operations", c.operations/c.messages)
	r.put(prefix+"commits", c.batches/c.messages)
	r.put(prefix+"writer_us", c.batchTime*1e6/c.messages)
}
