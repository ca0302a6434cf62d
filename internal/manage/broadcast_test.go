package manage_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/manage"
	"kabar/internal/store"
	"kabar/internal/trace"
)

func noon() time.Time { return time.Date(2031, 5, 2, 10, 0, 0, 0, time.UTC) }

// casts has broadcasts of the account 7: 21 of the number 1, and 22 of the number 2. 23 and 24 are another's.
type casts struct {
	manage.Broadcasts
	asked   engine.NewBroadcast
	once    *engine.Once
	replays bool
	fails   error
}

func (c *casts) Create(_ context.Context, in engine.NewBroadcast) (*engine.CreatedBroadcast, error) {
	answer := in.Answer
	if c.asked, c.once = in, in.Once; c.fails != nil {
		return nil, c.fails
	}
	c.asked.Once, c.asked.Answer = nil, nil
	made := &engine.CreatedBroadcast{Broadcast: &kabar.Broadcast{ID: 21, Recipients: 3}, Estimate: &engine.BroadcastEstimate{Recipients: 3, Total: 60_000, Currency: "USD"},
		Replayed: c.replays}
	status, body, err := answer(made)
	made.Answer = &store.Answer{Status: status, Body: body}
	return made, err
}

func (c *casts) Estimate(_ context.Context, in engine.NewBroadcast) (*engine.BroadcastEstimate, error) {
	c.asked = in
	return &engine.BroadcastEstimate{Recipients: 3, Total: 60_000, Currency: "USD", OptedOut: 1}, c.fails
}

func (c *casts) Find(_ context.Context, id kabar.BroadcastID) (*kabar.Broadcast, error) {
	if id < 21 || id > 24 {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "", "broadcast")
	}
	return &kabar.Broadcast{ID: id, Account: 7 + kabar.AccountID(id/23), Number: kabar.NumberID(id - 20), State: kabar.BroadcastPaused, Why: "credit", Template: "hello", Language: "en", Recipients: 3,
		Created: noon(), StartAt: noon()}, nil
}

func (c *casts) List(ctx context.Context, a kabar.AccountID, n kabar.NumberID, before kabar.BroadcastID, limit int) (all []*kabar.Broadcast, err error) {
	for id := kabar.BroadcastID(22); id > 20 && len(all) < limit; id-- {
		if b, err := c.Find(ctx, id); err == nil && b.Account == a && (before == 0 || id < before) && (n == 0 || b.Number == n) {
			all = append(all, b)
		}
	}
	return all, nil
}

func (c *casts) Act(ctx context.Context, a kabar.AccountID, id kabar.BroadcastID, action kabar.BroadcastAction) (*kabar.Broadcast, error) {
	b, err := c.Find(ctx, id)
	if err == nil && b.Account == a {
		err = b.Act(action, noon())
	}
	return b, err
}

func (c *casts) Progress(context.Context, kabar.BroadcastID) (*engine.BroadcastProgress, error) {
	return &engine.BroadcastProgress{Pending: 1, Read: 1, Failed: map[kabar.Reason]int{kabar.ReasonOptedOut: 1}, Spent: 20_000}, nil
}

func (c *casts) Recipients(_ context.Context, _ kabar.AccountID, _ kabar.BroadcastID, after, limit int) ([]store.RecipientState, error) {
	all := []store.RecipientState{{Row: 1, Handle: "34600111222", Message: 5, Status: kabar.Read}, {Row: 2, Handle: "34600111333", Failure: kabar.ReasonNoConsent},
		{Row: 3, Handle: "34600111444"}, {Row: 4, Handle: "34600111555", Message: 6}}
	return all[min(after, 4):min(after+limit, 4)], nil
}

// owners has one account.
type owners struct{ manage.Accounts }

func (owners) Get(_ context.Context, id kabar.AccountID) (*kabar.Account, error) {
	return &kabar.Account{ID: id, Currency: "USD"}, nil
}

// castAPI answers keys of the account 7, and those with the header Number of that number.
func castAPI(c *casts) *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, h := range manage.New(manage.Options{Broadcasts: c, Accounts: owners{}, Nodes: nodes{},
		Numbers: func(context.Context) ([]*kabar.Number, error) {
			return []*kabar.Number{{ID: 1, Account: 7, Digits: "628111000111"}, {ID: 2, Account: 7, Digits: "628111000222"}, {ID: 3, Account: 8, Digits: "628111000333"}}, nil
		},
		Of: func(r *http.Request) (of trace.Of) {
			of.Account = 7
			_, _ = fmt.Sscan(r.Header.Get("Number"), &of.Number) // none: of the account
			return of
		},
		AccountsOf: func(*http.Request) ([]kabar.AccountID, string, error) { return []kabar.AccountID{7}, "key abc", nil },
		MessageID:  func(_ context.Context, _ kabar.NumberID, m kabar.MessageID) string { return fmt.Sprint("gB", m) }}).Handlers() {
		mux.Handle(pattern, h)
	}
	return mux
}

