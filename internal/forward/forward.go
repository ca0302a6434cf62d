package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"kabar/internal/signature"
)

// Limits of what is on its way to the application.
const (
	maxAhead  = 64       // events taken from the server that the application has not answered
	maxAtOnce = 12       // posts at a time, of different customers
	maxAnswer = 64 << 10 // bytes of an answer that are read
	patience  = 15 * time.Second
	attempts  = 5 // when nobody answers
)

// Outcome is what has become of an event.
type Outcome struct {
	Entry  *Entry
	Status int   // of the answer; 0: there was none
	Err    error // why there was none; with an Entry that has an Error, ErrUntold
	Took   time.Duration
	Again  time.Duration // with Err: when it is tried again; 0: it is given up
}

// ErrUntold says that there is nothing to post: the server cannot tell of the event.
var ErrUntold = errors.New("the server cannot tell of it")

// Summary counts outcomes.
type Summary struct{ Taken, Refused, GivenUp int }

// Options are what a Forwarder works with.
type Options struct {
	URL    string // of the application; http or https
	Secret string // whsec_…
	HTTP   *http.Client
	Told   func(Outcome)             // is told of each attempt, one at a time
	Save   func(cursor string) error // remembers up to where all events are finished; may be nil
	Agent  string                    // User-Agent
}

// CheckURL refuses what is no address of an application.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("%q is no URL: give one such as http://localhost:3000/hook", text)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q: only http and https can be posted to", text)
	}
	return nil
}

// Forwarder posts events to an application. Its methods are for one goroutine.
type Forwarder struct {
	o     Options
	ahead chan struct{}            // one value an event that is not finished
	once  chan struct{}            // one a post
	last  map[string]chan struct{} // of a customer: closed when the last event is finished
	work  sync.WaitGroup

	mu      sync.Mutex
	line    []*place // of events that are not all finished, in order
	summary Summary
	failed  error // of Save
}

// place is an event's place in the line.
type place struct {
	cursor string
	done   bool
}

// NewForwarder returns a Forwarder.
func NewForwarder(o Options) *Forwarder {
	return &Forwarder{o: o, ahead: make(chan struct{}, maxAhead), once: make(chan struct{}, maxAtOnce), last: map[string]chan struct{}{}}
}

// Take takes an event over. It waits while too many are under way, and returns an error when ctx ends or the cursor cannot be saved. A nil
// entry is a place in the line, and nothing to post.
func (f *Forwarder) Take(ctx context.Context, cursor string, e *Entry) error {
	select {
	case f.ahead <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	p := &place{cursor: cursor}
	f.mu.Lock()
	f.line = append(f.line, p)
	err := f.failed
	f.mu.Unlock()
	if err != nil {
		return err
	}
	if e == nil {
		f.finish(p)
		return nil
	}
	before, done := f.behind(e)
	f.work.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		if f.deliver(ctx, e) {
			f.finish(p)
		}
	})
	return nil
}

// behind returns what the event has to wait for, the one before it of the same customer, and what is to be closed after it.
func (f *Forwarder) behind(e *Entry) (before, done chan struct{}) {
	if len(f.last) > 2*maxAhead { // nearly all are over
		maps.DeleteFunc(f.last, func(_ string, done chan struct{}) bool {
			select {
			case <-done:
				return true
			default:
				return false
			}
		})
	}
	lane := e.Number + " " + e.Customer
	before, done = f.last[lane], make(chan struct{})
	f.last[lane] = done
	return before, done
}

// finish notes that an event is over, and saves how far all are.
func (f *Forwarder) finish(p *place) {
	<-f.ahead
	f.mu.Lock()
	defer f.mu.Unlock()
	p.done = true
	cursor := ""
	for len(f.line) > 0 && f.line[0].done {
		cursor, f.line = f.line[0].cursor, f.line[1:]
	}
	if cursor != "" && f.o.Save != nil {
		f.failed = errors.Join(f.failed, f.o.Save(cursor))
	}
}

// Close waits for what is under way, which the end of Take's context ends, and returns what has become of everything.
func (f *Forwarder) Close() (Summary, error) {
	f.work.Wait()
	return f.summary, f.failed
}

// deliver posts an event until it is answered or given up; it reports whether that is over, and not only ctx.
func (f *Forwarder) deliver(ctx context.Context, e *Entry) bool {
	if e.Error != "" {
		f.tell(Outcome{Entry: e, Err: ErrUntold})
		return true
	}
	for attempt := 1; ; attempt++ {
		select {
		case f.once <- struct{}{}:
		case <-ctx.Done():
			return false
		}
		began := time.Now()
		status, err := f.post(ctx, e)
		<-f.once
		if err != nil && ctx.Err() != nil { // what was answered counts
			return false
		}
		out := Outcome{Entry: e, Status: status, Err: err, Took: time.Since(began)}
		if err != nil && attempt < attempts {
			out.Again = time.Second << (attempt - 1) / 2
		}
		f.tell(out)
		if out.Again == 0 {
			return true
		}
		if wait(ctx, out.Again) != nil {
			return false
		}
	}
}

func (f *Forwarder) tell(out Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case out.Again > 0:
	case out.Err != nil:
		f.summary.GivenUp++
	case out.Status/100 == 2:
		f.summary.Taken++
	default:
		f.summary.Refused++
	}
	f.o.Told(out)
}

// post makes one request. The headers are those of the server's webhooks.
func (f *Forwarder) post(ctx context.Context, e *Entry) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := time.Now()
	signed, err := signature.Sign([]string{f.o.Secret}, e.ID, now, e.Body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.o.URL, bytes.NewReader(e.Body))
	if err != nil {
		return 0, err
	}
	maps.Copy(req.Header, e.Headers)
	maps.Copy(req.Header, http.Header{"Content-Type": {"application/json"}, "User-Agent": {f.o.Agent}, signature.HeaderID: {e.ID},
		signature.HeaderTimestamp: {strconv.FormatInt(now.Unix(), 10)}, signature.HeaderSignature: {signed}})
	res, err := f.o.HTTP.Do(req)
	if err != nil {
		return 0, errors.New(strings.TrimPrefix(err.Error(), `Post "`+f.o.URL+`": `))
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer) // so that the connection can be used again
	return res.StatusCode, nil
}

// String says it to a person.
func (s Summary) String() string {
	text := fmt.Sprintf("%d taken", s.Taken)
	if s.Refused > 0 {
		text += fmt.Sprintf(", %d answered with an error", s.Refused)
	}
	if s.GivenUp > 0 {
		text += fmt.Sprintf(", %d given up", s.GivenUp)
	}
	return text
}
