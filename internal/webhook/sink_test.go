package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"kabar"
)

// told is one event in a request.
type told struct {
	Seq          int64                `json:"seq"`
	Conversation kabar.ConversationID `json:"conversation"`
	Kind         kabar.EventKind      `json:"kind"`
}

// call is one request as an application sees it: of one event, or of several in Batch, of which it has the first one's.
type call struct {
	told
	Batch   []told `json:"batch"`
	n       int    // how often the request has been made, this time included
	id, url string
	body    string
	header  http.Header
	at      time.Time
	status  int // what was answered; 0 for none
}

// answer is how a sink answers.
type answer func(ctx context.Context, c *call) (*http.Response, error)

// always answers every request with a status.
func always(status int) answer { return by(func(*call) int { return status }) }

// by answers a request with a status that depends on it.
func by(f func(c *call) int) answer {
	return func(_ context.Context, c *call) (*http.Response, error) { return response(f(c), "thanks"), nil }
}

// sink is an application, in the same process: a RoundTripper.
type sink struct {
	mu       sync.Mutex
	answer   answer
	calls    []*call
	times    map[string]int // by id
	busy     map[kabar.ConversationID]bool
	inflight int
	most     int  // in flight at once
	overlap  bool // two of one customer at once
	forget   bool // keep no calls
	count    int
}

func newSink() *sink {
	return &sink{times: map[string]int{}, busy: map[kabar.ConversationID]bool{}, answer: always(200)}
}

func (s *sink) RoundTrip(req *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	c := &call{id: req.Header.Get("webhook-id"), url: req.URL.String(), body: string(b), header: req.Header, at: time.Now()}
	if err := json.Unmarshal(b, c); err != nil {
		return nil, err
	}
	if len(c.Batch) > 0 {
		c.told = c.Batch[0]
	} else {
		c.Batch = []told{c.told}
	}
	answer := s.enter(c)
	res, err := answer(req.Context(), c)
	s.leave(c, res)
	if err != nil {
		return nil, err
	}
	res.Request = req
	return res, nil
}

func (s *sink) enter(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.inflight++
	s.most = max(s.most, s.inflight)
	for _, e := range c.Batch {
		s.overlap = s.overlap || s.busy[e.Conversation]
	}
	for _, e := range c.Batch {
		s.busy[e.Conversation] = true
	}
	if !s.forget {
		s.times[c.id]++
		c.n = s.times[c.id]
		s.calls = append(s.calls, c)
	}
	return s.answer
}

func (s *sink) leave(c *call, res *http.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inflight--
	for _, e := range c.Batch {
		s.busy[e.Conversation] = false
	}
	if res != nil {
		c.status = res.StatusCode
	}
}

func response(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// respond says how the sink answers from now on.
func (s *sink) respond(a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = a
}

// got returns the calls so far: copies, since those that are under way change.
func (s *sink) got() []*call {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*call, len(s.calls))
	for i, c := range s.calls {
		copied := *c
		all[i] = &copied
	}
	return all
}

// of returns the calls about an event.
func (s *sink) of(seq int64) (all []*call) {
	for _, c := range s.got() {
		if c.Seq == seq {
			all = append(all, c)
		}
	}
	return all
}

// reset forgets the calls and the marks of concurrency.
func (s *sink) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.most, s.count = nil, 0, 0
}
