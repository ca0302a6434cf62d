package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/egress"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/webhook"
)

// volume returns how much a test of size does: less with -short.
func volume(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

const hook = "https://app.example/hook"

// env is a store on disk with an endpoint and some customers of one number, and a dispatcher whose requests go to a sink
// in the same process.
type env struct {
	*storetest.Env
	t         testing.TB
	number    *kabar.Number
	endpoint  *kabar.Endpoint
	customers []kabar.ConversationID
	sink      *sink
	client    webhook.Client
	skew      atomic.Int64 // how far the clock has been shifted, in nanoseconds

	mu       sync.Mutex
	settings kabar.Settings
	render   webhook.Renderer
	batcher  webhook.Batcher
	detached error                  // what asking for the settings says
	options  func(*webhook.Options) // may be nil
	d        *webhook.Dispatcher
	stop     func()
}

// newEnv makes an env with so many customers. The dispatcher does not run yet, and the endpoint has the URL hook.
func newEnv(t testing.TB, customers int) *env {
	t.Helper()
	return newEnvOn(t, storetest.Open(t, "sqlite"), customers)
}

func newEnvOn(t testing.TB, on *storetest.Env, customers int) *env {
	t.Helper()
	v := &env{Env: on, t: t, number: on.A, sink: newSink(), render: render, batcher: batcher{}, stop: func() {},
		settings: kabar.Settings{BackoffStep: 3 * time.Second, BackoffCap: 15 * time.Minute, Concurrency: 6}}
	v.client = egress.New(egress.Policy{Transport: v.sink})
	v.endpoint = &kabar.Endpoint{Account: v.number.Account, Number: v.number.ID, Dialect: kabar.OnPrem, EndpointConfig: kabar.EndpointConfig{URL: hook}}
	v.customers = make([]kabar.ConversationID, customers)
	v.write(func(tx *store.Tx) error {
		for i := range v.customers {
			c, err := tx.CreateConversation(v.number, kabar.Customer{WaID: fmt.Sprint(34600000000 + i)})
			if err != nil {
				return err
			}
			v.customers[i] = c.ID
		}
		return tx.AddEndpoint(v.endpoint, v.now())
	})
	t.Cleanup(func() { v.stop() })
	return v
}

func (v *env) write(do func(tx *store.Tx) error) {
	v.t.Helper()
	v.Write(v.t, do)
}

func (v *env) now() time.Time { return time.Now().Add(time.Duration(v.skew.Load())) }

// start runs a dispatcher over the store.
func (v *env) start() {
	v.t.Helper()
	o := webhook.Options{
		Store: v.DB, Client: v.client, Now: v.now, Version: "1.2.3",
		Render: map[kabar.Dialect]webhook.Renderer{kabar.OnPrem: func(ev *kabar.Event, n *kabar.Number, s kabar.Settings) ([]byte, bool, error) {
			v.mu.Lock()
			render := v.render
			v.mu.Unlock()
			return render(ev, n, s)
		}},
		Batch: map[kabar.Dialect]webhook.Batcher{kabar.OnPrem: v.batcher},
		Settings: func(kabar.NumberID) (kabar.Settings, error) {
			v.mu.Lock()
			defer v.mu.Unlock()
			return v.settings, v.detached
		},
		Number: func(kabar.NumberID) (*kabar.Number, error) { return v.number, nil },
		Log:    slog.New(slog.NewTextHandler(v.t.Output(), nil)),
	}
	if v.options != nil {
		v.options(&o)
	}
	v.d = webhook.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.d.Run(ctx) }()
	v.stop = func() {
		cancel()
		if err := <-done; err != nil {
			v.t.Errorf("Run: %v", err)
		}
		v.stop = func() {}
	}
}

// restart stops everything and starts again on what is on disk.
func (v *env) restart() {
	v.t.Helper()
	v.stop()
	v.Reopen(v.t)
	v.start()
}

