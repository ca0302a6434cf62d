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

// windows has one conversation, of a number that only an account sees.
type windows struct{ s kabar.WindowState }

func (w windows) Window(_ context.Context, of trace.Of, number, customer string, _ time.Time) (kabar.WindowState, error) {
	switch {
	case of.Account != 7 || number != "628111000200":
		return kabar.WindowState{}, kabar.Refuse(kabar.ReasonNotFound, "number", "there is no such number")
	case customer != "34600111222":
		return kabar.WindowState{Reason: kabar.WindowNever}, nil
	}
	return w.s, nil
}

func TestAWindowIsShown(t *testing.T) {
	at := time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC)
	open := kabar.WindowState{Open: true, Since: at, Until: at.Add(kabar.Window), Reason: kabar.WindowWritten, EntryPoint: at.Add(kabar.EntryPointWindow)}
	for target, want := range map[string]string{
		"7 /kabar/v1/conversations/628111000200/34600111222": `200 {"open":true,"since":"2031-05-02T10:15:00Z","until":"2031-05-03T10:15:00Z",` +
			`"reason":"customer_wrote","entry_point_until":"2031-05-05T10:15:00Z"}`,
		"7 /kabar/v1/conversations/628111000200/34600111333": `200 {"open":false,"reason":"never_wrote"}`,
		"8 /kabar/v1/conversations/628111000200/34600111222": `404 {"detail":"there is no such number"`,
		"7 /kabar/v1/conversations/628111000201/34600111222": `404 {"detail":"there is no such number"`,
	} {
		account, path, _ := strings.Cut(target, " ")
		api := manage.New(manage.Options{Conversations: windows{open}, Of: func(*http.Request) trace.Of { return trace.Of{Account: kabar.AccountID(account[0] - '0')} }})
		mux := http.NewServeMux()
		for pattern, h := range api.Handlers() {
			mux.Handle(pattern, h)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if got := w.Result().Status[:3] + " " + w.Body.String(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}
