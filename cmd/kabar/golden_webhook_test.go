package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar/internal/golden"
)

// goldenWeb is the world outside: it takes webhooks at /hook, and answers links of files at /HOST/…, where the endpoint of flows is, too.
type goldenWeb struct {
	url   string
	split func(body []byte) ([][]byte, error) // of batches; nil: there are none
	flows *golden.FlowScript

	mu     sync.Mutex
	bodies [][]byte // that no section has asked for yet, in the order in which they came
	fault  error
}

func newGoldenWeb(t *testing.T, secret string) *goldenWeb {
	w := &goldenWeb{flows: golden.NewFlowScript(secret)}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

// ServeHTTP answers.
func (w *goldenWeb) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if challenge := r.URL.Query().Get("hub.challenge"); challenge != "" && strings.HasSuffix(r.URL.Path, "/hook") {
		_, _ = io.WriteString(out, challenge) // it wants what it is offered
		return
	}
	if r.Method == http.MethodPost && r.URL.Path == "/"+golden.CDN+golden.FlowPath {
		w.flows.ServeHTTP(out, r)
		return
	}
	if r.URL.Path != "/hook" {
		host, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		status, body := golden.Fetch(host, "/"+path, r.Header.Get("Authorization"))
		out.WriteHeader(status)
		_, _ = out.Write(body) // whoever has gone asks again
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		out.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	events := [][]byte{body}
	if w.split != nil {
		events, err = w.split(body)
		w.fault = errors.Join(w.fault, err)
	}
	w.bodies = append(w.bodies, events...)
}

// webhooks waits until all webhooks that a section shows have come, in whatever order between customers and in this one for
// each of them, and shows both. Those that nobody asks for stay for the next section.
func (p *goldenPlayer) webhooks(text string) (want, got string) {
	p.t.Helper()
	expected, err := bodies(text, p.web.split)
	if err != nil {
		p.t.Fatal(err)
	}
	var missing string
	p.eventually("the webhooks", func() error {
		p.web.mu.Lock()
		defer p.web.mu.Unlock()
		var left []string
		for _, body := range expected {
			if !p.take(body) {
				left = append(left, body)
			}
		}
		if expected = left; len(left) == 0 {
			return p.web.fault
		}
		missing = strings.Join(left, "")
		return fmt.Errorf("%d are missing", len(left))
	})
	if len(expected) == 0 {
		return "", ""
	}
	return missing, p.waiting(nil)
}

// take takes the webhook that looks like this, if it is there and nothing of the same customer that a section shows came
// before. The caller holds the lock.
func (p *goldenPlayer) take(want string) bool {
	want = golden.FromClock(want, golden.Clock())
	for i, body := range p.web.bodies {
		show := func(n *golden.Names) string { return golden.FromClock(n.Body([]byte(p.called(string(body)))), p.began) }
		if p.names.Match(want, show) {
			p.web.bodies = slices.Delete(p.web.bodies, i, i+1)
			return true
		}
		if whose([]byte(p.called(string(body)))) == whose([]byte(want)) && !confirms(body) {
			return false
		}
	}
	return false
}

var whoseForm = regexp.MustCompile(`"(?:from|recipient_id)": ?"([^"]*)"`)

// whose returns the customer of a webhook; empty for one of the number itself.
func whose(body []byte) string {
	if found := whoseForm.FindSubmatch(body); found != nil {
		return string(found[1])
	}
	return ""
}

// confirms reports whether a webhook says that a message was delivered. A handset that is switched on tells so of all that has
// waited for it, in files that do not say what becomes of it, too.
func confirms(body []byte) bool {
	return bytes.Contains(body, []byte(`"status":"delivered"`))
}

// waiting shows the webhooks that no section has asked for.
func (p *goldenPlayer) waiting(but func(body []byte) bool) string {
	p.web.mu.Lock()
	defer p.web.mu.Unlock()
	var b strings.Builder
	for _, body := range p.web.bodies {
		if but == nil || !but(body) {
			b.WriteString(p.seen(p.names.Body(body)))
		}
	}
	return b.String()
}

// quiet is how long is listened for a webhook too many.
const quiet = 300 * time.Millisecond

// noMore checks that no webhook has come that no section shows.
func (p *goldenPlayer) noMore() {
	p.t.Helper()
	time.Sleep(quiet) // a fault may be missed; where there is none, nothing depends on it
	if more := p.waiting(p.unasked); more != "" {
		p.t.Errorf("webhooks that no section shows:\n%s", more)
	}
}

// The name of an id that is written as a number is no JSON: it is quoted while a section is read.
var (
	bareForm   = regexp.MustCompile(`: (<[a-z]+[0-9]*>)`)
	quotedForm = regexp.MustCompile(`"bare (<[a-z]+[0-9]*>)"`)
)

// bodies takes the webhooks out of a section; split, if any, takes each of them apart.
func bodies(section string, split func([]byte) ([][]byte, error)) (all []string, err error) {
	var text strings.Builder
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "not wanted: ") {
			text.WriteString(line)
		}
	}
	for d := json.NewDecoder(strings.NewReader(bareForm.ReplaceAllString(text.String(), `: "bare $1"`))); ; {
		var body json.RawMessage
		if err := d.Decode(&body); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		events := [][]byte{body}
		if split != nil {
			if events, err = split(body); err != nil {
				return nil, err
			}
		}
		for _, event := range events {
			var shown bytes.Buffer
			if err := json.Indent(&shown, event, "", "  "); err != nil {
				return nil, err
			}
			all = append(all, quotedForm.ReplaceAllString(shown.String(), "$1")+"\n")
		}
	}
}
