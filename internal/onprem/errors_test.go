package onprem

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/web"
)

// reasons returns every reason of the vocabulary by the name of its constant.
func reasons(t *testing.T) map[string]kabar.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../error.go", nil, 0)
	must(t, err)
	all := map[string]kabar.Reason{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		must(t, err)
		all[spec.Names[0].Name] = kabar.Reason(text)
		return false
	})
	if len(all) < 30 {
		t.Fatalf("only %d reasons found", len(all))
	}
	return all
}

// Every reason has a code of its own: as a refusal, as a failure, or both.
func TestEveryReasonHasACode(t *testing.T) {
	for name, r := range reasons(t) {
		_, refused := refusals[r]
		_, failed := failures[r]
		if !refused && !failed {
			t.Errorf("%s has no code", name)
		}
	}
}

// The HTTP statuses follow the rule of the contract, section 3.
func TestStatuses(t *testing.T) {
	want := map[int][]int{1004: {409}, 1005: {401, 403}, 1006: {404}, 1007: {403}, 1011: {503}, 1014: {500, 409}, 1015: {429}, 1016: {503}, 1023: {500},
		1024: {401}, 1025: {400}, 1028: {403}}
	for r, f := range refusals {
		statuses := want[f.code]
		if statuses == nil && (f.code <= 1021 || f.code >= 2000) {
			statuses = []int{400}
		}
		ok := false
		for _, s := range statuses {
			ok = ok || s == f.status
		}
		if !ok || f.title == "" {
			t.Errorf("%q: %+v, want a status of %v", r, f, statuses)
		}
	}
}

type answered struct {
	status int
	header http.Header
	body   struct {
		Errors []fault
		Meta   meta
	}
}

// refused shows how an error is answered, and what is logged.
func refused(t *testing.T, err error, change func(*http.Request) *http.Request) (a answered, log string) {
	t.Helper()
	var buf bytes.Buffer
	api := &API{log: slog.New(slog.NewTextHandler(&buf, nil))}
	r := httptest.NewRequest("POST", "/v1/messages", nil)
	if change != nil {
		r = change(r)
	}
	w := httptest.NewRecorder()
	api.Refuse(w, r, err)
	a.status, a.header = w.Code, w.Header()
	must(t, json.Unmarshal(w.Body.Bytes(), &a.body))
	if len(a.body.Errors) != 1 {
		t.Fatalf("answer %s", w.Body)
	}
	return a, buf.String()
}

func TestRefuse(t *testing.T) {
	cancelled := func(r *http.Request) *http.Request {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		return r.WithContext(ctx)
	}
	for name, tt := range map[string]struct {
		err     error
		change  func(*http.Request) *http.Request
		status  int
		code    int
		details string
		after   string
	}{
		"full":       {&kabar.Error{Reason: kabar.ReasonOverloaded, After: time.Second}, nil, 503, 1016, "system overloaded", "1"},
		"down":       {&kabar.Error{Reason: kabar.ReasonNotReady, Detail: "x", After: 1500 * time.Millisecond}, nil, 503, 1011, "x", "2"},
		"statement":  {kabar.Refuse(kabar.ReasonStore, "", "a statement failed"), nil, 500, 1023, "a statement failed", ""},
		"throttled":  {kabar.Refuse(kabar.ReasonTooMany, "", "slow down"), nil, 429, 1015, "slow down", "1"},
		"too fast":   {&kabar.Error{Reason: kabar.ReasonThroughput, Detail: "80", After: 400 * time.Millisecond}, nil, 429, 1015, "80", "1"},
		"pair":       {&kabar.Error{Reason: kabar.ReasonPair, Detail: "6", After: 101 * time.Second}, nil, 429, 1015, "6", "101"},
		"wrapped":    {fmt.Errorf("send: %w", kabar.Refuse(kabar.ReasonIdentity, "to", "")), nil, 403, 1028, "to: identity change requires acknowledgement", ""},
		"exists":     {kabar.Refuse(kabar.ReasonExists, "", "x"), nil, 409, 1004, "x", ""},
		"no refusal": {kabar.Refuse(kabar.ReasonWindowClosed, "", "x"), nil, 500, 1014, "x", ""},
		"too large":  {fmt.Errorf("store: %w", &http.MaxBytesError{Limit: 7}), nil, 400, 1009, "the body has more than 7 bytes", ""},
		"given up":   {context.Canceled, cancelled, 503, 1011, "the request was given up", "1"},
		"names":      {&web.Error{Kind: web.TooLarge, Detail: "more than 1000 names"}, nil, 400, 1009, "the body has more than 1000 names", ""},
		"path":       {&web.Error{Kind: web.WrongType, Key: "a.0.b.12", Detail: "want a string"}, nil, 400, 1009, "a[0].b[12]: want a string", ""},
	} {
		a, log := refused(t, tt.err, tt.change)
		f := a.body.Errors[0]
		if a.status != tt.status || f.Code != tt.code || f.Details != tt.details || a.header.Get("Retry-After") != tt.after || log != "" {
			t.Errorf("%s: %d %+v Retry-After %q log %q", name, a.status, f, a.header.Get("Retry-After"), log)
		}
	}
}

// An internal error is told without what it says, and logged with it under the same id.
func TestInternalErrorsAreNotTold(t *testing.T) {
	a, log := refused(t, errors.New("disk of /secret is gone"), nil)
	f, id := a.body.Errors[0], a.header.Get("X-Request-ID")
	if a.status != 500 || f.Code != 1014 || strings.Contains(f.Details, "secret") {
		t.Errorf("%d %+v", a.status, f)
	}
	if !strings.Contains(log, "disk of /secret is gone") || !strings.Contains(log, id) {
		t.Errorf("log %q lacks the error or %s", log, id)
	}
}

func TestFailures(t *testing.T) {
	for r, want := range map[kabar.Reason]int{kabar.ReasonWindowClosed: 470, kabar.ReasonExpired: 410, kabar.ReasonUndeliverable: 500,
		kabar.ReasonUnknownUser: 1013, kabar.ReasonMediaDownload: 400, kabar.ReasonTemplatePaused: 2061, kabar.ReasonStore: 500, "never heard of": 500} {
		if f := failure(r); f.Code != want || f.Title == "" {
			t.Errorf("%q: %+v, want %d", r, f, want)
		}
	}
}
