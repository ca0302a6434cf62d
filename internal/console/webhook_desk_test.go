package console

import (
	"context"
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/deliveries"
	"kabar/internal/endpoint"
	"kabar/internal/store"
	"kabar/internal/trace"
)

// fakeOutgoing is what sends, as a test wants it.
type fakeOutgoing struct {
	health map[kabar.EndpointID]Health
	trial  Trial
	tried  []kabar.EndpointID
	woken  int
}

func (f *fakeOutgoing) Health(context.Context) (func(endpoint.Group) Health, error) {
	return func(g endpoint.Group) Health { return f.health[g.First().Group] }, nil
}

func (f *fakeOutgoing) Try(_ context.Context, e *kabar.Endpoint) (*Trial, error) {
	f.tried = append(f.tried, e.Group)
	t := f.trial
	return &t, nil
}

// hookDesk is a console over real endpoints and deliveries, with two accounts.
type hookDesk struct {
	*desk
	out *fakeOutgoing
	ep  *endpoint.Endpoints
}

func newHookDesk(t *testing.T, f func(d *hookDesk)) {
	t.Helper()
	newDesk(t, func(d *desk) {
		h := &hookDesk{desk: d, out: &fakeOutgoing{health: map[kabar.EndpointID]Health{}}}
		now := func() time.Time { return d.k.now }
		h.ep = endpoint.New(endpoint.Options{Store: d.s.DB, Now: now,
			CheckURL: func(u string) error {
				if !strings.HasPrefix(u, "https://") {
					return errors.New("must begin with https://")
				}
				return nil
			},
			Wake: func(kabar.NumberID) { h.out.woken++ }, Retry: func(kabar.NumberID, kabar.EndpointID) { h.out.woken++ }})
		render := func(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
			return []byte(`{"type":"` + string(ev.Type()) + `","text":"<b>Ana</b>"}`), true, nil
		}
		log := deliveries.New(deliveries.Options{Store: d.s.DB, Log: slog.New(slog.DiscardHandler), Messages: trace.New(d.s.DB, trace.Names{Own: func(id string) string { return id },
			Ref: func(string) (uint64, bool) { return 0, false }}), Render: map[kabar.Dialect]deliveries.Renderer{kabar.Kabar: render},
			Settings: func(kabar.NumberID) (kabar.Settings, error) { return kabar.Settings{}, nil }})
		d.c.hooks = Webhooks{Endpoints: h.ep, Deliveries: log, Outgoing: h.out, Names: d.s.DB, Numbers: d.s.DB.Numbers, Now: now}
		f(h)
	})
}

// add makes an endpoint of the first account's number.
func (d *hookDesk) add(change ...func(*endpoint.Wanted)) endpoint.Group {
	d.t.Helper()
	w := endpoint.Wanted{Account: d.s.A.Account, Number: d.s.A.ID, Dialect: kabar.Kabar, EndpointConfig: kabar.EndpointConfig{URL: "https://shop.example/hook?token=s3cr3t"}}
	for _, f := range change {
		f(&w)
	}
	g, err := d.ep.Add(d.t.Context(), w)
	if err != nil {
		d.t.Fatal(err)
	}
	return g
}

// post sends a form as a browser without script does.
func (d *hookDesk) post(jar []*http.Cookie, path string, form url.Values) *httptest.ResponseRecorder {
	return d.do(jar, http.MethodPost, path, form.Encode(), func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
}

func (d *hookDesk) get(jar []*http.Cookie, path string) string {
	d.t.Helper()
	return html.UnescapeString(d.do(jar, http.MethodGet, path, "").Body.String())
}

func (d *hookDesk) path(g endpoint.Group) string { return d.c.endpointPath(g) }

func (d *hookDesk) now(g endpoint.Group) *kabar.Endpoint {
	d.t.Helper()
	g, err := d.ep.Get(d.t.Context(), g.First().Group)
	if err != nil {
		d.t.Fatal(err)
	}
	return g.First()
}

// change changes what is stored of an endpoint, as the server would.
func (d *hookDesk) change(g endpoint.Group, change func(*kabar.EndpointConfig)) {
	d.t.Helper()
	_, err := d.ep.Change(d.t.Context(), g.First().Group, func(c *kabar.EndpointConfig) error { change(c); return nil })
	if err != nil {
		d.t.Fatal(err)
	}
}

// event has something happen to the first account's number, and returns its seq.
func (d *hookDesk) event(at time.Time) int64 {
	d.t.Helper()
	content, err := kabar.Snapshot(&kabar.Text{Body: "Good morning"})
	if err != nil {
		d.t.Fatal(err)
	}
	ev := &kabar.Event{Account: d.s.A.Account, Number: d.s.A.ID, Kind: kabar.EventMessage, At: at, Customer: kabar.Customer{WaID: "34600111222"}, Content: content}
	d.s.Write(d.t, func(tx *store.Tx) error { return tx.AddEvent(ev) })
	return ev.Seq
}

func has(t *testing.T, what, body string, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !strings.Contains(body, w) {
			t.Errorf("%s has no %q:\n%s", what, w, body)
		}
	}
}

func hasNot(t *testing.T, what, body string, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if strings.Contains(body, w) {
			t.Errorf("%s has %q:\n%s", what, w, body)
		}
	}
}