// tell appends an event for each of the customers, given by index, in one commit.
func (v *env) tell(customers ...int) {
	v.t.Helper()
	v.tellKind(kabar.EventMessage, customers...)
}

func (v *env) tellKind(k kabar.EventKind, customers ...int) {
	v.t.Helper()
	v.write(func(tx *store.Tx) error {
		for _, c := range customers {
			ev := &kabar.Event{Account: v.number.Account, Number: v.number.ID, Conversation: v.customers[c], Kind: k, At: v.now()}
			if err := tx.AddEvent(ev); err != nil {
				return err
			}
		}
		if v.d != nil {
			tx.After(func() { v.d.Wake(v.number.ID) })
		}
		return nil
	})
}

// configure changes the endpoint.
func (v *env) configure(change func(*kabar.EndpointConfig)) {
	v.t.Helper()
	v.write(func(tx *store.Tx) error {
		return tx.ChangeEndpoint(v.number.ID, v.endpoint.ID, func(c *kabar.EndpointConfig) error { change(c); return nil })
	})
	if v.d != nil {
		v.d.Wake(v.number.ID)
	}
}

// set changes the settings.
func (v *env) set(change func(*kabar.Settings)) {
	v.mu.Lock()
	change(&v.settings)
	v.mu.Unlock()
	if v.d != nil {
		v.d.Wake(v.number.ID)
	}
}

// aim changes the URL.
func (v *env) aim(url string) {
	v.t.Helper()
	v.write(func(tx *store.Tx) error { return tx.SetURL(v.number.ID, v.endpoint.ID, url) })
	if v.d != nil {
		v.d.Wake(v.number.ID)
	}
}

func (v *env) backlog() webhook.Backlog {
	v.t.Helper()
	all, err := v.d.Backlog(context.Background())
	if err != nil {
		v.t.Fatal(err)
	}
	b, ok := all[v.endpoint.ID]
	if !ok {
		v.t.Fatal("the endpoint is unknown")
	}
	return b
}

// disk returns the mark and the rows of the endpoint.
func (v *env) disk() (mark int64, rows []*store.Delivery) {
	v.t.Helper()
	eps, err := v.DB.Endpoints(context.Background(), v.number.ID)
	if err != nil {
		v.t.Fatal(err)
	}
	rows, err = v.DB.DeliveryHeads(context.Background(), v.number.ID, v.endpoint.ID, 0, 1_000_000)
	if err != nil {
		v.t.Fatal(err)
	}
	return eps[0].Mark, rows
}

// wantDone checks that everything is delivered and nothing is left on disk.
func (v *env) wantDone(last int64) {
	v.t.Helper()
	if mark, rows := v.disk(); mark != last || len(rows) != 0 {
		v.t.Errorf("mark %d with %d rows, want %d with none", mark, len(rows), last)
	}
	if b := v.backlog(); b.Pending != 0 || b.Parked != 0 || b.Failing || !b.Oldest.IsZero() {
		v.t.Errorf("backlog %+v, want none", b)
	}
}

// render is the renderer of tests: the body names the event.
func render(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
	return fmt.Appendf(nil, `{"seq":%d,"conversation":%d,"kind":%q}`, ev.Seq, ev.Conversation, ev.Kind), true, nil
}

// batcher puts the bodies of render into one.
type batcher struct{}

func (batcher) Join(bodies [][]byte) ([]byte, error) {
	return slices.Concat([]byte(`{"batch":[`), bytes.Join(bodies, []byte(",")), []byte("]}")), nil
}

func (batcher) Ordered(a, b kabar.EventKind) bool { return a == b }

// crash takes the store away under the running dispatcher, as a killed process loses it, and starts again.
func (v *env) crash() {
	v.t.Helper()
	if err := v.DB.Close(); err != nil {
		v.t.Fatal(err)
	}
	v.stop()
	v.Reopen(v.t)
	v.start()
}
