package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/flowdata"
	"kabar/internal/media"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

const ana, number = "34600111222", "628111000111"

// env is an engine with one number over a fake network and a store on disk.
type env struct {
	t       testing.TB
	dir     string
	master  secrets.Key
	db      *store.DB
	media   *media.Store
	e       *engine.Engine
	net     *networktest.Fake
	id      kabar.NumberID
	skew    atomic.Int64 // nanoseconds the clock has been shifted
	stop    func()
	logged  logged // by the store
	refs    int
	attach  network.Network // nil: net
	fetch   engine.Fetcher
	flows   flowdata.Doer
	preview func(context.Context, string) *kabar.Preview
	counts  func(kabar.Kind, kabar.Status, kabar.Reason)
}

func newEnv(t testing.TB) *env { return newEnvWith(t, networktest.NewFake(), nil) }

// newEnvWith is newEnv over a network of the caller's; around is what is attached in its place, unless it is nil.
func newEnvWith(t testing.TB, net *networktest.Fake, around network.Network) *env {
	t.Helper()
	v := &env{t: t, dir: t.TempDir(), master: secrets.NewKey(), net: net, attach: around}
	v.open()
	n, err := engine.AddNumber(t.Context(), v.db, engine.NewNumber{Account: &kabar.Account{Name: "Warung"}, Digits: number,
		Profile: kabar.Profile{Name: "Warung Kabar"}, Templates: []*kabar.TemplateDef{hello()}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	v.id = n.ID
	v.start()
	t.Cleanup(v.close)
	return v
}

func hello() *kabar.TemplateDef {
	return &kabar.TemplateDef{Name: "hello", Language: "en", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved,
		Components: []kabar.TemplateComponent{{Type: kabar.TemplateBody, Text: "Hello {{1}}"}}}
}

func (v *env) open() {
	v.t.Helper()
	var err error
	if v.db, err = store.Open(context.Background(), store.Options{Path: filepath.Join(v.dir, "kabar.db"), Master: v.master, Log: slog.New(slog.NewTextHandler(&v.logged, nil))}); err != nil {
		v.t.Fatal(err)
	}
	if v.media, err = media.Open(filepath.Join(v.dir, "media")); err != nil {
		v.t.Fatal(err)
	}
}

func (v *env) now() time.Time { return time.Now().Add(time.Duration(v.skew.Load())) }

func (v *env) start() {
	v.t.Helper()
	v.e = engine.New(engine.Options{Store: v.db, Media: v.media, Now: v.now, Fetch: v.fetch, Endpoints: v.flows, Preview: v.preview, Counted: v.counts})
	if err := v.e.Accounts().Load(v.t.Context()); err != nil {
		v.t.Fatal(err)
	}
	if v.attach == nil {
		v.attach = v.net
	}
	if err := v.e.Attach(v.t.Context(), v.id, v.attach); err != nil {
		v.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.e.Run(ctx) }()
	v.stop = func() {
		cancel()
		if err := <-done; err != nil {
			v.t.Errorf("Run: %v", err)
		}
	}
}

func (v *env) close() {
	v.stop()
	if err := errors.Join(v.db.Close(), v.media.Close()); err != nil {
		v.t.Error(err)
	}
}

// restart stops everything and starts again on what is on disk.
func (v *env) restart() {
	v.t.Helper()
	v.close()
	v.open()
	v.start()
}

// hear has the customer write a text.
func (v *env) hear(from, text string) {
	v.t.Helper()
	v.refs++
	v.deliver(kabar.Update{From: kabar.Customer{WaID: from, Name: "Ana"}, At: v.now(), Ref: fmt.Sprintf("%032x", v.refs),
		Message: &kabar.Incoming{Content: &kabar.Text{Body: text}}})
}

func (v *env) deliver(u kabar.Update) {
	v.t.Helper()
	if err := v.net.Deliver(v.t.Context(), u); err != nil {
		v.t.Fatal(err)
	}
}

// send sends and returns the stored message's public number.
func (v *env) send(r engine.Request) (ref uint64, s *engine.Sent, err error) {
	if r.Answer == nil {
		r.Answer = func(m *kabar.Message, _ kabar.Customer) (int, []byte, error) {
			return 201, fmt.Appendf(nil, "%d", m.Ref), nil
		}
	}
	s, err = v.e.Send(v.t.Context(), v.id, r)
	if err == nil {
		_, err = fmt.Sscan(string(s.Answer.Body), &ref)
	}
	return ref, s, err
}

func (v *env) text(to, body string) uint64 {
	v.t.Helper()
	ref, _, err := v.send(engine.Request{To: to, Content: &kabar.Text{Body: body}})
	if err != nil {
		v.t.Fatal(err)
	}
	return ref
}

func (v *env) template(to string) (uint64, error) {
	ref, _, err := v.send(engine.Request{To: to, Content: &kabar.Template{Name: "hello", Language: kabar.Language{Code: "en"},
		Components: []kabar.Component{{Type: kabar.ComponentBody, Parameters: []kabar.Parameter{{Type: kabar.ParameterText, Text: "Ana"}}}}}})
	return ref, err
}

// told returns the events as short strings: "message hi", "status sent", "status failed <reason>".
func (v *env) told() []string {
	v.t.Helper()
	evs, err := v.db.Events(v.t.Context(), v.id, 0, 10_000)
	if err != nil {
		v.t.Fatal(err)
	}
	var all []string
	for i, e := range evs {
		if e.Seq != int64(i+1) {
			v.t.Fatalf("event %d has seq %d", i+1, e.Seq)
		}
		s := string(e.Kind)
		if e.Kind == kabar.EventStatus {
			s += " " + e.Status.String()
		}
		if e.Failure != "" {
			s += " " + string(e.Failure)
		}
		if e.Content.Kind == kabar.KindText {
			c, err := e.Content.Content()
			if err != nil {
				v.t.Fatal(err)
			}
			s += " " + c.(*kabar.Text).Body
		}
		all = append(all, s)
	}
	return all
}

func (v *env) wantTold(want ...string) {
	v.t.Helper()
	if got := v.told(); fmt.Sprint(got) != fmt.Sprint(want) {
		v.t.Errorf("events\n got %q\nwant %q", got, want)
	}
}

// wire is the network's id of a message of ours.
func wire(ref uint64) string { return fmt.Sprintf("01%016x", ref) }

func (v *env) receipt(from string, s kabar.Status, refs ...uint64) {
	v.t.Helper()
	r := &kabar.Receipt{Status: s}
	for _, ref := range refs {
		r.Refs = append(r.Refs, wire(ref))
	}
	v.deliver(kabar.Update{From: kabar.Customer{WaID: from}, At: v.now(), Receipt: r})
}

// logged is a log that several write.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
