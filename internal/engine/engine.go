// Package engine moves messages: it judges and commits what applications send (send.go), prepares and transmits it
// (work.go), commits what networks deliver (deliver.go), and fetches media (fetch.go).
//
// The API dialects call it, the network drivers compute for it, the store commits for it. It holds no state of a message
// that is not in the store: a killed process goes on where it stopped. Every change of a message, the job that follows
// from it and the event that tells of it are one transaction, and nothing is answered, acknowledged or published before
// that transaction is on disk.
//
// Attach numbers, before or while Run runs. All methods are safe for concurrent use.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"kabar"
	"kabar/internal/flowdata"
	"kabar/internal/lanes"
	"kabar/internal/media"
	"kabar/internal/network"
	"kabar/internal/store"
)

// Options are what an engine works with.
type Options struct {
	Store *store.DB
	Media *media.Store
	Fetch Fetcher // for media links; nil refuses them
	// Endpoints makes the requests to the endpoints of flows; nil: flows that exchange data are not served.
	Endpoints flowdata.Doer
	// Preview returns what a link in a text leads to, within a few seconds; nil when nothing is known of it. Without it texts
	// go without previews.
	Preview func(ctx context.Context, url string) *kabar.Preview
	Log     *slog.Logger
	Now     func() time.Time // the only clock of the product's rules; default time.Now
	// Committed is called after a commit that has added an event to the number's log. It must not block.
	Committed func(kabar.NumberID)
	// Counted is called after the commit of a message (Accepted or Received, with its kind) and of every further status of one
	// (without), so that somebody can count them. It must not block.
	Counted func(kind kabar.Kind, status kabar.Status, failure kabar.Reason)
	// Noted is called for each Note, after the commit where there is one. It must not block.
	Noted func(Note)
	// Rates are what messages cost until others are loaded or imported; nil: nothing.
	Rates *kabar.RateCard
	// Concurrency is how many conversations are worked at a time; default 64. Broadcasts use half of it.
	Concurrency int
}

// Engine moves the messages of all numbers of a server.
type Engine struct {
	db        *store.DB
	media     *media.Store
	fetcher   Fetcher
	endpoints flowdata.Doer
	preview   func(context.Context, string) *kabar.Preview
	log       *slog.Logger
	now       func() time.Time
	committed func(kabar.NumberID)
	counted   func(kabar.Kind, kabar.Status, kabar.Reason)
	noted     func(Note)

	sends   *lanes.Lanes // by conversation
	ahead   ahead        // of sends
	regions regions      // of customers
	meters  meters       // of numbers
	fetches *lanes.Lanes // by job
	asks    *lanes.Lanes // by job

	exchanges *lanes.Lanes // by job

	gates *gates

	uploads singleflight.Group // by number and hash: the same bytes go up once
	setting sync.Mutex         // held while settings change
	naming  sync.Mutex         // held while a username is given

	flowNames sync.Mutex // held while a flow gets a name that no other has

	unpacking sync.Mutex // held while a picture is unpacked

	templates *Templates
	reviews   *Reviews
	accounts  *Accounts
	erasures  *Erasures

	broadcasts *Broadcasts
	flights    *flights
	stirred    signal // a number is connected again, or somebody has changed a broadcast

	collecting  sync.Mutex    // held while somebody collects
	collect     chan struct{} // wakes the collector
	collections []collection  // asked for and not ended, oldest first; guarded by mu

	mu    sync.RWMutex
	lines map[kabar.NumberID]*line
	bars  map[kabar.NumberID]bool // numbers whose block list is being changed
	begin func(*line)             // has a line run; nil while the engine does not
	shift chan struct{}           // closed and replaced when the clock has been shifted
}

// sendConcurrency is how many conversations are worked at a time unless Options say otherwise.
const sendConcurrency = 64

