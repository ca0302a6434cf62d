package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar/internal/patience"
)

// application is the business's own: it takes webhooks, and notices when something is told twice.
type application struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	life     int               // of the server that tells: a restore begins another
	hooks    map[string]string // bodies by webhook-id
	told     map[string]string // webhook-ids by what was told, in one life
	messages map[string]string // ids of messages by their texts
	ids      map[string]string // and the other way round
	statuses map[string]int
}

func newApplication(t *testing.T) *application {
	t.Helper()
	a := &application{t: t, hooks: map[string]string{}, told: map[string]string{}, messages: map[string]string{}, ids: map[string]string{}, statuses: map[string]int{}}
	a.server = httptest.NewServer(a)
	t.Cleanup(a.server.Close)
	return a
}

func (a *application) url() string { return a.server.URL + "/hook" }

// ServeHTTP takes a webhook. kabar doctor looks whether somebody is there with another method.
func (a *application) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		return
	}
	text, err := io.ReadAll(r.Body)
	var body struct {
		Messages []struct {
			ID   string
			Text struct{ Body string }
		}
		Statuses []struct{ ID, Status string }
	}
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	if err != nil {
		a.t.Errorf("webhook %q: %v", text, err)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id := r.Header.Get("webhook-id")
	if before, again := a.hooks[id]; again && before != string(text) {
		a.t.Errorf("%s has told %s, and now %s", id, before, text)
	}
	a.hooks[id] = string(text)
	for _, m := range body.Messages {
		a.tells(id, m.ID)
		a.means(m.ID, m.Text.Body)
	}
	for _, s := range body.Statuses {
		a.tells(id, s.ID+" "+s.Status)
		a.statuses[s.Status]++
	}
}

// tells notes that a webhook tells something: in one life there is one webhook-id for it.
func (a *application) tells(id, what string) {
	what = fmt.Sprint(a.life, " ", what)
	if before := a.told[what]; before != "" && before != id {
		a.t.Errorf("%s is told by %s and by %s", what, before, id)
	}
	a.told[what] = id
}

// means notes which message has an id: neither is ever used twice.
func (a *application) means(id, text string) {
	if before := a.ids[id]; before != "" && before != text {
		a.t.Errorf("%s is the id of %q and of %q", id, before, text)
	}
	if before := a.messages[text]; before != "" && before != id {
		a.t.Errorf("%q came as %s and as %s", text, before, id)
	}
	a.ids[id], a.messages[text] = text, id
}

// begin begins another life of the server.
func (a *application) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.life++
}

// missing returns how many of the texts have not come, and one of them.
func (a *application) missing(texts []string) (n int, one string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, text := range texts {
		if a.messages[text] == "" {
			n, one = n+1, text
		}
	}
	return n, one
}

// traffic is what both sides say, and what became of it.
type traffic struct {
	t        *testing.T
	m        *machine
	app      *application
	key      string
	customer string
	http     *http.Client
	refused  atomic.Int64 // times that the server has said that it cannot now

	mu       sync.Mutex
	accepted map[string]string // ids that the API has answered by text
	ids      map[string]string // and the other way round
	wrote    []string          // texts of the customer
	lost     texts             // of between a backup and the loss: they may be missing
}

func newTraffic(m *machine, app *application) *traffic {
	v := &traffic{t: m.t, m: m, app: app, key: m.learnt["THE-KEY-THAT-WAS-PRINTED"], customer: "34600111222",
		accepted: map[string]string{}, ids: map[string]string{}}
	v.trust()
	return v
}

// trust takes the certificate that the server has made for itself, and nothing else, for the server's.
func (v *traffic) trust() {
	v.t.Helper()
	text, err := os.ReadFile(v.m.path("var/lib/kabar/server/tls/tls.crt"))
	v.m.must(err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		v.t.Fatal("the server's certificate is none")
	}
	v.http = &http.Client{Timeout: patience.Limit, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 16}}
}

// api calls the server.
func (v *traffic) api(method, path, once string, body []byte) (*http.Response, []byte, error) {
	_, port, _ := strings.Cut(v.m.api, ":")
	req, err := http.NewRequest(method, "https://localhost:"+port+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("D360-API-KEY", v.key)
	if once != "" {
		req.Header.Set("Idempotency-Key", once)
	}
	return v.call(req)
}

// handset calls the customers' control API, at which everything must succeed.
func (v *traffic) handset(method, path, body string) []byte {
	req, err := http.NewRequest(method, "http://"+v.m.phone+"/api/customers/"+v.customer+path, strings.NewReader(body))
	var res *http.Response
	var text []byte
	if err == nil {
		res, text, err = v.call(req)
	}
	if err != nil || res.StatusCode/100 != 2 {
		v.t.Errorf("%s of the customer: %v %s", path, err, text)
	}
	return text
}

func (v *traffic) call(req *http.Request) (*http.Response, []byte, error) {
	res, err := v.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res, text, err
}

// send has the business say something, again until it is accepted: an answer that is not 2xx must be 503 and say when to come
// again. Those are counted.
func (v *traffic) send(text string) {
	body := fmt.Appendf(nil, `{"to":%q,"type":"text","text":{"body":%q}}`, v.customer, text)
	for deadline := time.Now().Add(patience.Limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		res, answer, err := v.api(http.MethodPost, "/v1/messages", strings.ReplaceAll(text, " ", "-"), body)
		switch {
		case err == nil && res.StatusCode/100 == 2:
			v.accept(text, answer)
			return
		case err == nil && res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
			v.refused.Add(1)
		case err == nil:
			v.t.Errorf("%q: %s %s, Retry-After %q", text, res.Status, answer, res.Header.Get("Retry-After"))
			return
		default:
			v.t.Errorf("%q: %v", text, err)
			return
		}
	}
	v.t.Errorf("%q was not accepted in %s", text, patience.Limit)
}

func (v *traffic) accept(text string, answer []byte) {
	var a struct{ Messages []struct{ ID string } }
	if err := json.Unmarshal(answer, &a); err != nil || len(a.Messages) != 1 {
		v.t.Errorf("%q: %v, answer %s", text, err, answer)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	id := a.Messages[0].ID
	if before := v.ids[id]; before != "" {
		v.t.Errorf("%s is the id of %q and of %q", id, before, text)
	}
	v.ids[id], v.accepted[text] = text, id
}

// write has the customer say something.
func (v *traffic) write(text string) {
	v.handset(http.MethodPost, "/messages", fmt.Sprintf(`{"type":"text","text":{"body":%q}}`, text))
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wrote = append(v.wrote, text)
}
