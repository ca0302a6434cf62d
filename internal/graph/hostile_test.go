package graph

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kabar/internal/auth"
	"kabar/internal/golden"
	await "kabar/internal/patience"
	"kabar/internal/storetest"
)

// TestHostileRequests sends more than 2,000 requests that are wrong in one way, to every route of the API and to paths that are none. Each is
// answered soon, never with a fault of the server and never as a page, and a refusal is the API's error object, with a code of the
// contract's table under its status. What was refused has stored nothing.
func TestHostileRequests(t *testing.T) {
	const seed = 20260412
	all, perSample := 2000, 2
	if testing.Short() {
		all, perSample = 400, 1
	}
	patterns := hostileRoutes()
	each := all/len(patterns) + 1
	samples := hostileSamples(t, patterns)
	for i, pattern := range patterns {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, seed, uint64(i))
			for range each + perSample*len(samples[pattern]) {
				h.try(h.request(pattern, samples[pattern]))
			}
		})
	}
	t.Run("paths", func(t *testing.T) {
		t.Parallel()
		h := newHostile(t, seed, uint64(len(patterns)))
		for _, path := range oddPaths() {
			for _, method := range []string{"GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "PROPFIND", "get"} {
				u, err := url.ParseRequestURI(h.fill(path))
				must(t, err)
				r := httptest.NewRequest(method, "/", strings.NewReader(`{"messaging_product":"whatsapp"}`))
				r.URL = u
				h.identify(r, "user")
				h.try(r)
			}
		}
	})
}

// hostileRoutes are the routes of this API, in a fixed order.
func hostileRoutes() (patterns []string) {
	for _, row := range auth.Table(false) {
		if _, path, _ := strings.Cut(row.Pattern, " "); strings.HasPrefix(path, Prefix) {
			patterns = append(patterns, row.Pattern)
		}
	}
	slices.Sort(patterns)
	return patterns
}

// oddPaths are of no endpoint, or hardly.
func oddPaths() []string {
	long := strings.Repeat("9", 4000)
	return []string{"/v23.0", "/v23.0/", "/v23.0//", "/v23.0//<phone>/messages", "/v23.0/<phone>//messages", "/v23.0/<phone>/./messages",
		"/v23.0/<phone>/x/../messages", "/v23.0/%2e%2e/<phone>", "/v23.0/<phone>%2Fmessages", "/v23.0/<phone>/messages%00", "/v23.0/<phone>/messages/" + long,
		"/v23.0/" + long, "/v23.0/" + long + "/messages", "/v1000.0/<phone>", "/v23/<phone>", "/V23.0/<phone>", "/v23.0/v23.0/<phone>", "/v-1.0/<phone>",
		"/v23.0/graph/<phone>", "/graph/<phone>", "/graph/", "/v23.0/..", "/v23.0/<phone>/%ff%fe", "/%00/<phone>", "/v23.0/<phone>/<script>alert(1)</script>",
		"/v23.0/<phone>/messages;x=1", "/v23.0/<phone>/MESSAGES", "/v23.0/upload:", "/upload:..%2f..%2f", "/v23.0/-1", "/v23.0/0", "/v23.0/1e3", "/v23.0/<phone> ",
		"/v23.0/me/messages", "/v23.0/debug_token/x", "/v23.0/oauth/access_token/x", "/oauth", "/whatsapp_business", "/v23.0/whatsapp_business/attachments/x"}
}

// hostileSample is a request of a golden file.
type hostileSample struct{ who, path, kind, body string }

