package onprem

import (
	"database/sql"
	"path/filepath"
	"sync"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/golden"
	"kabar/internal/network"
	await "kabar/internal/patience"
	"kabar/internal/store"
)

// command does one thing that no request does.
func (p *player) command(words []string) {
	p.t.Helper()
	if len(words) == 0 {
		return
	}
	arg := append(words, "", "")[1:]
	switch words[0] {
	case "advance":
		d, err := time.ParseDuration(arg[0])
		must(p.t, err)
		p.advance(d)
	case "credit": // the limit of the account's line
		limit, err := kabar.ParseMoney(arg[0])
		must(p.t, err)
		_, err = p.engine.Accounts().Draw(p.t.Context(), p.a.Account, limit, "operator")
		must(p.t, err)
	case "offline":
		p.net.set(true, p.now())
	case "revoked": // by the network
		p.net.admit(string(network.RegistrationRefused))
		p.net.set(true, p.now())
	case "online":
		p.net.set(false, p.now())
		p.net.in.Ready()
	case "joins": // the network
		p.net.join(arg[0])
	case "registration": // unverified, refused or unknown
		p.net.admit(arg[0])
	case "collected": // waits for the end of so many collections since the start
		p.awaitEvents(kabar.EventCollected, arg[0])
	case "faults": // waits for so many out-of-band errors since the start
		p.awaitEvents(kabar.EventFault, arg[0])
	case "bar": // the number blocks a customer, which only the Cloud API can do
		done, err := p.engine.Bar(p.t.Context(), p.a.ID, arg[:1], engine.MaxBarred)
		p.barred(done, err)
	case "unbar":
		done, err := p.engine.Unbar(p.t.Context(), p.a.ID, arg[:1])
		p.barred(done, err)
	case "limits": // throughput, pair_rate or tier, and what it is
		_, err := p.engine.ChangeLimits(p.t.Context(), p.a.ID, func(l *kabar.Limits) error { return golden.SetLimits(l, arg) })
		must(p.t, err)
	case "reached": // so many customers, by the account
		statements, err := golden.Reached(arg[0], p.now())
		must(p.t, err)
		for _, s := range statements {
			p.sql(s)
		}
	case "consent": // required, advisory, or a cap of marketing
		must(p.t, p.engine.ChangeSettings(p.t.Context(), p.a.ID, func(s *kabar.Settings, _ *string) error { return golden.SetConsent(&s.Consent, arg) }))
	case "refuse": // what is sent from now on: "unknown", "undeliverable", or "later"
		p.net.refuses(arg[0])
	case "busy": // as many writes wait as may
		p.busy()
	case "idle":
		p.release()
	case "broken": // every message is refused by the database
		p.sql("CREATE TRIGGER broken BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'out of order'); END")
	case "mended":
		p.sql("DROP TRIGGER broken")
	default:
		p.update(words[0], arg)
	}
}

// barred checks that a block list was changed.
func (p *player) barred(done []engine.Barring, err error) {
	p.t.Helper()
	must(p.t, err)
	for _, b := range done {
		if b.Refused != nil {
			p.t.Fatal(b.Refused)
		}
	}
}

// busy holds up the store's writer until release, and has as many operations wait for it as may.
func (p *player) busy() {
	p.t.Helper()
	begun, release := make(chan struct{}), make(chan struct{})
	var waiting sync.WaitGroup
	write := func(do func(*store.Tx) error) {
		waiting.Go(func() {
			if err := p.db.Write(p.t.Context(), nil, do); err != nil {
				p.t.Error(err)
			}
		})
	}
	first := sync.OnceFunc(func() { close(begun) })
	write(func(*store.Tx) error {
		first()
		<-release
		return nil
	})
	await.Next(p.t, "the first one is written", begun)
	_, limit := p.db.Waiting()
	for range limit {
		write(func(*store.Tx) error { return nil })
	}
	await.Until(p.t, "the queue is full", func() bool { n, _ := p.db.Waiting(); return n >= limit })
	p.release = func() {
		close(release)
		waiting.Wait()
		p.release = nil
	}
}

// sql changes the database behind the store's back.
func (p *player) sql(statement string) {
	p.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.dir, "kabar.db")+"?_pragma=busy_timeout(10000)")
	must(p.t, err)
	_, err = db.ExecContext(p.t.Context(), statement)
	must(p.t, err)
	must(p.t, db.Close())
}
