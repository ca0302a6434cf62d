// Package phone is the customers' side: any number of simulated handsets, each a real end-to-end-encrypted endpoint with
// its own identity, prekeys and sessions in phone.db, and a control API with which a test can be a customer (routes
// in api.go is the table of calls).
//
// A message goes the way it goes on the business's side. Outbound: the message is committed with its payload in the
// outbox; when its turn comes, session and ciphertext are committed together, at once with the message if nothing is ahead
// of it; then the ciphertext leaves, byte for byte the same however often it must be sent. Inbound: session, message and
// the payload of the receipt for it are committed together, then the relay gets its acknowledgement, then the receipt
// leaves. Receipts that wait behind each other leave joined, up to 100 in one envelope: a relay lets a customer send far
// less than a business. They overtake no message, and what is read was delivered before. What cannot be decrypted is kept,
// acknowledged and asked for again in a fresh session.
//
// Every change is one operation of the store's group commit. Operations run one after another and read what they change,
// so no lock guards a session. A customer at rest costs a connection, two goroutines and no timer; work is done by
// goroutines that live as long as there is some.
//
// The package does not seal phone.db at rest, has one device for each customer, and knows nothing of the business's
// server: the two meet at the relay. Times come from Options.Now; waits of the network take real time.
package phone

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"kabar/internal/e2ee"
	"kabar/internal/relayproto"
	"kabar/internal/sqlite"
)

// Options say where a phone keeps its things and whom it talks to.
type Options struct {
	Path       string           // of phone.db
	MediaDir   string           // folder of plain media files; empty: "media" beside phone.db
	RelayURL   string           // ws://host:port or wss://host:port
	Businesses []string         // digits of the numbers that customers know; the only one is the default target
	Invite     string           // admits this phone's customers to a relay that asks for it; needed until the first has registered
	HTTP       *http.Client     // for connections to the relay; nil: the default one
	Token      string           // required from clients of the API as a bearer token; empty: none, for loopback only
	Hosts      []string         // names, beside localhost and IP addresses, under which the API answers
	Now        func() time.Time // nil: time.Now
	Log        *slog.Logger     // nil: no log. Contents are not logged.
}

// Phone holds the handsets. Its methods are safe for concurrent use.
type Phone struct {
	opts  Options
	now   func() time.Time
	log   *slog.Logger
	db    *sqlite.DB
	files *files
	hub   hub
	peers e2ee.Memo
	host  []byte // secret: by it a private relay knows this phone's customers

	shifted chan struct{} // the clock has jumped
	dials   chan struct{} // bounds the number of dials at a time
	fetches chan struct{} // bounds the number of media on their way

	mu      sync.Mutex
	running context.Context //nolint:containedctx // of Run: the life of the connections; nil before
	links   map[int64]*link
	work    sync.WaitGroup
}

// Open opens or creates the store. A second process on the same store gets an error that names the first. The caller
// closes the Phone after Run has returned.
func Open(ctx context.Context, o Options) (*Phone, error) {
	for _, business := range o.Businesses {
		if !isNumber(business) {
			return nil, fmt.Errorf("open phone: the business %q is no phone number: want 7 to 15 digits", business)
		}
	}
	p := &Phone{
		opts: o, now: o.Now, log: o.Log,
		shifted: make(chan struct{}, 1), dials: make(chan struct{}, dialsAtOnce), fetches: make(chan struct{}, 4), links: make(map[int64]*link),
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if p.db, err = sqlite.Open(o.Path); err != nil {
		return nil, inUse(err)
	}
	if err := p.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open phone: %w", err), p.Close())
	}
	return p, nil
}

func (p *Phone) prepare(ctx context.Context) (err error) {
	if err := p.db.Migrate(ctx, schema); err != nil {
		return err
	}
	if err := p.loadHost(ctx); err != nil {
		return fmt.Errorf("read the host secret: %w", err)
	}
	dir := p.opts.MediaDir
	if dir == "" {
		dir = filepath.Join(filepath.Dir(p.opts.Path), "media")
	}
	if p.files, err = openFiles(dir); err != nil {
		return err
	}
	known, err := list[string](ctx, p.db.Read, "SELECT file FROM media WHERE state = ?", mediaHere)
	if err != nil {
		return fmt.Errorf("list media: %w", err)
	}
	return p.files.sweep(ctx, known)
}

// loadHost reads the host secret, and makes it at the first start.
func (p *Phone) loadHost(ctx context.Context) error {
	fresh := make([]byte, relayproto.HostSize)
	rand.Read(fresh) // crypto/rand never fails
	err := p.db.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT OR IGNORE INTO host (one, secret) VALUES (1, ?)", fresh)
		return err
	})
	if err != nil {
		return err
	}
	return p.db.Read.QueryRowContext(ctx, "SELECT secret FROM host").Scan(&p.host)
}

// Close closes the store. What was committed is on disk, whether Run had time to send it or not.
func (p *Phone) Close() error {
	err := p.db.Close()
	if p.files != nil {
		err = errors.Join(err, p.files.root.Close())
	}
	return err
}

// ended lets nobody begin anything more, and waits for what is under way.
func (p *Phone) ended() {
	p.mu.Lock()
	p.running = nil
	p.mu.Unlock()
	p.work.Wait()
}

// Run keeps every online customer connected until ctx ends, which is no error. It is called once.
func (p *Phone) Run(ctx context.Context) error {
	p.mu.Lock()
	p.running = ctx
	p.mu.Unlock()
	defer p.ended()
	online, err := list[int64](ctx, p.db.Read, "SELECT id FROM customers WHERE online ORDER BY id")
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("run phone: %w", err)
	}
	for _, id := range online {
		p.connect(id)
	}
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-p.shifted:
		case <-ctx.Done():
			return nil
		}
		p.tidy(ctx)
	}
}

// Shifted says that the clock has jumped: keys may have come of age. It does not block.
func (p *Phone) Shifted() {
	select {
	case p.shifted <- struct{}{}:
	default: // the one that waits says the same
	}
}
