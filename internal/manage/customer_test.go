package manage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/dossier"
	"kabar/internal/manage"
	"kabar/internal/store"
)

// people has the customers of one account by handle, and how their erasing or export ends.
type people map[string]error

func (p people) find(handle string) error {
	if err, known := p[handle]; known {
		return err
	}
	return kabar.Refuse(kabar.ReasonNotFound, "wa_id", "nothing is known of this customer")
}

func (p people) Erase(_ context.Context, _ kabar.AccountID, handle string, _ func(store.Removed)) (*store.Erasure, error) {
	if err := p.find(handle); err != nil && !errors.Is(err, store.ErrBusy) {
		return nil, err
	}
	e := &store.Erasure{Pseudonym: "person-1", Began: time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC), Removed: store.Removed{Messages: 3}}
	if p[handle] == nil {
		e.Ended = e.Began.Add(time.Second)
	}
	return e, nil
}

func (p people) Find(_ context.Context, _ kabar.AccountID, handle string) (*store.Person, error) {
	if _, known := p[handle]; !known {
		return nil, p.find(handle)
	}
	return &store.Person{Handles: []string{handle}}, nil
}

func (p people) Write(_ context.Context, w io.Writer, of *store.Person, _ func(dossier.Done)) error {
	_, err := io.WriteString(w, "PK")
	return errors.Join(err, p[of.Handles[0]])
}

func TestCustomersAreErasedAndExported(t *testing.T) {
	known := people{"34600111222": nil, "34600111333": store.ErrBusy}
	api := manage.New(manage.Options{Erasures: known, Exports: known, Nodes: nodes{}, AccountsOf: func(*http.Request) ([]kabar.AccountID, string, error) {
		return []kabar.AccountID{7}, "key abc", nil
	}})
	mux := http.NewServeMux()
	for pattern, h := range api.Handlers() {
		mux.Handle(pattern, h)
	}
	for _, step := range []struct{ request, want string }{
		{"DELETE /kabar/v1/customers/34600111222", `200 {"customer":"person-1","state":"erased","began":"2031-05-02T10:15:00Z","ended":"2031-05-02T10:15:01Z",` +
			`"removed":{"conversations":0,"messages":3,"events":0,"media":0}}`},
		{"DELETE /kabar/v1/customers/34600111333", `202 {"customer":"person-1","state":"overwriting","began":"2031-05-02T10:15:00Z","removed"`},
		{"DELETE /kabar/v1/customers/34600111444", `404`},
		{"DELETE /kabar/v1/customers/34600111222?account=8", `404`},
		{"DELETE /kabar/v1/customers/34600111222?all=1", `400`},
		{"GET /kabar/v1/customers/34600111222/export", `200 PK`},
		{"GET /kabar/v1/customers/+34%20600%20111%20222/export?account=7", `200 PK`},
		{"GET /kabar/v1/customers/34600111444/export", `404`},
		{"GET /kabar/v1/customers/34600111222/export?account=8", `404`},
		{"GET /kabar/v1/customers/nobody/export", `400`},
		{"GET /kabar/v1/customers/34600111222/export?format=csv", `400`},
	} {
		method, path, _ := strings.Cut(step.request, " ")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if got := fmt.Sprint(w.Code, " ", w.Body); !strings.HasPrefix(got, step.want) {
			t.Errorf("%s: %s, want %s", step.request, got, step.want)
		}
	}
	defer func() {
		if r := recover(); r != http.ErrAbortHandler { //nolint:errorlint // what a handler panics with is compared as it is
			t.Errorf("an archive that is not whole ends with %v", r)
		}
	}()
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/kabar/v1/customers/34600111333/export", nil))
}
