package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar/internal/patience"
)

// proveAnswers starts a program from a file that an environment variable names.
func proveAnswers(p *prover) {
	addr, debug := freeAddress(p.T), freeAddress(p.T)
	c := minimal(p.T, p.program).with(conf{"addr": addr, "debug-addr": debug, "host": []string{"api.shop.example"}})
	r := launchWith(p.T, p.program, c, nil, []string{"KABAR_CONFIG=" + c.write(p.T)})
	p.shows("config", r.get("http").status == http.StatusOK, "the program has not started from its file")
	p.shows("addr", r.addr == addr && r.get("https").status == http.StatusOK, "%s does not answer", addr)
	own := map[string]string{"serve": "kabar.db", "relay": "relay.db", "phone": "phone.db"}[p.program]
	_, err := os.Stat(filepath.Join(r.data, own))
	p.shows("data", err == nil, "%v", err)

	figures := ask(p.T, http.MethodGet, "http://"+debug+"/metrics", "")
	p.shows("debug-addr", figures.status == http.StatusOK && strings.Contains(figures.body, "kabar_"), "%+v", figures)
	elsewhere := ask(p.T, http.MethodGet, "http://"+addr+"/metrics", "")
	p.shows("debug-addr", !strings.Contains(elsewhere.body, "kabar_"), "the metrics are on --addr")

	names := r.get("https").tls.PeerCertificates[0].DNSNames
	p.shows("host", slices.Contains(names, "api.shop.example"), "the program's own certificate is for %v", names)
	if p.program != "relay" { // devices name no host that the relay would look at
		known, unknown := r.get("http", "Host: api.shop.example"), r.get("http", "Host: other.example")
		p.shows("host", known.status == http.StatusOK && unknown.status/100 == 4, "%d, and %d for another name", known.status, unknown.status)
	}
}

// proveLog has every program log one warning, with a phone number in it: of a host that its certificate is not for.
func proveLog(p *prover) {
	signed := signedFiles(p.T, "off")
	c := minimal(p.T, p.program).with(conf{"tls-cert": signed.TLSCert, "tls-key": signed.TLSKey, "host": []string{"628111000200"}})
	logOf := func(more conf) string {
		r := launch(p.T, p.program, c.with(more))
		r.get("http")
		r.end()
		return r.log.String()
	}
	text := logOf(nil)
	p.shows("log-numbers", strings.Contains(text, "it is not for 62") && !strings.Contains(text, "628111000200"), "without it the log is %q", text)
	p.shows("log-format", strings.Contains(text, "level=WARN msg=certificate"), "without it the log is %q", text)
	lines := logOf(conf{"log-format": "json", "log-numbers": true})
	for line := range strings.Lines(lines) {
		p.shows("log-format", json.Valid([]byte(line)), "%q", line)
	}
	p.shows("log-numbers", strings.Contains(lines, "it is not for 628111000200"), "%q", lines)
	silent := logOf(conf{"log-level": "error"})
	p.shows("log-level", silent == "", "error: %q", silent)
	if p.program == "serve" {
		p.shows("log-level", !strings.Contains(text, "msg=request"), "info: %q", text)
		requests := logOf(conf{"log-level": "debug"})
		p.shows("log-level", strings.Contains(requests, "msg=request") && strings.Contains(requests, "livez"), "debug: %q", requests)
	}
}

// provePlainHTTP uses an address of this machine that others could reach.
func provePlainHTTP(p *prover) {
	own := ownAddress(p.T)
	if own == "" {
		p.Log("THIS MACHINE HAS NO ADDRESS BUT LOOPBACK: allow-plain-http WAS SHOWN OF THE PORT ALONE, NOT OF A RUNNING PROGRAM")
		w := httptest.NewRecorder()
		(&port{handler: http.NotFoundHandler()}).servePlain(w, httptest.NewRequest(http.MethodGet, "/", nil))
		p.shows("allow-plain-http", w.Code == http.StatusForbidden, "refused with %d", w.Code)
		return
	}
	c := minimal(p.T, p.program).with(conf{"addr": own + ":0"})
	if p.program == "phone" {
		c["token-file"] = textFile(p.T, "token", phoneToken)
	}
	for allowed, want := range map[bool]int{false: http.StatusForbidden, true: http.StatusOK} {
		r := launch(p.T, p.program, c.with(conf{"allow-plain-http": allowed}))
		got := r.get("http", "Authorization: Bearer "+phoneToken)
		p.shows("allow-plain-http", got.status == want, "%v: %d %s", allowed, got.status, got.body)
		p.shows("allow-plain-http", r.get("https", "Authorization: Bearer "+phoneToken).status == http.StatusOK, "%v: https does not answer", allowed)
		r.end()
	}
}

const phoneToken = "the-token-of-the-phones"

// ownAddress is an IPv4 address of this machine that is not loopback; empty: it has none.
func ownAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return ""
}

// proveDrainTime ends a server in the middle of an upload.
func proveDrainTime(p *prover) {
	c := minimal(p.T, p.program).with(conf{"number": "628111000200"})
	cut := launch(p.T, p.program, c.with(conf{"drain-time": "300ms"}))
	body, answered := slowUpload(p.T, cut)
	began := time.Now()
	cut.end()
	took := time.Since(began)
	p.shows("drain-time", took >= 250*time.Millisecond, "300ms: an upload that goes on held the end up for %s", took)
	_ = body.Close() // it never was whole
	p.shows("drain-time", <-answered/100 != 2, "300ms: the upload was answered")

	patient := launch(p.T, p.program, c.with(conf{"drain-time": "1m"}))
	body, answered = slowUpload(p.T, patient)
	go func() {
		patience.Comes(func() bool { return strings.Contains(patient.log.String(), "ending: what was accepted") })
		_, _ = body.Write([]byte("hello")) // the answer tells whether it has arrived
	}()
	patient.end()
	status := <-answered
	p.shows("drain-time", status/100 == 2, "1m: an upload that ended in time was answered %d", status)
}

// slowUpload begins an upload of five bytes and returns when the server waits for them. The status is 0 when there was no answer.
func slowUpload(t *testing.T, r *running) (body *io.PipeWriter, status <-chan int) {
	t.Helper()
	reads := make(chan struct{})
	trace := &httptrace.ClientTrace{Got100Continue: func() { close(reads) }}
	in, body := io.Pipe()
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodPost, "http://"+r.addr+"/v1/media", in)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 5
	for name, value := range map[string]string{"Authorization": "Bearer " + apiKey(t, r), "Content-Type": "text/plain", "Expect": "100-continue"} {
		req.Header.Set(name, value)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: patience.Limit}}
	answered := make(chan int, 1)
	go func() {
		res, err := client.Do(req)
		if err != nil {
			answered <- 0
			return
		}
		answered <- res.StatusCode
		_ = res.Body.Close() // nobody reads it
	}()
	select {
	case <-reads:
	case early := <-answered:
		t.Fatalf("the upload was answered %d before it had begun", early)
	}
	return body, answered
}

// apiKey makes a key for the API of a running server.
func apiKey(t *testing.T, r *running) string {
	t.Helper()
	for word := range strings.FieldsSeq(kabarDoes(t, "key", "add", "--label", "test", "--scopes", "messages,admin", "--data", r.data)) {
		if strings.HasPrefix(word, "kbr_") {
			return word
		}
	}
	t.Fatal("no API key")
	return ""
}
