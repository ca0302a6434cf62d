package manage_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/manage"
	"kabar/internal/trace"
)

// bench judges one account and one number, as engine.Reviews does.
type bench struct {
	now     time.Time
	account kabar.Account
	number  kabar.Number
	naming  kabar.Naming
	actors  []string
}

func (b *bench) Verify(_ context.Context, _ kabar.AccountID, actor string) (*kabar.Account, error) {
	b.actors = append(b.actors, actor)
	_, err := b.account.Verification.Submit(b.now)
	return &b.account, err
}

func (b *bench) Judge(_ context.Context, _ kabar.AccountID, r kabar.Ruling, actor string) (*kabar.Account, error) {
	b.actors = append(b.actors, actor)
	_, err := b.account.Verification.Decide(b.now, r)
	return &b.account, err
}

func (b *bench) Rename(_ context.Context, _ kabar.NumberID, name, actor string) error {
	b.actors = append(b.actors, actor)
	b.naming.Submit(b.now, &b.number.Profile, name, kabar.TemplatePolicy{Review: kabar.ReviewManual})
	return kabar.CheckName("name", name)
}

func (b *bench) JudgeName(_ context.Context, _ kabar.NumberID, r kabar.Ruling, actor string) error {
	b.actors = append(b.actors, actor)
	_, err := b.naming.Decide(b.now, &b.number.Profile, r)
	return err
}

func (b *bench) Naming(context.Context, kabar.NumberID) (*kabar.Number, kabar.Naming, error) {
	return &b.number, b.naming, nil
}

// register has the account, which is all that is asked of it.
type register struct {
	manage.Accounts
	*bench
}

func (r register) Get(context.Context, kabar.AccountID) (*kabar.Account, error) {
	return &r.account, nil
}

type plainNodes struct{}

func (plainNodes) Node(key int64) uint64             { return uint64(key) + 1000 }
func (plainNodes) NodeKey(node uint64) (int64, bool) { return int64(node) - 1000, true }

// Requests of an account's own key, of the whole server's and of another account's, in this order.
func TestReviewsOverHTTP(t *testing.T) {
	b := &bench{now: time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC), account: kabar.Account{ID: 1, Name: "Toko", Verification: kabar.Verification{State: kabar.NotVerified}},
		number: kabar.Number{ID: 1, Account: 1, Digits: "628111000111", Profile: kabar.Profile{Name: "Toko"}}}
	mux := http.NewServeMux()
	for pattern, handler := range manage.New(manage.Options{Reviews: b, Accounts: register{bench: b}, Nodes: plainNodes{},
		Numbers:  func(context.Context) ([]*kabar.Number, error) { return []*kabar.Number{&b.number}, nil },
		Operator: func(r *http.Request) bool { return r.Header.Get("As") == "server" },
		Of: func(r *http.Request) trace.Of {
			return trace.Of{Account: map[string]kabar.AccountID{"own": 1, "other": 2}[r.Header.Get("As")]}
		},
		AccountsOf: func(r *http.Request) ([]kabar.AccountID, string, error) {
			who := r.Header.Get("As")
			return map[string][]kabar.AccountID{"own": {1}, "server": {1}, "other": {2}}[who], "key " + who, nil
		},
	}).Handlers() {
		mux.Handle(pattern, handler)
	}
	const toko, name = "/kabar/v1/accounts/1001", "/kabar/v1/numbers/628111000111/name"
	for _, c := range []struct {
		as, method, target, body string
		status                   int
		want                     string
	}{
		{"own", "POST", toko + "/verification", "", 200, `"verification":{"status":"pending","at":"2031-05-02T10:15:00Z"}`},
		{"own", "POST", toko + "/verification", "", 409, "the account is pending"},
		{"other", "POST", toko + "/verification", "", 404, "no such account"},
		{"own", "POST", toko + "/review", `{"decision":"approve"}`, 403, "whole server"},
		{"other", "POST", toko + "/review", `{"decision":"approve"}`, 404, ""},
		{"server", "POST", toko + "/review", `{"decision":"perhaps"}`, 400, "allowed are approve, reject and defer"},
		{"server", "POST", toko + "/review", `{"decision":"approve","reason":"NAME_NOT_CONSISTENT"}`, 400, "reason"},
		{"server", "POST", toko + "/review", `{"judgement":"approve"}`, 400, "judgement"},
		{"server", "POST", toko + "/review", `{"decision":"defer","note":"Send the register."}`, 200, `"note":"Send the register."`},
		{"own", "PUT", name, `{"name":"Sinar"}`, 200, `"name":"Toko","name_status":"APPROVED","new_display_name":"Sinar","new_name_status":"PENDING_REVIEW"`},
		{"own", "PUT", name, `{"nom":"Sinar"}`, 400, "nom"},
		{"other", "PUT", name, `{"name":"Sinar"}`, 404, "no such number"},
		{"own", "GET", "/kabar/v1/reviews", "", 200, `{"accounts":[{"waba_id":"1001"`},
		{"server", "GET", "/kabar/v1/reviews", "", 200, `"names":[{"number":"628111000111"`},
		{"other", "GET", "/kabar/v1/reviews?of=all", "", 400, "of"},
		{"server", "POST", toko + "/review", `{"decision":"approve"}`, 200, `"status":"verified"`},
		{"own", "GET", "/kabar/v1/reviews", "", 200, `{"accounts":[],"names":[{`},
		{"other", "POST", name + "/review", `{"decision":"approve"}`, 404, ""},
		{"own", "POST", name + "/review", `{"decision":"reject"}`, 400, "NAME_EMPLOYEE_ISSUE, NAME_INDIVIDUAL_ISSUE"},
		{"own", "POST", name + "/review", `{"decision":"reject","reason":"NAME_FORMAT_UNACCEPTABLE"}`, 200, `"new_name_status":"DECLINED","rejection_reason":"NAME_FORMAT_UNACCEPTABLE"`},
		{"own", "POST", name + "/review", `{"decision":"defer"}`, 409, "not pending"},
		{"own", "POST", name + "/review", `{"decision":"approve"}`, 200, `"name":"Sinar","name_status":"APPROVED","new_name_status":"NONE"`},
		{"own", "GET", name, "", 200, `"name":"Sinar"`},
		{"other", "GET", name, "", 404, ""},
	} {
		r, w := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body)), httptest.NewRecorder()
		r.Header.Set("As", c.as)
		mux.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s %s %s: %d %s", c.as, c.method, c.target, c.body, w.Code, w.Body)
		}
	}
	for _, actor := range b.actors {
		if actor != "key own" && actor != "key server" {
			t.Errorf("%q has changed something", actor)
		}
	}
}
