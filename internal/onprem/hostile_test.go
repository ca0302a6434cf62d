package onprem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/golden"
	await "kabar/internal/patience"
	"kabar/internal/storetest"
)

// errorTable reads the contract's table of errors (section 3): by code, the HTTP statuses it may have, and its title.
func errorTable(t testing.TB) (statuses map[int][]string, titles map[int]string) {
	t.Helper()
	raw, err := os.ReadFile("testdata/errors.tsv")
	must(t, err)
	statuses, titles = map[int][]string{}, map[int]string{}
	for line := range strings.Lines(string(raw)) {
		row := strings.Split(strings.TrimSpace(line), "\t")
		code, err := strconv.Atoi(row[0])
		must(t, err)
		statuses[code], titles[code] = strings.Split(row[1], ","), row[2]
	}
	return statuses, titles
}

// sample is a request of a golden file.
type sample struct {
	method, path string
	json         []byte
}

// requestSamples are the requests with a JSON body that golden files show, by their route.
func requestSamples(t *testing.T, routes *http.ServeMux) map[string][]sample {
	t.Helper()
	all := map[string][]sample{}
	ids := strings.NewReplacer("<m1>", messageIDOfNobody, "<m2>", messageIDOfNobody)
	for _, file := range goldenFiles(t) {
		for _, s := range file.Sections {
			head, body, _ := strings.Cut(s.Text, "\n\n")
			line, _, _ := strings.Cut(head, "\n")
			method, path, ok := strings.Cut(line, " ")
			if s.Name != "request" || !ok || strings.ContainsAny(path, "<%") || !json.Valid([]byte(ids.Replace(body))) {
				continue
			}
			r, err := http.NewRequest(method, path, nil)
			if err != nil {
				continue // a file may show what is no request at all
			}
			_, pattern := routes.Handler(r)
			all[pattern] = append(all[pattern], sample{method, path, []byte(strings.TrimSpace(ids.Replace(body)))})
		}
	}
	return all
}

const messageIDOfNobody = "gBGGNGABEQAfAgkBHLi_PsUoIdQ"

// TestHostileRequests sends 2,000 requests that are wrong in one way, to every route of the API. Each is answered soon, in the
// envelope, with a code of the contract's table under its status, and never with a fault of the server. What is refused has stored
// nothing; what can only be refused is.
func TestHostileRequests(t *testing.T) {
	const seed = 20251023
	e := newEnv(t)
	r := rand.New(rand.NewPCG(seed, 1))
	statuses, _ := errorTable(t)
	known := http.NewServeMux()
	var routes []string
	for _, row := range auth.Table(false) {
		if _, path, _ := strings.Cut(row.Pattern, " "); strings.HasPrefix(path, Prefix) && row.Access != auth.Public { // those are documents
			known.HandleFunc(row.Pattern, func(http.ResponseWriter, *http.Request) {})
			routes = append(routes, row.Pattern)
		}
	}
	samples := requestSamples(t, known)
	var spoiling, other []golden.Attack
	for _, a := range golden.Attacks() {
		if a.Spoils {
			spoiling = append(spoiling, a)
		}
		other = append(other, a)
	}
	wild := regexp.MustCompile(`\{[^}]+\}`)
	try := func(i int, pattern string, a golden.Attack) *httptest.ResponseRecorder {
		method, path, _ := strings.Cut(pattern, " ")
		s := sample{method, path, []byte(`{"to":"34600111222","text":{"body":"x"}}`)}
		if all := samples[pattern]; len(all) > 0 {
			s = all[r.IntN(len(all))]
		}
		s.path = wild.ReplaceAllLiteralString(s.path, []string{"nobody", "0", "%2e%2e", "%00", messageIDOfNobody}[r.IntN(5)])
		body := a.Make(r, s.json)
		req := httptest.NewRequest(s.method, s.path, bytes.NewReader(body))
		req.RemoteAddr = fmt.Sprintf("192.0.2.%d:4321", i%250)
		if types := []string{"application/json", "text/plain", "application/x-www-form-urlencoded", ""}; s.method != "GET" {
			req.Header.Set("Content-Type", types[r.IntN(len(types))])
		}
		token, err := e.auth.Issue(t.Context(), "admin") // the one before may have logged out
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+token.Token)
		w := httptest.NewRecorder()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			e.mux.ServeHTTP(w, req)
		}()
		await.Next(t, fmt.Sprintf("an answer to %s, %s %s %.200q", a.Name, s.method, s.path, body), answered)
		what := fmt.Sprintf("%d: %s, %s %s %.200q: %d %.300s", i, a.Name, s.method, s.path, body, w.Code, w.Body)
		checkEnvelope(t, statuses, w, what)
		return w
	}
	before := e.rows()
	readers := slices.DeleteFunc(slices.Clone(routes), func(pattern string) bool { return !readsJSON(pattern) })
	for i := range 1000 {
		pattern := readers[i%len(readers)]
		if w := try(i, pattern, spoiling[r.IntN(len(spoiling))]); w.Code < 300 {
			t.Errorf("%s took what cannot be taken: %d %s", pattern, w.Code, w.Body)
		}
	}
	if after := e.rows(); before != after {
		t.Errorf("refused requests have left something: before %s, after %s", before, after)
	}
	collections := 0
	for i := range 1000 {
		pattern := routes[i%len(routes)]
		w := try(i, pattern, other[r.IntN(len(other))])
		if w.Code >= 300 {
			if after := e.rows(); before != after {
				t.Fatalf("%s was refused and has left something: before %s, after %s", pattern, before, after)
			}
			continue
		}
		if strings.HasSuffix(pattern, "/gc") {
			collections++
			e.awaitEvents(kabar.EventCollected, strconv.Itoa(collections))
		}
		e.settle() // what was taken has its consequences
		before = e.rows()
	}
}

// readsJSON says whether a route reads a JSON body, and nothing else.
func readsJSON(pattern string) bool {
	switch pattern {
	case "POST /v1/media", "POST /v1/users/login", "POST /v1/users/logout", "PUT /v1/services/message/gc", "PUT /v1/services/media/gc":
		return false
	}
	return !strings.HasPrefix(pattern, "GET ") && !strings.HasPrefix(pattern, "DELETE ")
}

// checkEnvelope checks the form of an answer.
func checkEnvelope(t *testing.T, statuses map[int][]string, w *httptest.ResponseRecorder, what string) {
	t.Helper()
	if w.Code < 300 {
		return
	}
	var answer struct {
		Errors []struct {
			Code  int    `json:"code"`
			Title string `json:"title"`
		} `json:"errors"`
		Meta struct {
			Version string `json:"version"`
		} `json:"meta"`
	}
	err := json.Unmarshal(w.Body.Bytes(), &answer)
	switch {
	case w.Code >= 500:
		t.Errorf("a fault of the server: %s", what)
	case err != nil || len(answer.Errors) != 1 || answer.Errors[0].Title == "" || answer.Meta.Version == "":
		t.Errorf("not in the envelope: %s", what)
	case !strings.Contains(strings.Join(statuses[answer.Errors[0].Code], ","), strconv.Itoa(w.Code)):
		t.Errorf("not a code of the table under this status: %s", what)
	}
}

// rows counts what is stored, but for sessions.
func (e *env) rows() string {
	e.t.Helper()
	return storetest.Rows(e.t, e.db, "login")
}
