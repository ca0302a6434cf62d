package manage_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/manage"
	"kabar/internal/trace"
)

// held is a number's limits.
type held struct{ kabar.Limits }

func (h *held) Settings(kabar.NumberID) (kabar.Settings, error) {
	return kabar.Settings{Limits: h.Limits}, nil
}

func (h *held) ChangeLimits(_ context.Context, _ kabar.NumberID, change func(*kabar.Limits) error) (kabar.Limits, error) {
	next := h.Limits
	if err := change(&next); err != nil {
		return h.Limits, err
	}
	h.Limits = next
	return next, nil
}

func (h *held) Reach(context.Context, kabar.AccountID) (kabar.Reach, error) {
	return kabar.Reach{Day: 7}, nil
}

func (h *held) Quality(context.Context, *kabar.Number) (kabar.TemplateScore, error) {
	return kabar.ScoreGreen, nil
}

func TestLimitsAreChangedByTheOperatorAlone(t *testing.T) {
	h, whole := &held{kabar.StartingLimits()}, true
	mux := http.NewServeMux()
	for pattern, handler := range manage.New(manage.Options{Limits: h,
		Numbers: func(context.Context) ([]*kabar.Number, error) {
			return []*kabar.Number{{ID: 1, Account: 1, Digits: "628111000111"}, {ID: 2, Account: 2, Digits: "628111000222"}}, nil
		},
		Of:         func(*http.Request) trace.Of { return trace.Of{Account: 1} },
		Operator:   func(*http.Request) bool { return whole },
		AccountsOf: func(*http.Request) ([]kabar.AccountID, string, error) { return []kabar.AccountID{1}, "key a", nil },
	}).Handlers() {
		mux.Handle(pattern, handler)
	}
	ask := func(method, number, body string) (int, string) {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(method, "/kabar/v1/numbers/"+number+"/limits", strings.NewReader(body)))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	begin := `{"number":"628111000111","throughput":80,"pair_rate":false,"tier":"250","reached_24h":7,"quality":"GREEN"}`
	if status, body := ask("GET", "628111000111", ""); status != 200 || body != begin {
		t.Errorf("%d %s", status, body)
	}
	for _, c := range []struct{ number, body, want string }{
		{"628111000111", `{}`, begin},
		{"+628111000111", `{"tier":"2k"}`, strings.Replace(begin, `"250"`, `"2k"`, 1)},
		{"628111000111", `{"throughput":"1000","pair_rate":false,"tier":"TIER_UNLIMITED"}`, `"throughput":1000,"pair_rate":false,"tier":"unlimited"`},
		{"628111000111", `{"throughput":0,"tier":"off"}`, `"throughput":0,"pair_rate":false,"tier":"off"`},
		{"628111000111", `{"throughput":80,"pair_rate":true,"tier":250}`, strings.Replace(begin, "false", "true", 1)},
	} {
		if status, body := ask("PATCH", c.number, c.body); status != 200 || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", c.body, status, body)
		}
	}
	for _, c := range []struct {
		number, body string
		want         int
	}{{"628111000222", `{"tier":"2k"}`, 404}, {"1", `{}`, 404}, {"628111000111", `{"tier":"3k"}`, 400}, {"628111000111", `{"throughput":81}`, 400},
		{"628111000111", `{"throughput":80.5}`, 400}, {"628111000111", `{"throughput":null,"pair_rate":"on"}`, 400}, {"628111000111", `{"other":1}`, 400},
		{"628111000111", `[]`, 400}, {"628111000111", ``, 400}, {"628111000111", `{"tier":"off","throughput":7}`, 400}} {
		if status, body := ask("PATCH", c.number, c.body); status != c.want {
			t.Errorf("%s %s: %d %s", c.number, c.body, status, body)
		}
	}
	if status, _ := ask("GET", "628111000222", ""); status != 404 {
		t.Errorf("the number of another account: %d", status)
	}
	if status, _ := ask("GET", "628111000111?x=1", ""); status != 404 && status != 400 {
		t.Errorf("an unknown parameter: %d", status)
	}
	whole = false
	if status, body := ask("PATCH", "628111000111", `{"tier":"off"}`); status != 403 {
		t.Errorf("a key of one account: %d %s", status, body)
	}
	if want := (kabar.Limits{Throughput: kabar.ThroughputStandard, PairRate: true, Tier: kabar.Tier250}); h.Limits != want {
		t.Errorf("what was refused has changed them: %+v", h.Limits)
	}
}
