//go:build unix

package main

import (
	"os"
	"slices"
	"testing"
	"time"

	"kabar/internal/torture/history"
)

func TestPercentile(t *testing.T) {
	var all []time.Duration
	for i := range 200 {
		all = append(all, time.Duration(200-i))
	}
	for p, want := range map[float64]time.Duration{0: 1, 0.5: 101, 0.99: 199, 1: 200} {
		if got := percentile(slices.Clone(all), p); got != want {
			t.Errorf("%v of 1 to 200: %d, want %d", p, got, want)
		}
	}
	if got := percentile(nil, 0.99); got != 0 {
		t.Errorf("of none: %d", got)
	}
}

// The figures are of the messages that were answered in the phase, and of the sinks that are named.
func TestP99(t *testing.T) {
	dir := t.TempDir()
	write := func(by string, all ...history.Record) {
		rec, err := history.Open(dir, by)
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Close()
		for _, r := range all {
			if err := rec.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	answer := func(id string) history.Record {
		return history.Record{Op: history.Answer, Call: "message", HTTP: 200, ID: id}
	}
	hook := func(id, status string) history.Record {
		return history.Record{Op: history.Hook, Items: []history.Item{{ID: id, Status: status}}}
	}
	write("client-1", answer("early"))
	write("sink-1", hook("early", "sent"))
	from := time.Now().UnixNano()
	write("client-1", answer("m1"), answer("m2"), answer("of another"), answer("never told"))
	write("sink-1", hook("m1", "delivered"), hook("m1", "sent"), hook("m1", "sent"), hook("m2", "sent"))
	write("sink-2", hook("of another", "sent"))
	to := time.Now().UnixNano() + 1
	d, n, err := p99(dir, []string{"sink-1"}, []phase{{0, 1}, {from, to}})
	if err != nil || n != 2 || d <= 0 || d > time.Duration(to-from) {
		t.Errorf("%v of %d messages, %v", d, n, err)
	}
}

func TestResident(t *testing.T) {
	if got := resident(os.Getpid()); got == 0 {
		t.Log("THIS SYSTEM DOES NOT SAY HOW MUCH MEMORY A PROCESS TAKES: it is not judged here")
	} else if got < 1<<20 || got > 1<<40 {
		t.Errorf("%d bytes", got)
	}
	if got := resident(1 << 30); got != 0 {
		t.Errorf("of no process: %d bytes", got)
	}
}

// A p99 is beyond its bound when it is above both, ratio and floor; memory when it is above its own.
func TestBeyond(t *testing.T) {
	const ms = time.Millisecond
	k := &sinksCmd{Ratio: 1.5, Floor: 100 * ms, Memory: 64}
	for _, c := range []struct {
		baseline, beside time.Duration
		grown            int64
		want             int
	}{
		{20 * ms, 20 * ms, 0, 0}, {20 * ms, 100 * ms, 64 * mib, 0}, {20 * ms, 101 * ms, 0, 1}, {100 * ms, 150 * ms, 0, 0}, {100 * ms, 151 * ms, 0, 1},
		{0, 101 * ms, 0, 1}, {20 * ms, 20 * ms, 64*mib + 1, 1}, {20 * ms, 200 * ms, 1 << 40, 2}, {20 * ms, 20 * ms, -5 * mib, 0},
	} {
		if got := k.beyond(c.baseline, c.beside, c.grown); len(got) != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
