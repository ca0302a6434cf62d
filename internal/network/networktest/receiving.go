package networktest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/patience"
)

var errDisk = errors.New("the disk does not answer")

func receiptsBothWays(t *testing.T, d *Desk) {
	ana := d.Customer()
	o := d.Text(ana, "tick me")
	d.Send(o)
	wantShown(t, ana, "tick me")
	for _, s := range []kabar.Status{kabar.Delivered, kabar.Read} {
		ana.Confirm(s, o.Ref)
		d.Await(ana, "a receipt", 1, func(u kabar.Update) bool {
			return u.Receipt != nil && u.Receipt.Status == s && slices.Equal(u.Receipt.Refs, []string{o.Ref})
		})
	}
	refs := []string{ana.Say("one"), ana.Say("two")}
	d.Await(ana, "texts", 2, isMessage)
	for _, s := range []kabar.Status{kabar.Delivered, kabar.Read} {
		d.Send(&network.Outgoing{Purpose: network.PurposeReceipt, From: d.Number, To: ana.Customer(), Now: d.Now(),
			Receipt: &kabar.Receipt{Status: s, Refs: refs}})
		patience.Until(t, "both messages are "+s.String(), func() bool {
			ticks := ana.Ticks()
			return ticks[refs[0]] == s && ticks[refs[1]] == s
		})
	}
	wantShown(t, ana, "tick me")
}

func flowGoesOn(t *testing.T, d *Desk) {
	ana := d.Customer()
	o := d.Text(ana, "fill me in")
	d.Send(o)
	wantShown(t, ana, "fill me in")
	asked := &kabar.FlowQuestion{ID: "00112233445566778899aabbccddeeff", Message: o.Ref, Action: kabar.FlowExchange, Screen: "ONE", Data: []byte(`{"a":1}`)}
	ana.Ask(asked)
	u := d.Await(ana, "a question", 1, func(u kabar.Update) bool { return u.Asked != nil })[0]
	if !reflect.DeepEqual(u.Asked, asked) || u.Ref != asked.ID {
		t.Errorf("the question came as %+v, under %s", u.Asked, u.Ref)
	}
	step := &kabar.FlowStep{Question: asked.ID, Message: o.Ref, Screen: "TWO", Data: []byte(`{"b":2}`)}
	d.Send(&network.Outgoing{Purpose: network.PurposeFlow, From: d.Number, To: ana.Customer(), Now: d.Now(), Step: step})
	patience.Until(t, "the customer is told", func() bool { return len(ana.Told()) == 1 })
	if got := ana.Told()[0]; !reflect.DeepEqual(got, step) {
		t.Errorf("the customer was told %+v", got)
	}
}

func tapHeard(t *testing.T, d *Desk) {
	ana := d.Customer()
	o := d.Text(ana, "open me")
	d.Send(o)
	wantShown(t, ana, "open me")
	for i, tap := range []*kabar.LinkTap{{ID: "00112233445566778899aabbccddeeff", Message: o.Ref, Card: 2, Button: 1}, {ID: "ff112233445566778899aabbccddee00", Message: o.Ref}} {
		ana.Tap(tap)
		heard := d.Await(ana, "a tap", i+1, func(u kabar.Update) bool { return u.Tapped != nil })
		if u := heard[i]; !reflect.DeepEqual(u.Tapped, tap) || u.Ref != tap.ID || u.At.IsZero() {
			t.Errorf("the tap came as %+v, under %s at %s", u.Tapped, u.Ref, u.At)
		}
	}
}

// failing makes the next n updates about customers fail before they are committed.
func (d *Desk) failing(n int64, err error) *atomic.Int64 {
	var left atomic.Int64
	left.Store(n)
	d.Store.Around(func(_ context.Context, u kabar.Update, commit func() error) error {
		if u.From.Handle() != "" && left.Add(-1) >= 0 {
			return err
		}
		return commit()
	})
	return &left
}

func acknowledgedLate(t *testing.T, d *Desk) {
	ana := d.Customer()
	left := d.failing(3, errDisk)
	ref := ana.Say("hold on")
	u := d.Await(ana, "a text", 1, isMessage)[0]
	if left.Load() >= 0 {
		t.Errorf("committed, though %d failures were still to come", left.Load())
	}
	if u.Ref != ref || u.At.IsZero() {
		t.Errorf("the update is %+v, want ref %s and a time", u, ref)
	}
	ana.Say("next")
	d.Await(ana, "a text", 2, isMessage)
	if got := d.Texts(ana); !slices.Equal(got, []string{"hold on", "next"}) {
		t.Errorf("heard %q", got)
	}
}

