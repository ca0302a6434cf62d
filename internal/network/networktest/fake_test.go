package networktest_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
)

// The fake is a correct driver, too: the tests of the engine rest on it.
func TestFake(t *testing.T) {
	networktest.Exercise(t, func(t *testing.T) networktest.Pair {
		w := &world{t: t, fake: networktest.NewFake(), apps: map[string]*app{}}
		var all sync.WaitGroup
		t.Cleanup(all.Wait)
		w.fake.Refuse(w.arrive)
		return networktest.Pair{
			Number: &kabar.Number{ID: 1, Digits: "628111000111", Profile: kabar.Profile{Name: "Warung"}},
			Now:    time.Now,
			Driver: func() network.Network { return w.fake },
			Line:   func(up bool) { w.fake.SetOffline(!up) },
			Customer: func() networktest.Peer {
				a := w.customer()
				all.Go(func() { a.speak(t.Context()) })
				return a
			},
		}
	})
}

// world is where the packets of a Fake arrive.
type world struct {
	t    *testing.T
	fake *networktest.Fake
	mu   sync.Mutex
	apps map[string]*app
}

// app is a customer of a Fake: it understands a packet unless it has forgotten too much.
type app struct {
	w        *world
	who      kabar.Customer
	identity int
	lost     bool // only what is sent afresh can be read
	counters map[int]bool
	shown    []networktest.Shown
	ticks    map[string]kabar.Status
	profile  kabar.Profile
	told     []*kabar.FlowStep
	said     []kabar.Update
	more     chan struct{}
}

func (w *world) customer() *app {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := &app{w: w, who: kabar.Customer{WaID: fmt.Sprintf("62800%d", len(w.apps))}, counters: map[int]bool{},
		ticks: map[string]kabar.Status{}, more: make(chan struct{}, 1)}
	w.apps[a.who.WaID] = a
	return a
}

// arrive takes every packet the Fake is handed.
func (w *world) arrive(p networktest.Packet) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.apps[p.To]
	if a == nil || a.counters[p.Counter] {
		return nil
	}
	a.counters[p.Counter] = true
	if a.lost && !p.Fresh {
		a.tell(kabar.Update{Retry: &kabar.Retry{Refs: []string{p.Ref}}})
		return nil
	}
	a.lost = false
	switch {
	case p.Profile != nil:
		a.profile = *p.Profile
	case p.Step != nil:
		a.told = append(a.told, p.Step)
	case p.Receipt != nil:
		for _, ref := range p.Receipt.Refs {
			a.ticks[ref] = p.Receipt.Status
		}
	case p.Purpose == network.PurposeMessage && !slices.ContainsFunc(a.shown, func(s networktest.Shown) bool { return s.Ref == p.Ref }):
		c, err := kabar.DecodeContent(p.Kind, p.Content)
		if err != nil {
			return err
		}
		a.shown = append(a.shown, networktest.Shown{Ref: p.Ref, Content: c, ReplyTo: p.ReplyTo, Target: p.Target})
	}
	return nil
}

// tell has an update go to the business. The caller holds the lock.
func (a *app) tell(u kabar.Update) {
	u.From, u.At, u.NewIdentity = a.who, time.Now(), fmt.Sprint("identity ", a.identity)
	a.said = append(a.said, u)
	select {
	case a.more <- struct{}{}:
	default:
	}
}

// speak delivers what the customer says, in order, each until it is committed.
func (a *app) speak(ctx context.Context) {
	for done := 0; ; {
		a.w.mu.Lock()
		todo := a.said[done:]
		a.w.mu.Unlock()
		for _, u := range todo {
			for a.w.fake.Deliver(ctx, u) != nil {
				select {
				case <-time.After(time.Millisecond):
				case <-ctx.Done():
					return
				}
			}
			done++
		}
		select {
		case <-a.more:
		case <-ctx.Done():
			return
		}
	}
}

func (a *app) Customer() kabar.Customer { return a.who }

func (a *app) Shown() []networktest.Shown {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return slices.Clone(a.shown)
}

func (a *app) Ticks() map[string]kabar.Status {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return maps.Clone(a.ticks)
}

func (a *app) Profile() kabar.Profile {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return a.profile
}

func (a *app) Say(text string) string {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	ref := hex.EncodeToString(id[:])
	a.tell(kabar.Update{Ref: ref, Message: &kabar.Incoming{Content: &kabar.Text{Body: text}}})
	return ref
}

func (a *app) Show(string, []byte) string {
	a.w.t.Fatal("a Fake carries no media")
	return ""
}

func (a *app) Ask(q *kabar.FlowQuestion) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.tell(kabar.Update{Ref: q.ID, Asked: q})
}

func (a *app) Tap(t *kabar.LinkTap) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.tell(kabar.Update{Ref: t.ID, Tapped: t})
}

func (a *app) Told() []*kabar.FlowStep {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return slices.Clone(a.told)
}

func (a *app) Confirm(s kabar.Status, refs ...string) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.tell(kabar.Update{Receipt: &kabar.Receipt{Status: s, Refs: refs}})
}

func (a *app) Online(bool) {} // a Fake hands over at once, whoever is there

func (a *app) Forget() {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.lost = true
}

func (a *app) Reinstall() {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.lost, a.shown, a.identity = true, nil, a.identity+1
}
