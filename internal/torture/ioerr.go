//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"kabar/internal/torture/disk"
	"kabar/internal/torture/history"
	"kabar/internal/torture/recorders"
)

// ioerrCmd has disk calls of a running server fail, one after another, through a script of API calls.
type ioerrCmd struct {
	Calls int `help:"How many calls of the script are made." default:"30"`
}

// Help is shown by torture ioerr --help.
func (*ioerrCmd) Help() string {
	return `A script of 30 calls, of every kind that changes something, runs against a server on a disk that can fail. While a call and what
follows from it are carried out, the n-th disk call fails, for n from 1 until none is left to fail: once with EIO, once with half of a
write done, and without room until there is room again. No answer may promise what is not stored, the server must not end, and
must go on by itself when the disk is well again.`
}

// fault is a way in which disk calls fail.
type fault struct {
	kind  disk.Kind
	times int // 0: until the disk is well again
}

func faults() []fault { return []fault{{disk.EIO, 1}, {disk.Short, 1}, {disk.ENOSPC, 0}} }

// Run runs the script with each fault, and has the checker judge.
func (i *ioerrCmd) Run(ctx context.Context, t *torture) error {
	return t.inFolder("ioerr", 1, func(dir string) error {
		c, end, err := t.cluster(ctx, dir, "sqlite")
		if err != nil {
			return err
		}
		defer end()
		c.trouble, c.disk = 0, true
		if err := c.open(ctx); err != nil {
			return err
		}
		if err := c.rec.Write(history.Record{Op: history.Begin}); err != nil {
			return err
		}
		if err := c.found(ctx, c.server.start); err != nil {
			return err
		}
		s := &script{c: c, failed: map[disk.Kind]int{}}
		if s.step, err = s.client().NewStep(writers[0]); err != nil {
			return err
		}
		b := t.bar("ioerr", i.Calls*len(faults()))
		for call := range i.Calls {
			for _, f := range faults() {
				if err := s.exhaust(ctx, call, f); err != nil {
					return fmt.Errorf("call %d, %s: %w", call+1, f.kind, err)
				}
				b.step()
			}
		}
		b.done()
		return s.judge(ctx, t, i.Calls)
	})
}

// script is the calls, and what has come of them.
type script struct {
	c      *cluster
	step   *recorders.Step
	runs   int
	failed map[disk.Kind]int // disk calls
	refuse int               // answers that were not 2xx
	mine   int               // messages of the customer
}

func (s *script) client() *recorders.Client {
	return &recorders.Client{Name: "script", API: "http://" + s.c.api, APIKey: s.c.apiKey, Open: writers, History: s.c.path("history"), Template: templateName}
}

// exhaust makes one call of the script again and again, until no disk call is left that has not failed.
func (s *script) exhaust(ctx context.Context, call int, f fault) error {
	for n, spared := 1, 0; spared < 2; n++ { // what happens beside the call is not always the same
		hits, err := s.once(ctx, call, n, f)
		if err != nil {
			return fmt.Errorf("disk call %d: %w", n, err)
		}
		s.failed[f.kind] += hits
		if spared++; hits > 0 {
			spared = 0
		}
	}
	return nil
}

// beside is how long what follows from a call may take: the packet, the receipts, the webhooks.
const beside = 40 * time.Millisecond

