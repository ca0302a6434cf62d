//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar/internal/torture/history"
)

const mib = 1 << 20

// phase is a time of a run, in nanoseconds since 1970, whose messages are looked at.
type phase struct{ from, to int64 }

// p99 is how long it took from the answer to a message until its sink was first told that it was sent: what 99 of 100 messages of
// those sinks stayed below, of those that were answered in one of the phases. n is how many there were. What was never told counts here as
// nothing: it is the checker who says that it was lost.
func p99(dir string, sinks []string, of []phase) (d time.Duration, n int, err error) {
	told := map[string]int64{} // by the message's id
	for _, sink := range sinks {
		records, err := history.ReadOne(dir, sink)
		if err != nil {
			return 0, 0, err
		}
		for _, r := range records {
			for _, i := range r.Items {
				if at, ok := told[i.ID]; i.Status == "sent" && (!ok || r.At < at) {
					told[i.ID] = r.At
				}
			}
		}
	}
	var all []time.Duration
	records, err := history.Read(dir)
	if err != nil {
		return 0, 0, err
	}
	for _, r := range records {
		at, ok := told[r.ID]
		within := slices.ContainsFunc(of, func(p phase) bool { return r.At >= p.from && r.At < p.to })
		if r.Op == history.Answer && r.Call == "message" && r.HTTP/100 == 2 && within && ok {
			all = append(all, time.Duration(at-r.At))
		}
	}
	return percentile(all, 0.99), len(all), nil
}

// percentile returns what the share p of all does not exceed; 0 of none.
func percentile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(p*float64(len(all))))]
}

// resident is how much memory of a process is in use, in bytes; 0 where the system does not say as Linux does.
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// figures says how the healthy sinks and the server's memory have fared. The error is about what is beyond its bound.
func (s *sinks) figures() (string, error) {
	var healthy []string
	for _, p := range s.parties {
		if !p.bad {
			healthy = append(healthy, p.name)
		}
	}
	before, n, err := p99(s.c.path("history"), healthy, s.baseline)
	if err != nil {
		return "", err
	}
	beside, m, err := p99(s.c.path("history"), healthy, s.beside)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("p99 of healthy sinks %.1f ms (%d messages), their baseline %.1f ms (%d): %.2f times; memory %d MiB when idle, %d when all are well, %d at most",
		beside.Seconds()*1e3, m, before.Seconds()*1e3, n, beside.Seconds()/max(before.Seconds(), 1e-9),
		s.idle/mib, s.well/mib, s.most/mib)
	bad := s.k.beyond(before, beside, s.most-s.idle)
	if n == 0 || m == 0 {
		bad = append(bad, "nothing was measured")
	}
	if len(bad) > 0 {
		return said, errors.New(strings.Join(bad, "; "))
	}
	return said, nil
}

// beyond says which bounds are not kept: of the healthy sinks' p99 beside the bad ones, and of the memory in bytes that the server has
// taken above idle.
func (k *sinksCmd) beyond(baseline, beside time.Duration, grown int64) (bad []string) {
	if beside > k.Floor && beside.Seconds() > k.Ratio*baseline.Seconds() {
		bad = append(bad, fmt.Sprintf("the p99 is more than %g times its baseline, and than %v", k.Ratio, k.Floor))
	}
	if grown > k.Memory*mib {
		bad = append(bad, fmt.Sprintf("the server takes %d MiB more than when idle, %d are allowed", grown/mib, k.Memory))
	}
	return bad
}