// hostileSamples are what golden files ask, by route. Ids that only a player of the file knows are of nobody.
func hostileSamples(t *testing.T, patterns []string) map[string][]hostileSample {
	t.Helper()
	routes := http.NewServeMux()
	for _, pattern := range patterns {
		routes.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	files, err := golden.Files("testdata")
	must(t, err)
	samples := map[string][]hostileSample{}
	unknown := strings.NewReplacer("<n1>", "<template>", "<w1>", wamidOfNobody, "<w2>", wamidOfNobody)
	for _, file := range files {
		for _, s := range file.Sections {
			if s.Name != "request" {
				continue
			}
			text := unknown.Replace(s.Text)
			line, rest, _ := strings.Cut(text, "\n")
			method, path, _ := strings.Cut(line, " ")
			q, err := golden.ParseRequest(method + " /\n" + rest)
			must(t, err)
			r := httptest.NewRequest(method, "/", nil)
			if u, err := url.ParseRequestURI(wild.ReplaceAllString(path, "1")); err == nil {
				r.URL = u
			}
			inside := Enter(r)
			if inside == nil {
				continue
			}
			if _, pattern := routes.Handler(inside); pattern != "" {
				samples[pattern] = append(samples[pattern], hostileSample{q.Who, path, q.Header.Get("Content-Type"), string(q.Content)})
			}
		}
	}
	return samples
}

const wamidOfNobody = "wamid.HBgLMzQ2MDAxMTEyMjIVAgARGBIwMTIzNDU2Nzg5QUJDREVGMDEA"

var wild = regexp.MustCompile(`<[a-z]+[0-9]*>|\{[a-z]+\}`)

// hostile sends requests to a server of its own.
type hostile struct {
	*env
	r        *rand.Rand
	names    golden.Names
	statuses map[string][]string
	attacks  []golden.Attack
	template string
	rows     string
}

func newHostile(t *testing.T, seed, stream uint64) *hostile {
	t.Helper()
	h := &hostile{env: newEnv(t), r: rand.New(rand.NewPCG(seed, stream)), statuses: errorTable(t), attacks: golden.Attacks()}
	h.call(&h.names)
	templates, err := h.db.Templates(t.Context(), h.a.Account)
	must(t, err)
	h.template = strconv.FormatInt(int64(templates[0].ID), 10)
	h.settle()
	h.rows = storetest.Rows(t, h.db)
	return h
}

// fill says which nodes a path is about. Those that nobody knows are odd.
func (h *hostile) fill(text string) string {
	h.t.Helper()
	text, _ = h.names.Fill(strings.ReplaceAll(text, "<template>", h.template))
	return text
}

// request makes a request to a route that is wrong in its node, its query, its body, the type of it, or in who asks.
func (h *hostile) request(pattern string, samples []hostileSample) *http.Request {
	h.t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	s := hostileSample{"user", "/v23.0/" + strings.TrimPrefix(strings.TrimSuffix(path, "{$}"), Prefix), "application/json", `{"messaging_product":"whatsapp"}`}
	if len(samples) > 0 {
		s = samples[h.r.IntN(len(samples))]
	}
	one := func(of ...string) string { return of[h.r.IntN(len(of))] }
	body := []byte(h.fill(s.body))
	path, who, kind := h.fill(s.path), s.who, s.kind
	form := strings.HasPrefix(kind, "multipart/")
	switch h.r.IntN(10) {
	case 0:
		path = regexp.MustCompile(`[0-9]{15,16}`).ReplaceAllLiteralString(path, one("0", "-1", "%2e%2e", "%00", "%ff", strings.Repeat("9", 999), h.nodeOf(int64(h.b.ID)), h.nodeOf(int64(h.b.Account)), "nobody", wamidOfNobody))
	case 1:
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		path += join + one("fields="+strings.Repeat("a{", 2000), "fields=%00,id", "fields=id.limit(-1)", "limit=-1", "limit=99999999999999999999", "limit=x", "after=%ff", "before=AAAA&after=AAAA",
			"access_token=x", "access_token=x&access_token=y", "appsecret_proof=00", "%zz=%zz", "messaging_product[]=x&messaging_product[a]=y", strings.Repeat("a=b&", 5000), "pin=%7B%7D", "fields=id{id{id{id}}}", "components=[[[", "name=%00")
	case 2:
		who = one("nobody", "other", "app", "expired", "messaging", "management")
	case 3:
		kind = one("text/plain", "text/html", "application/xml", "multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary="+strings.Repeat("x", 100), "application/x-www-form-urlencoded", "\x7f", "application/json; charset=utf-16", "")
	case 4:
		if form { // a form that is damaged
			body = [][]byte{body[:h.r.IntN(len(body)+1)], bytes.ReplaceAll(body, []byte("\n"), nil), bytes.ReplaceAll(body, []byte("name="), []byte("eman=")), append(body, body...)}[h.r.IntN(4)]
			break
		}
		fallthrough
	default:
		attack := h.attacks[h.r.IntN(len(h.attacks))]
		if len(body) == 0 {
			body, kind = []byte(`{"messaging_product":"whatsapp","name":"x"}`), "application/json"
		}
		body = attack.Make(h.r, body)
	}
	r := httptest.NewRequest(method, "/", bytes.NewReader(body))
	if u, err := url.ParseRequestURI(path); err == nil {
		r.URL = u
	} else if u, err := url.Parse(wild.ReplaceAllString(path, "1")); err == nil {
		r.URL = u
	}
	r.Header.Set("Content-Type", kind)
	h.identify(r, cmp.Or(who, "user"))
	return r
}

func (h *hostile) nodeOf(key int64) string { return strconv.FormatUint(h.db.Node(key), 10) }

func (h *hostile) identify(r *http.Request, who string) {
	if token := h.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

// try sends a request and judges what comes of it.
func (h *hostile) try(r *http.Request) {
	h.t.Helper()
	what := fmt.Sprintf("%s %.300s (%q)", r.Method, r.URL, r.Header.Get("Content-Type"))
	w := httptest.NewRecorder()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		h.mux.ServeHTTP(w, r)
	}()
	await.Next(h.t, "an answer to "+what, answered)
	what += fmt.Sprintf(": %d %.300s", w.Code, w.Body)
	if kind := w.Header().Get("Content-Type"); strings.Contains(kind, "html") || w.Code >= 400 && !strings.HasPrefix(kind, "application/json") {
		h.t.Errorf("answered as %q: %s", kind, what)
	}
	if w.Code < 400 {
		h.settle()
		h.rows = storetest.Rows(h.t, h.db)
		return
	}
	if fault := h.wrong(w); fault != "" {
		h.t.Errorf("%s: %s", fault, what)
	}
	if rows := storetest.Rows(h.t, h.db); rows != h.rows {
		h.t.Errorf("something was stored: %s\nbefore %s\nafter  %s", what, h.rows, rows)
		h.rows = rows
	}
}

// wrong says what is wrong with a refusal.
func (h *hostile) wrong(w *httptest.ResponseRecorder) string {
	var answer struct {
		Error struct {
			Message, Type string
			Code          int
			Trace         string `json:"fbtrace_id"`
		}
	}
	e := &answer.Error
	switch err := json.Unmarshal(w.Body.Bytes(), &answer); {
	case w.Code >= 500 && w.Code != http.StatusNotImplemented: // which the contract has for what is not served
		return "a fault of the server"
	case err != nil || e.Message == "" || e.Type == "" || e.Code == 0 || e.Trace == "":
		return "not the error object"
	case !slices.Contains(h.statuses[strconv.Itoa(e.Code)], strconv.Itoa(w.Code)):
		return fmt.Sprintf("the table has %d with %v", e.Code, h.statuses[strconv.Itoa(e.Code)])
	}
	if missing := slices.DeleteFunc([]string{"Facebook-Api-Version", "X-Fb-Trace-Id"}, func(name string) bool { return w.Header().Get(name) != "" }); len(missing) > 0 {
		return fmt.Sprintf("without %v, has %v", missing, slices.Collect(maps.Keys(w.Header())))
	}
	return ""
}
