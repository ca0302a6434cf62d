package manage_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/manage"
)

// agreements has the ledger of one account.
type agreements map[string][]kabar.ConsentEntry

func (l agreements) Get(_ context.Context, _ kabar.AccountID, customer string) (*kabar.Consent, []kabar.ConsentEntry, error) {
	c := &kabar.Consent{Handle: customer, State: kabar.ConsentUnknown}
	for _, e := range l[customer] {
		c.State = e.State
	}
	return c, l[customer], nil
}

func (l agreements) Record(_ context.Context, _ kabar.AccountID, all []engine.CustomerConsent) (int, error) {
	for i, e := range all {
		if err := e.Validate(time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC)); err != nil {
			return i, err
		}
		l[e.Customer] = append(l[e.Customer], e.ConsentEntry)
	}
	return len(all), nil
}

func TestConsentIsRecordedAndRead(t *testing.T) {
	ledger := agreements{}
	api := manage.New(manage.Options{Consents: ledger, Nodes: nodes{}, AccountsOf: func(r *http.Request) ([]kabar.AccountID, string, error) {
		if r.Header.Get("Operator") != "" {
			return []kabar.AccountID{7, 8}, "key op", nil
		}
		return []kabar.AccountID{7}, "key abc", nil
	}})
	mux := http.NewServeMux()
	for pattern, h := range api.Handlers() {
		mux.Handle(pattern, h)
	}
	for _, step := range []struct{ request, body, want string }{
		{"GET /kabar/v1/consent/34600111222", "", `200 {"wa_id":"34600111222","state":"unknown","history":[]}`},
		{"PUT /kabar/v1/consent/34600111222", `{"state":"opted_in","how":"web form","proof":"order 991"}`,
			`200 {"wa_id":"34600111222","state":"opted_in","history":[{"state":"opted_in","for":"marketing","at":"2031-05-02T10:15:00Z","how":"web form",` +
				`"proof":"order 991","by":"key abc","recorded":"2031-05-02T10:15:00Z"}]}`},
		{"PUT /kabar/v1/consent/34600111222", `{"state":"opted_out","at":"2031-05-02T09:00:00Z"}`, `200 {"wa_id":"34600111222","state":"opted_out"`},
		{"GET /kabar/v1/consent/34600111222?account=7", "", `200 {"wa_id":"34600111222","state":"opted_out"`},
		{"GET /kabar/v1/consent/34600111222?account=8", "", `404`},
		{"PUT /kabar/v1/consent/34600111222?account=8", `{"state":"opted_in"}`, `404`},
		{"GET /kabar/v1/consent/34600111222?acount=7", "", `400`},
		{"PUT /kabar/v1/consent/34600111222", `{"state":"maybe"}`, `400`},
		{"PUT /kabar/v1/consent/34600111222", `{}`, `400`},
		{"PUT /kabar/v1/consent/34600111222", `{"state":"opted_in","at":"2032-05-02T09:00:00Z"}`, `400`},
		{"PUT /kabar/v1/consent/34600111222", `{"state":"opted_in","why":"x"}`, `400`},
		{"operator GET /kabar/v1/consent/34600111222", "", `400`},
		{"operator GET /kabar/v1/consent/34600111222?account=8", "", `200`},
	} {
		request, operator := strings.CutPrefix(step.request, "operator ")
		method, target, _ := strings.Cut(request, " ")
		r, w := httptest.NewRequest(method, target, strings.NewReader(step.body)), httptest.NewRecorder()
		r.Header.Set("Content-Type", "application/json")
		if operator {
			r.Header.Set("Operator", "yes")
		}
		mux.ServeHTTP(w, r)
		if got := w.Result().Status[:3] + " " + w.Body.String(); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s %s: %s, want %s", step.request, step.body, got, step.want)
		}
	}
	if n := len(ledger["34600111222"]); n != 2 {
		t.Errorf("%d entries are recorded", n)
	}
}

// nodes gives accounts public ids that are their keys.
type nodes struct{}

func (nodes) Node(key int64) uint64 { return uint64(key) }

func (nodes) NodeKey(node uint64) (int64, bool) { return int64(node), true }
