package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// customers is how many people the business talks to in every mode.
const customers = 1000

// digits of the business and of customer i.
const businessDigits = "628111000200"

func customerDigits(i int) string { return fmt.Sprint(34600000000 + i) }

// concurrency is how many webhook requests an endpoint has in flight: the most that the setting allows.
const concurrency = 24

// world is a server's data before the server has started: a number, its administrator with a token, and what a mode needs.
type world struct {
	dir    string // of the server
	master string // file
	key    secrets.Key
	url    string // of the database; empty: SQLite in dir
	token  string

	db            *store.DB // nil when closed
	number        *kabar.Number
	endpoint      *kabar.Endpoint
	conversations []*kabar.Conversation
}

// newWorld makes a store with a number that posts its events to hook, and leaves it open. The caller closes it.
func (b *bench) newWorld(ctx context.Context, name, hook string) (w *world, err error) {
	w = &world{dir: filepath.Join(b.dir, name), master: filepath.Join(b.dir, name+".key")}
	if w.url, err = b.database(ctx, name); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return nil, err
	}
	if w.key, err = secrets.CreateMasterKey(w.master); err != nil {
		return nil, err
	}
	if w.db, err = store.Open(ctx, w.options()); err != nil {
		return nil, err
	}
	if err := w.found(ctx, hook); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) options() store.Options {
	o := store.Options{Master: w.key, URL: w.url}
	if w.url == "" {
		o.Path = filepath.Join(w.dir, "kabar.db")
	}
	return o
}

// close closes the store, so that a server can open it. A second call does nothing.
func (w *world) close() error {
	if w.db == nil {
		return nil
	}
	err := w.db.Close()
	w.db = nil
	return err
}

func (w *world) found(ctx context.Context, hook string) (err error) {
	if w.number, err = engine.AddNumber(ctx, w.db, engine.NewNumber{Account: &kabar.Account{Name: "Benchmark"}, Digits: businessDigits,
		Profile: kabar.Profile{Name: "Benchmark"}}, time.Now()); err != nil {
		return err
	}
	endpoints, err := w.db.Endpoints(ctx, w.number.ID)
	if err != nil {
		return err
	}
	w.endpoint = endpoints[0]
	settings := engine.DefaultSettings()
	settings.SentEvents, settings.Concurrency = true, concurrency
	settings.BackoffStep, settings.BackoffCap = backoff, backoff
	if err := w.write(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.SaveNumber(w.number, settings), tx.SetURL(w.number.ID, w.endpoint.ID, hook))
	}); err != nil {
		return err
	}
	users, err := auth.New(ctx, auth.Options{Store: w.db})
	if err != nil {
		return err
	}
	if err := users.AddUser(ctx, auth.NewUser{Number: w.number, Name: "admin", Password: auth.RandomPassword(), Role: auth.RoleAdmin}); err != nil {
		return err
	}
	token, err := users.Issue(ctx, "admin")
	w.token = token.Token
	return err
}

// backoff is how long a failed webhook waits: with the product's minutes, an endpoint that comes back would be noticed late.
const backoff = time.Second

func (w *world) write(ctx context.Context, do func(tx *store.Tx) error) error {
	return w.db.Write(ctx, nil, do)
}

// talk gives the number its customers, all of whom have just written: their windows are open.
func (w *world) talk(ctx context.Context) error {
	return w.write(ctx, func(tx *store.Tx) error {
		w.conversations = make([]*kabar.Conversation, customers)
		for i := range w.conversations {
			c, err := tx.CreateConversation(w.number, kabar.Customer{WaID: customerDigits(i), Name: fmt.Sprint("Customer ", i)})
			if err != nil {
				return err
			}
			c.LastInbound = time.Now()
			if err := tx.SaveConversation(c); err != nil {
				return err
			}
			w.conversations[i] = c
		}
		return nil
	})
}

// bulk is how many rows are filled in with one operation.
const bulk = 5000

// fill writes n things in operations of bulk and tells how far it is.
func (w *world) fill(ctx context.Context, n int64, tell func(done int64), one func(tx *store.Tx, i int64) error) error {
	for done := int64(0); done < n; done += bulk {
		end := min(done+bulk, n)
		if err := w.write(ctx, func(tx *store.Tx) error {
			for i := done; i < end; i++ {
				if err := one(tx, i); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		tell(end)
	}
	return nil
}

// addEvent tells that a message to one of the customers, in turn, has been delivered.
func (w *world) addEvent(tx *store.Tx, i int64) error {
	c := w.conversations[i%int64(len(w.conversations))]
	now := time.Now()
	return tx.AddEvent(&kabar.Event{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: kabar.EventStatus, At: now, Customer: c.Customer,
		Message: kabar.MessageID(i + 1), Ref: uint64(i + 1), Status: kabar.Delivered, Billing: 1, Expires: now.Add(kabar.Window),
		Category: kabar.CategoryService})
}
