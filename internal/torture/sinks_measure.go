//go:build unix

package main

import (
	"context"
	"errors"
	"time"

	"kabar/internal/torture/recorders"
)

// turns is into how many parts the measured time falls, well and moody by turns: what else the machine does then meets both.
const turns = 4

// calm is how long what the bad sinks have left behind may take before a baseline is measured, or the load to begin.
const calm = 2 * time.Second

// measure has all sinks be well for a while, and then the bad ones misbehave for as long. The server begins anew: the rows that it keeps
// in memory grow in number for minutes, whatever the sinks do, and would hide what these cost.
func (s *sinks) measure(ctx context.Context) error {
	if err := errors.Join(s.allGood(ctx), s.restart(ctx)); err != nil {
		return err
	}
	if err := s.pass(ctx, calm, false); err != nil {
		return err
	}
	for _, p := range []struct {
		of    *[]phase
		moody bool
	}{{&s.baseline, false}, {&s.beside, true}} {
		from, most := time.Now().UnixNano(), s.most
		s.most = 0
		if err := s.pass(ctx, s.k.Phase/turns, p.moody); err != nil {
			return err
		}
		*p.of = append(*p.of, phase{from, time.Now().UnixNano()})
		if !p.moody {
			s.well = max(s.well, s.most)
		}
		s.most = max(s.most, most)
	}
	return nil
}

// allGood has every sink be well.
func (s *sinks) allGood(ctx context.Context) error {
	var errs []error
	for _, o := range s.outlets {
		errs = append(errs, o.change(ctx, recorders.Good))
	}
	return errors.Join(errs...)
}

// restart ends the server in order, and starts it again.
func (s *sinks) restart(ctx context.Context) error {
	if err := s.c.server.finish(readyWithin); err != nil {
		return err
	}
	return s.c.server.start(ctx)
}

// rest starts the server anew, since founding took memory of its own, lets it come to rest, and notes what it takes then.
func (s *sinks) rest(ctx context.Context) error {
	if err := s.restart(ctx); err != nil {
		return err
	}
	select {
	case <-time.After(stillFor):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.idle = resident(s.c.server.cmd.Process.Pid)
	return nil
}

// sample is how often the server's memory is looked at, and whether moods are due.
const sample = 100 * time.Millisecond

// pass lets time go by while the bad sinks change their moods.
func (s *sinks) pass(ctx context.Context, d time.Duration, moody bool) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		select {
		case <-time.After(sample):
		case <-ctx.Done():
			return ctx.Err()
		}
		s.most = max(s.most, resident(s.c.server.cmd.Process.Pid))
		for _, o := range s.outlets {
			if !moody || !o.bad || time.Now().Before(o.next) {
				continue
			}
			o.next = time.Now().Add(time.Second + time.Duration(s.chance.IntN(3000))*time.Millisecond)
			s.changes++
			if err := o.change(ctx, s.mood()); err != nil {
				return err
			}
		}
		if err := s.alive(); err != nil {
			return err
		}
	}
	return nil
}

// mood draws the next mood: each comes once before one comes again.
func (s *sinks) mood() recorders.Mood {
	if len(s.deck) == 0 {
		s.deck = []recorders.Mood{recorders.Hang, recorders.Drip, recorders.Broken, recorders.Busy, recorders.Reset, recorders.Redirect, recorders.Torn,
			recorders.Endless, recorders.Expired, recorders.Nameless, recorders.Good}
		s.chance.Shuffle(len(s.deck), func(i, j int) { s.deck[i], s.deck[j] = s.deck[j], s.deck[i] })
	}
	next := s.deck[0]
	s.deck = s.deck[1:]
	return next
}
