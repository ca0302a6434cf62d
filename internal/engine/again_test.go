package engine_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
)

// What was asked for in something that the customer could not read is asked for again, as much in a request as travels in one.
func TestALostRequestIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		settle()
		var lost []string
		for i := range 130 {
			lost = append(lost, fmt.Sprintf("%032x", 0xee00+i))
		}
		before := len(v.net.Packets())
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Retry: &kabar.Retry{Again: lost}})
		settle()
		var refs []string
		for _, p := range v.net.Packets()[before:] {
			if p.Purpose != network.PurposeRetry || !p.Fresh || len(p.Refs) > 100 {
				t.Errorf("purpose %v with %d refs", p.Purpose, len(p.Refs))
			}
			refs = append(refs, p.Refs...)
		}
		if fmt.Sprint(refs) != fmt.Sprint(lost) {
			t.Errorf("asked for %d envelopes, want %d, in order", len(refs), len(lost))
		}
	})
}

// contested is a network with which something else is always faster than the commit of what Open returns.
type contested struct {
	*networktest.Fake
	conflicts, fetches atomic.Int32
	in                 network.Inbox
}

func (c *contested) Run(ctx context.Context, in network.Inbox) error {
	c.in = in
	return c.Fake.Run(ctx, in)
}

func (c *contested) Open(ctx context.Context, o *network.Outgoing, s network.State) (network.Change, error) {
	if o.Fetched == nil {
		c.fetches.Add(1)
		o.Fetched = "a bundle"
	}
	change, err := c.Fake.Open(ctx, o, s)
	if err == nil && c.conflicts.Add(-1) >= 0 {
		err = c.in.Deliver(ctx, kabar.Update{}, change)
	}
	return change, err
}

// A network may serve few bundles an hour: what was fetched serves until a session is committed.
func TestAConflictHasNothingFetchedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &contested{Fake: networktest.NewFake()}
		v := newEnvWith(t, net.Fake, net)
		v.hear(ana, "hi") // the receipt opens the session
		settle()
		net.fetches.Store(0)
		net.conflicts.Store(5)
		ref := v.text(ana, "hello")
		settle()
		v.again("", ref) // sent anew in a fresh session
		if got := net.fetches.Load(); got != 1 || net.conflicts.Load() >= 0 || len(v.fresh()) != 1 {
			t.Errorf("%d fetched, %d conflicts left, %d sent anew; want 1, none, 1", got, net.conflicts.Load()+1, len(v.fresh()))
		}
	})
}