// New returns an engine. It does nothing until Run.
func New(o Options) *Engine {
	e := &Engine{db: o.Store, media: o.Media, fetcher: o.Fetch, endpoints: o.Endpoints, preview: o.Preview, log: o.Log, now: o.Now, committed: o.Committed, counted: o.Counted,
		noted: o.Noted, ahead: ahead{jobs: map[kabar.ConversationID][]int64{}}, lines: map[kabar.NumberID]*line{}, bars: map[kabar.NumberID]bool{}, gates: newGates(),
		shift: make(chan struct{}), collect: make(chan struct{}, 1)}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.now == nil {
		e.now = time.Now
	}
	if e.committed == nil {
		e.committed = func(kabar.NumberID) {}
	}
	if e.counted == nil {
		e.counted = func(kabar.Kind, kabar.Status, kabar.Reason) {}
	}
	e.templates = NewTemplates(e.db, e.now, e.committed)
	e.accounts = NewAccounts(e.db, e.now, o.Rates)
	e.accounts.changed = e.follow
	e.reviews = &Reviews{db: e.db, now: e.now, setting: &e.setting, changed: e.changed, committed: e.committed, wake: make(chan struct{}, 1)}
	if o.Concurrency <= 0 {
		o.Concurrency = sendConcurrency
	}
	e.broadcasts = newBroadcasts(e)
	e.flights = newFlights(o.Concurrency / 2)
	e.erasures = NewErasures(ErasureOptions{Store: e.db, Media: e.media, Now: e.now, Log: e.log, Entries: e.entries})
	e.sends = lanes.New(lanes.Options{Work: e.work, Scan: e.scan(isSend), Concurrency: o.Concurrency})
	e.fetches = lanes.New(lanes.Options{Work: e.fetch, Scan: e.scan(isFetch), Concurrency: fetchConcurrency})
	e.exchanges = lanes.New(lanes.Options{Work: e.exchange, Scan: e.scan(isExchange), Concurrency: exchangeConcurrency})
	e.asks = lanes.New(lanes.Options{Work: e.answer, Scan: e.scan(isAsk), Concurrency: 1}) // the network is asked one thing at a time
	return e
}

// Attach says which network carries the messages of a number, once for each number. While Run runs, the network starts at
// once.
func (e *Engine) Attach(ctx context.Context, id kabar.NumberID, n network.Network) error {
	number, settings, err := e.db.Number(ctx, id)
	if err != nil {
		return err
	}
	account, err := e.db.Account(ctx, number.Account)
	if err != nil {
		return err
	}
	zone, err := zoneOf(account)
	if err != nil {
		return fmt.Errorf("attach %s: the time zone of its account: %w", number.Digits, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lines[id] != nil {
		return fmt.Errorf("attach %s: it has a network already", number.Digits)
	}
	l := &line{number, account, zone, hoursZone(number), settings, n}
	e.lines[id] = l
	e.reviews.hurry()
	if e.begin != nil {
		e.begin(l)
	}
	return nil
}

// Accounts returns the server's accounts.
func (e *Engine) Accounts() *Accounts { return e.accounts }

// follow has the lines of an account see it as it is now.
func (e *Engine) follow(w *kabar.Account) error {
	zone, err := zoneOf(w)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, l := range e.lines {
		if l.account.ID == w.ID {
			next := *l
			next.account, next.zone = w, zone
			e.lines[id] = &next
		}
	}
	return nil
}

// Run works until ctx ends: it sends what is waiting, receives, fetches media and sweeps what has outlived its time.
func (e *Engine) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.sends.Run(ctx) })
	g.Go(func() error { return e.fetches.Run(ctx) })
	g.Go(func() error { return e.asks.Run(ctx) })
	g.Go(func() error { return e.exchanges.Run(ctx) })
	g.Go(func() error { return e.sweep(ctx) })
	g.Go(func() error { return e.collector(ctx) })
	g.Go(func() error { return e.timeTemplates(ctx) })
	g.Go(func() error { return e.timeReviews(ctx) })
	g.Go(func() error { return e.broadcast(ctx) })
	g.Go(func() error { return e.timeLimits(ctx) })
	g.Go(func() error { return e.networks(ctx, g) })
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// networks has every line run in g, also those that are attached later, until ctx ends.
func (e *Engine) networks(ctx context.Context, g *errgroup.Group) error {
	run := func(l *line) {
		began := e.now()
		g.Go(func() error {
			if err := l.net.Run(ctx, &inbox{e, l.number.ID}); err != nil {
				return fmt.Errorf("network of %s: %w", l.number.Digits, err)
			}
			return ctx.Err()
		})
		if _, linked := l.net.(network.Linked); linked { // others have no connection to lose
			g.Go(func() error { return e.watchLink(ctx, l.number.ID, began) })
		}
	}
	e.mu.Lock()
	e.begin = run
	for _, l := range e.lines {
		run(l)
	}
	e.mu.Unlock()
	<-ctx.Done()
	e.mu.Lock() // after this nothing begins any more, so g can end
	e.begin = nil
	e.mu.Unlock()
	return ctx.Err()
}

// Now returns the engine's time.
func (e *Engine) Now() time.Time { return e.now() }