func TestBroadcastsAreReadAndChanged(t *testing.T) {
	mux := castAPI(&casts{})
	const one = `"number":"628111000111","state":"paused","why":"credit","template":{"name":"hello","language":"en"},"map":{},"recipients":3,"created":"2031-05-02T10:00:00Z"`
	for _, c := range []struct{ request, number, want string }{
		{"GET /kabar/v1/broadcasts/21", "", `200 {"id":"21",` + one},
		{"GET /kabar/v1/broadcasts/21", "", `"counts":{"pending":1,"accepted":0,"sent":0,"delivered":0,"read":1,"failed":{"recipient does not want this":1}},"cost":{"reserved":"0.00","spent":"0.02","currency":"USD"}`},
		{"GET /kabar/v1/broadcasts/22", "1", `404`},
		{"GET /kabar/v1/broadcasts/22", "2", `200`},
		{"GET /kabar/v1/broadcasts/23", "", `404`},
		{"GET /kabar/v1/broadcasts/24", "", `404`},
		{"GET /kabar/v1/broadcasts/25", "", `404`},
		{"GET /kabar/v1/broadcasts/x", "", `404`},
		{"GET /kabar/v1/broadcasts", "", `200 {"data":[{"id":"22"`},
		{"GET /kabar/v1/broadcasts?limit=1", "", `"after":"22"}`},
		{"GET /kabar/v1/broadcasts?limit=1&after=22", "", `200 {"data":[{"id":"21"`},
		{"GET /kabar/v1/broadcasts", "1", `200 {"data":[{"id":"21",` + one},
		{"GET /kabar/v1/broadcasts?after=x", "", `400`},
		{"GET /kabar/v1/broadcasts?limit=101", "", `400`},
		{"GET /kabar/v1/broadcasts?state=done", "", `400`},
		{"GET /kabar/v1/broadcasts?account=8", "", `404`},
		{"GET /kabar/v1/broadcasts/21/recipients?limit=2", "", `200 {"data":[{"row":1,"to":"34600111222","state":"read","message":"gB5"},{"row":2,"to":"34600111333","state":"failed","error":"recipient has not opted in"}],"after":"2"}`},
		{"GET /kabar/v1/broadcasts/21/recipients?after=2", "", `200 {"data":[{"row":3,"to":"34600111444","state":"pending"},{"row":4,"to":"34600111555","state":"collected","message":"gB6"}]}`},
		{"GET /kabar/v1/broadcasts/21/recipients?after=0", "", `400`},
		{"GET /kabar/v1/broadcasts/22/recipients", "1", `404`},
		{"POST /kabar/v1/broadcasts/21/resume", "", `200 {"id":"21","number":"628111000111","state":"running"`},
		{"POST /kabar/v1/broadcasts/21/pause", "", `200`},
		{"POST /kabar/v1/broadcasts/21/retry_failed", "", `200`},
		{"POST /kabar/v1/broadcasts/21/cancel", "", `200 {"id":"21","number":"628111000111","state":"cancelled"`},
		{"POST /kabar/v1/broadcasts/22/cancel", "1", `404`},
		{"POST /kabar/v1/broadcasts/23/pause", "", `404`},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		r := httptest.NewRequest(method, path, http.NoBody)
		r.Header.Set("Number", c.number)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if got := fmt.Sprint(w.Code, " ", w.Body); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s\nwant %s", c.request, got, c.want)
		}
	}
}

