package onprem

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/figures"
)

// Stats counts what /v1/stats and /v1/metrics report. Its methods are the hooks of those who know; they never block and are
// safe for concurrent use. Nothing of it outlives the process, as with every counter that is scraped.
type Stats struct {
	set   *figures.Set
	began time.Time

	mu      sync.Mutex
	conns   map[net.Conn]http.ConnState
	fresh   int // of conns: those that have asked nothing yet
	most    int // that fresh has been
	started int64

	counting sync.RWMutex // guards calls
	calls    map[served]*calls
}

// served is a kind of requests: there are few.
type served struct {
	method, route string
	status        int
}

// calls are the figures of one kind of requests.
type calls struct{ count, sum []*figures.Figure }

// NewStats returns statistics of a program that begins now.
func NewStats(now time.Time) *Stats {
	return &Stats{set: figures.NewSet(), began: now, conns: map[net.Conn]http.ConnState{}, calls: map[served]*calls{}}
}

// wholeOwner owns the figures of the program.
const wholeOwner = 0

// Note counts a fact about a message.
func (s *Stats) Note(n engine.Note) {
	add := func(name string, labels ...string) { s.set.Add(int64(n.Number), name, 1, labels...) }
	switch n.Fact {
	case engine.FactArrived:
		add("in_message_from_server")
		add("in_message_decoded")
	case engine.FactReceived:
		add("in_message_persisted")
	case engine.FactAccepted:
		add("out_message_persisted")
	case engine.FactMoved:
		add("out_message_status", n.Status.String())
		if n.Status == kabar.Sent {
			add("out_message_sent_duration_ms_count")
			s.set.Add(int64(n.Number), "out_message_sent_duration_ms_sum", milli(n.Took))
		}
	case engine.FactDownloaded:
		add("media_downloads")
	case engine.FactUploaded:
		add("media_uploads")
	}
}

// Told counts a webhook request of a number; status is 0 when there was no answer.
func (s *Stats) Told(n kabar.NumberID, kind kabar.EventKind, status int, err error, took time.Duration) {
	s.set.Add(int64(n), "callback_requests", 1, callbackType(kind), callbackResult(status, err))
	s.set.Add(int64(n), "callback_requests_duration_ms_count", 1)
	s.set.Add(int64(n), "callback_requests_duration_ms_sum", milli(took))
}

func callbackType(k kabar.EventKind) string {
	if aboutMessages(k) {
		return "inbound_message"
	}
	return "status_change"
}

// callbackResult is success, the status of the answer, or the number that curl has for what happened instead.
func callbackResult(status int, err error) string {
	switch {
	case err == nil:
		return "success"
	case status != 0:
		return strconv.Itoa(status)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "6" // could not resolve host
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "60" // peer certificate cannot be authenticated
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return "28" // operation timed out
	}
	return "7" // could not connect
}

// Served counts a request of this API: its method, the pattern of its route without method, and the status of the answer.
func (s *Stats) Served(method, route string, status int, took time.Duration) {
	if !strings.HasPrefix(route, Prefix) {
		return
	}
	all, ms := s.callsOf(served{method, route, status}), milli(took)
	for _, f := range all.count {
		f.Add(1)
	}
	for _, f := range all.sum {
		f.Add(ms)
	}
}

func (s *Stats) callsOf(k served) *calls {
	s.counting.RLock()
	known := s.calls[k]
	s.counting.RUnlock()
	if known != nil {
		return known
	}
	fresh := s.newCalls(k) // somebody else may do so, too: the figures are the same
	s.counting.Lock()
	defer s.counting.Unlock()
	s.calls[k] = fresh
	return fresh
}

func (s *Stats) newCalls(k served) *calls {
	code := strconv.Itoa(k.status)
	call := k.method + strings.NewReplacer("/", "_", "{", "", "}", "").Replace(k.route)
	at := func(name string, labels ...string) *figures.Figure { return s.set.At(wholeOwner, name, labels...) }
	return &calls{
		count: []*figures.Figure{at("endpoint_requests", k.method, code), at("endpoint_requests_duration_ms_count"),
			at("api_requests_duration_ms_count", call, code)},
		sum: []*figures.Figure{at("endpoint_requests_duration_ms_sum"), at("internal_server_requests_duration_ms_sum", call),
			at("api_requests_duration_ms_sum", call, code)},
	}
}

// Batch counts a commit of the store.
func (s *Stats) Batch(_ int, took time.Duration) {
	s.set.Add(wholeOwner, "db_request_duration_us_count", 1, "kabar", "commit")
	s.set.Add(wholeOwner, "db_request_duration_us_sum", float64(took.Microseconds()), "kabar", "commit")
}

// Conn is the hook of a http.Server for the states of its connections.
func (s *Stats) Conn(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, known := s.conns[c]; known && before == http.StateNew {
		s.fresh--
	}
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, c)
		return
	case http.StateNew:
		s.started++
		s.fresh++
		s.most = max(s.most, s.fresh)
	case http.StateActive, http.StateIdle:
	}
	s.conns[c] = state
}

func milli(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
