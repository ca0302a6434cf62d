package sim

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/media"
	"kabar/internal/network/networktest"
	"kabar/internal/onprem"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/webhook"
)

const (
	digits = "628111000111"
	hookTo = "https://app.example/hook"
	dbFile = "kabar.db"
)

// origin is a store with one number in it, of which every seed's is a copy.
type origin struct {
	db     []byte // the file
	master secrets.Key
	number *kabar.Number
}

// newOrigin makes one in a folder that exists.
func newOrigin(ctx context.Context, dir string) (_ *origin, err error) {
	o := &origin{master: secrets.NewKey()}
	path := filepath.Join(dir, dbFile)
	db, err := store.Open(ctx, store.Options{Path: path, Master: o.master})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, db.Close()); err == nil {
			o.db, err = os.ReadFile(path)
		}
	}()
	start := time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC) // before every bubble's time
	o.number, err = engine.AddNumber(ctx, db, engine.NewNumber{Account: &kabar.Account{Name: "Warung"}, Digits: digits,
		Profile: kabar.Profile{Name: "Warung Kabar"}, Templates: []*kabar.TemplateDef{{Name: "hello", Language: "en",
			Category: kabar.CategoryUtility, Status: kabar.TemplateApproved,
			Components: []kabar.TemplateComponent{{Type: kabar.TemplateBody, Text: "Hello {{1}}"}}}}}, start)
	if err != nil {
		return nil, err
	}
	e := engine.New(engine.Options{Store: db})
	if err := e.Attach(ctx, o.number.ID, networktest.NewFake()); err != nil {
		return nil, err
	}
	return o, e.ChangeSettings(ctx, o.number.ID, func(s *kabar.Settings, url *string) error {
		s.SentEvents, *url = true, hookTo
		return nil
	})
}

// server is one life of the product's process: from a start to a crash, or to the end.
type server struct {
	w      *world
	db     *store.DB
	engine *engine.Engine
	hooks  *webhook.Dispatcher
	line   *line
	stop   func() error

	armed  atomic.Bool   // batches wait from now on
	permit chan struct{} // for the next batch
	dead   bool          // guarded by the gates' mutex
}

// start runs a server on what the disk holds. Then its writer stands behind a commit and waits for the permit for the next one.
func (w *world) start() {
	s := &server{w: w, permit: make(chan struct{})}
	s.line = &line{Fake: w.network, server: s}
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	s.db, err = store.Open(ctx, store.Options{Path: filepath.Join(w.place.dir, dbFile), Dial: w.place.dial,
		Master: w.origin.master, Observe: s.observe})
	w.must(err)
	s.engine = engine.New(engine.Options{Store: s.db, Media: w.media, Now: time.Now,
		Committed: func(n kabar.NumberID) { s.hooks.Wake(n) }})
	api, err := onprem.New(ctx, onprem.Options{Engine: s.engine, Store: s.db})
	w.must(err)
	s.hooks = webhook.New(webhook.Options{Store: s.db, Client: &sink{w: w, server: s}, Settings: s.engine.Settings,
		Number: s.engine.Number, Now: time.Now, Render: map[kabar.Dialect]webhook.Renderer{kabar.OnPrem: api.Render}})
	w.must(s.engine.Attach(ctx, w.origin.number.ID, s.line))
	synctest.Wait() // the writer has told of its last batch
	s.armed.Store(true)
	w.must(s.db.Write(ctx, nil, func(*store.Tx) error { return nil }))

	done := make(chan error, 2)
	go func() { done <- s.engine.Run(ctx) }()
	go func() { done <- s.hooks.Run(ctx) }()
	s.stop = func() error {
		close(s.permit)
		cancel()
		return errors.Join(<-done, <-done, s.db.Close())
	}
	w.server = s
}

// observe keeps the writer behind each commit until the next one is due, so that what has been committed is known, and
// all that has come meanwhile is one batch whose content does not depend on when the writer looked.
func (s *server) observe(int, time.Duration) {
	if s.armed.Load() {
		<-s.permit
	}
}

// queued reports how many writes wait for the next commit.
func (s *server) queued() int {
	n, _ := s.db.Waiting()
	return n
}

// crash is what a killed process leaves: the files as they are, without those that only a living one needs. The outside
// goes on; what the server does after this it does for nobody.
func (w *world) crash() {
	db, wal := w.place.disk.Save()
	if w.mutant == lastCommitLost {
		wal = wal[:min(w.logged, int64(len(wal)))]
	}
	w.gates.kill(w.server)
	w.must(w.server.stop())
	for _, c := range w.calls {
		c.forgo()
	}
	for _, p := range w.phones {
		p.handing = false
	}
	w.calls = nil
	w.must(w.place.disk.Load(db, wal))
	w.start()
}

// newMedia opens an empty folder of media: the engine asks for one.
func newMedia(dir string) (*media.Store, error) { return media.Open(filepath.Join(dir, "media")) }