// A list comes in three forms, which ask for the same.
func TestBroadcastsAreMade(t *testing.T) {
	c := &casts{}
	mux := castAPI(c)
	post := func(path, kind, body string) string {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return fmt.Sprint(w.Code, " ", w.Body)
	}
	at := noon().Add(time.Hour)
	want := engine.NewBroadcast{Number: 1, Template: "hello", Language: "en", Map: map[string]string{"body.1": "name"}, Table: "to,name\n", StartAt: at, PerSecond: 9, By: "key abc"}
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	for name, v := range map[string]string{"number": "628111000111", "template": "hello", "language": "en", "map": `{"body.1":"name"}`, "start_at": at.Format(time.RFC3339),
		"per_second": "9", "recipients": "to,name\n"} {
		if err := m.WriteField(name, v); err != nil {
			t.Fatal(err)
		}
	}
	_ = m.Close() // into memory
	query := "?number=628111000111&template=hello&language=en&start_at=2031-05-02T11:00:00Z&per_second=9&map=%7B%22body.1%22:%22name%22%7D"
	for name, got := range map[string]func() string{
		"JSON": func() string {
			return post("/kabar/v1/broadcasts", "application/json", `{"number":"628111000111","template":{"name":"hello","language":"en"},"map":{"body.1":"name"},"csv":"to,name\n","start_at":"2031-05-02T11:00:00Z","per_second":9}`)
		},
		"CSV":  func() string { return post("/kabar/v1/broadcasts"+query, "text/csv; charset=utf-8", "to,name\n") },
		"form": func() string { return post("/kabar/v1/broadcasts", m.FormDataContentType(), form.String()) },
	} {
		c.asked = engine.NewBroadcast{}
		if answer := got(); !strings.HasPrefix(answer, `202 {"estimate":{"recipients":3,`) || !strings.Contains(answer, `"id":"21","recipients":3}`) {
			t.Errorf("%s: %s", name, answer)
		}
		if fmt.Sprintf("%+v", c.asked) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s asks for %+v\nwant %+v", name, c.asked, want)
		}
	}
	if got := post("/kabar/v1/broadcasts/estimate"+query, "text/csv", "to,name\n"); !strings.HasPrefix(got, `200 {"recipients":3,`) || !strings.Contains(got, `"opted_out":1`) {
		t.Errorf("an estimate: %s", got)
	}
	for _, bad := range []struct{ path, kind, body, want string }{
		{"", "application/json", `{"template":{"name":"hello","language":"en"}}`, "400 .*number is required"},
		{"", "application/json", `{"number":"628111000333","template":{"name":"x","language":"en"}}`, "404"},
		{"", "application/json", `{"numbr":"1"}`, "400"},
		{"", "application/json", `{"recipients":[{"to":34}]}`, "400"},
		{"", "application/json", ``, "400"},
		{"?number=1", "application/json", `{}`, "400"},
		{"?numbr=1", "text/csv", "to\n", "400"},
		{"?number=1&number=1", "text/csv", "to\n", "400"},
		{"?map=x", "text/csv", "to\n", "400"},
		{"?start_at=tomorrow", "text/csv", "to\n", "400"},
		{"?per_second=fast", "text/csv", "to\n", "400"},
		{"", "multipart/form-data; boundary=x", "nothing", "400"},
		{"", "text/csv", strings.Repeat("x", manage.MaxBroadcastBody+1), "400"},
	} {
		status, _, _ := strings.Cut(bad.want, " ")
		if got := post("/kabar/v1/broadcasts"+bad.path, bad.kind, bad.body); !strings.HasPrefix(got, status) {
			t.Errorf("%s %.60s: %s", bad.path, bad.body, got)
		}
	}
	c.fails = &engine.ListFaults{Faults: []string{"line 2: to: is no number", "and 9 more"}}
	if got := post("/kabar/v1/broadcasts"+query, "text/csv", "to\n"); !strings.HasPrefix(got, "400") || !strings.Contains(got, `"faults":["line 2: to: is no number","and 9 more"]`) {
		t.Errorf("a list with faults: %s", got)
	}
	c.fails = kabar.Refuse(kabar.ReasonTemplatePaused, "template.name", "hello in en is paused")
	if got := post("/kabar/v1/broadcasts"+query, "text/csv", "to\n"); !strings.HasPrefix(got, "400") || !strings.Contains(got, "is paused") {
		t.Errorf("a paused template: %s", got)
	}
}

// A request with a key can be repeated: what is asked for is the same in whichever form it comes, and the answer says so.
func TestBroadcastsAreMadeOnce(t *testing.T) {
	c := &casts{}
	mux := castAPI(c)
	post := func(kind, query, body string, keys ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/kabar/v1/broadcasts"+query, strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {kind}, "Idempotency-Key": keys}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	const query, form = "?number=628111000111&template=hello&language=en", "--%[1]s\r\nContent-Disposition: form-data; name=\"%[2]s\"\r\n\r\n%[3]s\r\n"
	hashes := map[string]bool{}
	for _, boundary := range []string{"a", "b"} {
		var body strings.Builder
		for _, field := range [][2]string{{"number", "628111000111"}, {"template", "hello"}, {"language", "en"}, {"recipients", "to\n"}} {
			fmt.Fprintf(&body, form, boundary, field[0], field[1])
		}
		body.WriteString("--" + boundary + "--\r\n")
		if w := post("multipart/form-data; boundary="+boundary, "", body.String(), "k"); w.Code != http.StatusAccepted || c.once == nil || c.once.Key != "k" || c.once.Path != "/kabar/v1/broadcasts" {
			t.Fatalf("%d %s, %+v", w.Code, w.Body, c.once)
		}
		hashes[c.once.Hash] = true
	}
	post("text/csv", query, "to\n", "k")
	if hashes[c.once.Hash] = true; len(hashes) != 1 {
		t.Errorf("the same request has %d hashes", len(hashes))
	}
	post("text/csv", query, "to\n+34600111222\n", "k")
	if hashes[c.once.Hash] {
		t.Error("another list is the same request")
	}
	c.replays = true
	if w := post("text/csv", query, "to\n", "k"); w.Header().Get("Idempotent-Replayed") != "true" || !strings.Contains(w.Body.String(), `"id":"21"`) {
		t.Errorf("repeated: %v %s", w.Header(), w.Body)
	}
	if w := post("text/csv", query, "to\n", "k", "l"); w.Code != http.StatusBadRequest {
		t.Errorf("two keys: %d %s", w.Code, w.Body)
	}
	c.fails = kabar.Refuse(kabar.ReasonKeyReused, "Idempotency-Key", "the key was first used with another body")
	if w := post("text/csv", query, "to\n", "k"); w.Code != http.StatusConflict {
		t.Errorf("a used key: %d %s", w.Code, w.Body)
	}
}