// once makes a call while the n-th disk call fails, heals the disk and sees that the call then succeeds.
func (s *script) once(ctx context.Context, call, n int, f fault) (hits int, err error) {
	s.runs++
	make, finish := s.calls(ctx, call)
	if err := s.c.server.command("disk %d %s %d", n, f.kind, f.times); err != nil {
		return 0, err
	}
	if err := make(); err != nil {
		return 0, err
	}
	time.Sleep(beside)
	if hits, err = s.heal(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if err := finish(ctx); err != nil {
		return hits, fmt.Errorf("after the disk was well again: %w", err)
	}
	return hits, s.c.server.alive()
}

// heal has the disk be well again and returns how many of its calls have failed.
func (s *script) heal() (hits int, err error) {
	before := s.healed()
	if err := s.c.server.command("heal"); err != nil {
		return 0, err
	}
	for begun := time.Now(); time.Since(begun) < readyWithin; time.Sleep(time.Millisecond) {
		if lines := s.healed(); len(lines) > len(before) {
			return strconv.Atoi(strings.TrimPrefix(lines[len(lines)-1], "healed "))
		}
	}
	return 0, errors.Join(errors.New("the server does not hear the harness"), s.c.server.alive())
}

func (s *script) healed() []string {
	b, err := os.ReadFile(s.c.server.hitsFile())
	if err != nil {
		return nil // the first line is still to come
	}
	lines := strings.Split(string(b), "\n")
	return lines[:len(lines)-1] // what has no end yet is no line
}

// calls returns the script's n-th call: how it is made once, and how it is brought to its end.
func (s *script) calls(ctx context.Context, n int) (once func() error, finish func(context.Context) error) {
	message := func(prepare error) (func() error, func(context.Context) error) {
		return func() error {
			if prepare != nil {
				return prepare
			}
			status, err := s.step.Once(ctx)
			if status/100 != 2 {
				s.refuse++
			}
			return err
		}, s.step.Finish
	}
	switch n % 6 {
	case 2:
		s.step.NextUpload()
		return message(nil)
	case 4:
		return s.api(ctx, http.MethodPatch, "/v1/settings/application", `{"callback_backoff_delay_ms":`+strconv.Itoa(20+n)+`}`)
	case 5:
		return s.said(ctx)
	}
	return message(s.step.Next(ctx))
}

// api is a call that may be repeated as it is.
func (s *script) api(ctx context.Context, method, path, body string) (func() error, func(context.Context) error) {
	do := func(ctx context.Context) error {
		_, err := call(ctx, method, "http://"+s.c.api+path, s.c.apiKey, body)
		return err
	}
	return func() error {
			if do(ctx) != nil {
				s.refuse++
			}
			return nil
		}, func(ctx context.Context) error {
			for {
				err := do(ctx)
				if err == nil || ctx.Err() != nil {
					return err
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
}

// said has a customer write while the server's disk fails: the server must not acknowledge what it cannot keep.
func (s *script) said(ctx context.Context) (func() error, func(context.Context) error) {
	s.mine++
	said := history.Record{Op: history.Say, Customer: writers[1], Token: history.Token(writers[1], business, s.mine), Place: s.mine, Kind: "text"}
	return func() error {
		if err := s.c.rec.Write(said); err != nil {
			return err
		}
		url := "http://" + s.c.phoneAddr + "/api/customers/" + said.Customer + "/messages"
		_, err := call(ctx, http.MethodPost, url, "", `{"type":"text","text":{"body":"I say `+said.Token+`"}}`)
		said.Op, said.HTTP = history.Said, http.StatusCreated
		return errors.Join(err, s.c.rec.Write(said))
	}, func(context.Context) error { return nil }
}

// judge kills the server, so that only what is on disk counts, and has the checker read the history.
func (s *script) judge(ctx context.Context, t *torture, calls int) error {
	if err := s.c.settle(ctx); err != nil {
		return err
	}
	s.c.server.kill()
	if err := s.c.rec.Write(history.Record{Op: history.Killed, Process: "server"}); err != nil {
		return err
	}
	if err := s.c.server.start(ctx); err != nil {
		return err
	}
	if err := s.c.settle(ctx); err != nil {
		return err
	}
	if err := s.c.look(ctx); err != nil {
		return err
	}
	verdict, err := t.check(ctx, s.c.path("history"))
	if err != nil {
		return err
	}
	if s.failed[disk.EIO] == 0 || s.failed[disk.ENOSPC] == 0 || s.failed[disk.Short] == 0 || s.refuse == 0 {
		return fmt.Errorf("disk calls that failed: %v; answers that were no 2xx: %d: this proves nothing", s.failed, s.refuse)
	}
	fmt.Fprintf(t.out, "ioerr: %d calls made %d times; disk calls that failed: %d EIO, %d ENOSPC, %d short; %d answers were no 2xx; %s\n",
		calls, s.runs, s.failed[disk.EIO], s.failed[disk.ENOSPC], s.failed[disk.Short], s.refuse, verdict)
	return nil
}
