//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// progress is what is known so far.
type progress struct {
	total uint64
	out   io.Writer
	began time.Time
	next  atomic.Uint64

	mu           sync.Mutex
	done         uint64
	acknowledged int
	calls        int64
	found        [3]int
	drawn        time.Time
}

// all runs the rounds, so many at a time. When ctx ends, those under way are the last.
func (p *progress) all(ctx context.Context, o options, seed uint64, jobs int) error {
	errs := make(chan error, jobs)
	for range jobs {
		go func() {
			for {
				if ctx.Err() != nil {
					errs <- nil
					return
				}
				n := p.next.Add(1) - 1
				if n >= p.total {
					errs <- nil
					return
				}
				r := &round{options: o, seed: seed + n, net: newRatchet()}
				if err := r.run(); err != nil {
					errs <- fmt.Errorf("round with seed %d: %w", r.seed, err)
					return
				}
				p.add(r)
			}
		}()
	}
	var all error
	for range jobs {
		all = errors.Join(all, <-errs)
	}
	return all
}

// add counts a round, and prints what is wrong with it.
func (p *progress) add(r *round) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.acknowledged += r.book.acknowledged()
	p.calls += r.calls
	for v := range p.found {
		p.found[v] += r.found[v]
	}
	p.draw()
	if len(r.faults) == 0 {
		return
	}
	p.erase()
	again := fmt.Sprintf("go run ./internal/torture power --seed %d --rounds 1", r.seed)
	if r.lying {
		again += " --lying"
	}
	_, _ = fmt.Fprintf(p.out, "seed %d, folder %s, again: %s\n", r.seed, filepath.Join(r.dir, fmt.Sprintf("round-%d", r.seed)), again)
	for i, f := range r.faults {
		if i == 10 {
			_, _ = fmt.Fprintf(p.out, "  and %d more\n", len(r.faults)-i)
			break
		}
		_, _ = fmt.Fprintf(p.out, "  %s\n", f)
	}
}

func (p *progress) terminal() bool {
	f, ok := p.out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// draw shows the bar, ten times a second at most, if somebody is looking.
func (p *progress) draw() {
	if !p.terminal() || time.Since(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn = time.Now()
	const width = 40
	full := int(p.done * width / p.total)
	_, _ = fmt.Fprintf(p.out, "\r[%-*s] %d of %d rounds, %d acknowledged, %.0f rounds/s ", width, bar[:full], p.done, p.total, p.acknowledged, p.rate())
}

const bar = "########################################"

func (p *progress) erase() {
	if p.terminal() {
		_, _ = fmt.Fprintf(p.out, "\r%-110s\r", "")
	}
}

func (p *progress) rate() float64 { return float64(p.done) / time.Since(p.began).Seconds() }

func (p *progress) summary(w io.Writer, seed uint64) {
	p.erase()
	also := ""
	if p.found[wrong] > 0 {
		also = fmt.Sprintf(", %d wrong", p.found[wrong])
	}
	_, _ = fmt.Fprintf(w, "power: %d rounds, %d acknowledged, %d lost, %d corrupt%s, seed %d, %.1f rounds/s\n", p.done, p.acknowledged,
		p.found[lost], p.found[corrupt], also, seed, p.rate())
}

// stopped says which rounds were run before a signal ended them, how to run those again, and the others.
func (p *progress) stopped(seed uint64, lying bool) error {
	also := ""
	if lying {
		also = " --lying"
	}
	const again = "go run ./internal/torture power --seed %d --rounds %d%s"
	return fmt.Errorf("ended by a signal after %d of %d rounds\nagain: "+again+"\nthe others: "+again, p.done, p.total, seed, p.done, also, seed+p.done, p.total-p.done, also)
}
