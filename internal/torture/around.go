//go:build unix

package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"time"

	"kabar/internal/torture/recorders"
)

// The programs around the product. Each ends when its standard input does: none outlives the harness.

type recorded struct {
	History string `required:"" type:"path"`
}

// untilHarness returns a context that ends with the harness.
func untilHarness(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it
		os.Exit(3)
	}()
	return ctx, stop
}

type clientCmd struct {
	recorded `embed:""`
	Name     string        `required:""`
	API      string        `required:""`
	APIKey   string        `required:""`
	Open     []string      `required:""`
	Closed   []string      //
	Template string        //
	Think    time.Duration `default:"40ms"`
}

// Run writes messages.
func (c *clientCmd) Run(ctx context.Context) error {
	ctx, stop := untilHarness(ctx)
	defer stop()
	client := recorders.Client{Name: c.Name, API: c.API, APIKey: c.APIKey, Open: c.Open, Closed: c.Closed, History: c.History, Think: c.Think,
		Template: c.Template}
	return client.Run(ctx)
}

type peopleCmd struct {
	recorded `embed:""`
	Phone    string        `required:""`
	Business string        `required:""`
	Writers  []string      `required:""`
	Silent   []string      //
	Think    time.Duration `default:"200ms"`
	Look     bool          // record what the phones show, and end
}

// Run writes on phones, or looks at them.
func (c *peopleCmd) Run(ctx context.Context) error {
	p := recorders.People{Phone: c.Phone, Writers: c.Writers, Silent: c.Silent, History: c.History, Think: c.Think, Business: c.Business}
	if c.Look {
		return p.Look(ctx)
	}
	ctx, stop := untilHarness(ctx)
	defer stop()
	return p.Run(ctx)
}

type sinkCmd struct {
	recorded `embed:""`
	Addr     string  `required:""`
	Trouble  float64 `default:"0.05"`
}

// Run takes webhooks.
func (c *sinkCmd) Run(ctx context.Context) error {
	ctx, stop := untilHarness(ctx)
	defer stop()
	s := recorders.Sink{Addr: c.Addr, History: c.History, Trouble: c.Trouble}
	return s.Run(ctx)
}

type moodyCmd struct {
	recorded `embed:""`
	Name     string `required:""`
	Addr     string `required:""`
	TLSAddr  string `required:""`
}

// Run takes webhooks, in the mood that the last line of standard input names.
func (c *moodyCmd) Run(ctx context.Context) error {
	m := &recorders.Moody{Name: c.Name, Addr: c.Addr, TLSAddr: c.TLSAddr, History: c.History}
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			m.Set(recorders.Mood(lines.Text()))
		}
		os.Exit(3)
	}()
	return m.Run(ctx)
}

type wireCmd struct {
	recorded `embed:""`
	Addr     string `required:""`
	Relay    string `required:""`
	Frames   string `type:"path"`
}

// Run passes frames on.
func (c *wireCmd) Run(ctx context.Context) error {
	ctx, stop := untilHarness(ctx)
	defer stop()
	w := recorders.Wire{Addr: c.Addr, Relay: c.Relay, History: c.History, Frames: c.Frames}
	return w.Run(ctx)
}
