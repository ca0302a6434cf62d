package manage_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/manage"
	"kabar/internal/trace"
)

// shop is a number with its hours.
type shop struct {
	number kabar.Number
	away   string
}

func (s *shop) Settings(kabar.NumberID) (kabar.Settings, error) {
	return kabar.Settings{Away: s.away}, nil
}

func (s *shop) SetHours(_ context.Context, _ kabar.NumberID, h *kabar.Hours, away string) error {
	if err := engine.CheckHours(h, away); err != nil {
		return err
	}
	s.number.Profile.Hours, s.away = h, away
	return nil
}

func TestOpeningHoursAreReadAsTheyWereWritten(t *testing.T) {
	s, mux := &shop{number: kabar.Number{ID: 1, Account: 1, Digits: "628111000111"}}, http.NewServeMux()
	for pattern, handler := range manage.New(manage.Options{Hours: s,
		Numbers: func(context.Context) ([]*kabar.Number, error) { return []*kabar.Number{&s.number}, nil },
		Of: func(r *http.Request) trace.Of {
			return trace.Of{Account: map[string]kabar.AccountID{"": 1, "other": 2}[r.Header.Get("As")]}
		},
	}).Handlers() {
		mux.Handle(pattern, handler)
	}
	ask := func(method, as, body string) (int, string) {
		r, w := httptest.NewRequest(method, "/kabar/v1/numbers/628111000111/opening_hours", strings.NewReader(body)), httptest.NewRecorder()
		r.Header.Set("As", as)
		mux.ServeHTTP(w, r)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	const none = `{"days":{},"away_message":""}`
	const some = `{"timezone":"Asia/Jakarta","days":{"monday":[{"open":"09:00","close":"12:00"},{"open":"13:00","close":"24:00"}]},"away_message":"Later."}`
	for _, c := range []struct {
		body, want string
		status     int
	}{
		{some, some, 200}, {strings.Replace(some, `"Later."`, `""`, 1), strings.Replace(some, `"Later."`, `""`, 1), 200},
		{`{"timezone":"Asia/Jakarta"}`, "days", 400}, {`{"days":{"monday":[{"open":"09:00","close":"12:00"}]}}`, "timezone", 400}, {`{"away_message":"x"}`, "away_message", 400},
		{`{"timezone":"UTC","days":{"monday":[{"open":"9","close":"12:00"}]}}`, "09:00", 400}, {`{"timezone":"UTC","days":[]}`, "days", 400}, {`{"x":1}`, "x", 400},
		{`{"timezone":"UTC","days":{"monday":[{"open":"09:00","close":"12:00","x":1}]}}`, "x", 400}, {`{"timezone":"../etc/passwd","days":{"monday":[{"open":"09:00","close":"12:00"}]}}`, "timezone", 400},
		{some, some, 200}, {`{}`, none, 200},
	} {
		if status, body := ask("PUT", "", c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", c.body, status, body)
		}
		if status, body := ask("GET", "", ""); c.status == 200 && (status != 200 || body != c.want) {
			t.Errorf("%s is read as %d %s", c.body, status, body)
		}
	}
	for _, method := range []string{"GET", "PUT"} {
		if status, body := ask(method, "other", some); status != 404 {
			t.Errorf("%s by another account: %d %s", method, status, body)
		}
	}
	if s.number.Profile.Hours != nil {
		t.Error("another account has changed them")
	}
}