func survivesProcess(t *testing.T, d *Desk) {
	ana := d.Customer()
	left := d.failing(1<<40, errDisk)
	ana.Say("do not lose me")
	ana.Say("nor me")
	patience.Until(t, "the driver tries", func() bool { return left.Load() < 1<<40 })
	d.Stop()
	d.Store.Around(nil)
	d.Start()
	d.Await(ana, "texts", 2, isMessage)
	if got := d.Texts(ana); !slices.Equal(got, []string{"do not lose me", "nor me"}) {
		t.Errorf("heard %q", got)
	}
}

func answerLost(t *testing.T, d *Desk) {
	ana := d.Customer()
	d.Send(d.Text(ana, "hello"))
	var lost atomic.Bool
	d.Store.Around(func(_ context.Context, u kabar.Update, commit func() error) error {
		if err := commit(); err != nil || u.Message == nil || lost.Swap(true) {
			return err
		}
		if d.Line != nil {
			d.Line(false) // nor can an acknowledgement get out
		}
		return errDisk
	})
	ana.Say("committed")
	d.Await(ana, "a text", 1, isMessage)
	if d.Line != nil {
		d.Line(true)
	}
	d.Connected(true)
	ana.Say("after that")
	d.Await(ana, "texts", 2, isMessage)
	if got := d.Texts(ana); !slices.Equal(got, []string{"committed", "after that"}) {
		t.Errorf("heard %q", got)
	}
	d.Send(d.Text(ana, "goodbye"))
	wantShown(t, ana, "hello", "goodbye")
	d.wantNoTrouble(ana)
}

func computesAgain(t *testing.T, d *Desk) {
	ana := d.Customer()
	left := d.failing(3, network.ErrConflict)
	ana.Say("through")
	d.Await(ana, "a text", 1, isMessage)
	if left.Load() >= 0 {
		t.Error("committed, though a conflict was still to come")
	}
	// And a real one: the business sends while the customer's message is on its way into the store.
	var once atomic.Bool
	d.Store.Around(func(_ context.Context, u kabar.Update, commit func() error) error {
		if u.Message != nil && !once.Swap(true) {
			if _, err := d.compute(d.Text(ana, "never transmitted")); err != nil && !errors.Is(err, network.ErrNeedsOpen) {
				t.Error(err)
			}
		}
		return commit()
	})
	ana.Say("and through")
	d.Await(ana, "texts", 2, isMessage)
	d.Store.Around(nil)
	d.Send(d.Text(ana, "fine"))
	wantShown(t, ana, "fine")
	d.wantNoTrouble(ana)
}

func updatesInOrder(t *testing.T, d *Desk) {
	d.failing(5, errDisk)
	customers := []Peer{d.Customer(), d.Customer(), d.Customer()}
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprint("number ", i))
		for _, p := range customers {
			p.Say(want[i])
		}
	}
	for _, p := range customers {
		d.Await(p, "texts", len(want), isMessage)
		if got := d.Texts(p); !slices.Equal(got, want) {
			t.Errorf("heard %q", got)
		}
	}
}

func stuckAlone(t *testing.T, d *Desk) {
	stuck, others := d.Customer(), []Peer{d.Customer(), d.Customer(), d.Customer(), d.Customer(), d.Customer()}
	release := make(chan struct{})
	d.Store.Around(func(ctx context.Context, u kabar.Update, commit func() error) error {
		if u.From.Handle() == stuck.Customer().Handle() {
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
		return commit()
	})
	for i := range 5 {
		stuck.Say(fmt.Sprint("stuck ", i))
	}
	for _, p := range others {
		p.Say("one")
		p.Say("two")
	}
	for _, p := range others {
		d.Await(p, "texts", 2, isMessage)
		d.Send(d.Text(p, "heard you"))
		wantShown(t, p, "heard you")
	}
	if got := d.Texts(stuck); len(got) > 0 {
		t.Errorf("heard %q while the store was stuck", got)
	}
	close(release)
	d.Await(stuck, "texts", 5, isMessage)
	if got := d.Texts(stuck); !slices.Equal(got, []string{"stuck 0", "stuck 1", "stuck 2", "stuck 3", "stuck 4"}) {
		t.Errorf("heard %q", got)
	}
}
