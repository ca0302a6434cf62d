// Package control lets commands of the operator talk to a program that runs on the same machine: kabar user, number, key
// and backup to a server, kabar relay invite and codes to a relay.
//
// A running program owns its store, so a command cannot open it too. It listens on a Unix socket in its data folder, which
// only the operating system's user who runs it can reach (mode 0600): whoever can open the socket could read the data and
// the keys as well, so no further credential is asked for. When the program does not run, the command opens the store
// itself and calls the same handlers in its own process: every command has one way of doing its work.
//
// A call is a POST of one JSON object to /name; the answer is a stream of JSON lines: any number of {"progress":…}, then
// one {"result":…} or {"error":…}. The package knows no operation. A Mux is safe for concurrent use once it serves.
//
// Limits: a request, a file to import say, is at most 16 MiB; an answer and its progress have no limit, and nothing but the caller's context ends a
// call. The path of a Unix socket has room for about 100 bytes (108 on Linux, 104 on macOS): Listen says so for a data
// folder whose path is longer, and commands then need the program stopped.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
)

// MaxRequest is the largest request, in bytes of its JSON.
const MaxRequest = 16 << 20

// Progress says how far a long operation is.
type Progress struct {
	What  string `json:"what"`           // what is being done: a noun, "messages"
	Done  int64  `json:"done"`           // so many
	Total int64  `json:"total"`          // of so many; 0: not known
	Unit  string `json:"unit,omitempty"` // "B" for bytes; empty for things that are counted
}

// Report is called with progress, from one goroutine at a time.
type Report func(Progress)

// Error is a refusal that the operation itself has made; it is shown as it is.
type Error struct {
	Usage   bool   `json:"usage,omitempty"` // the caller has asked for something impossible
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// Refuse returns an Error for a mistake of the caller.
func Refuse(format string, args ...any) error {
	return &Error{Usage: true, Message: fmt.Sprintf(format, args...)}
}

type line struct {
	Progress *Progress       `json:"progress,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    *Error          `json:"error,omitempty"`
}

// Mux has the operations of a program, by name.
type Mux struct{ routes *http.ServeMux }

// NewMux returns a Mux without operations.
func NewMux() *Mux { return &Mux{http.NewServeMux()} }

// Handle adds an operation. Its input must be a struct; an unknown field of it is refused, so that a newer command does not
// ask an older program for something it silently leaves out.
func Handle[In, Out any](m *Mux, name string, do func(ctx context.Context, in In, report Report) (Out, error)) {
	m.routes.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
		s := &stream{w: w}
		var in In
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxRequest))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			s.end(nil, misunderstood(err))
			return
		}
		out, err := do(r.Context(), in, s.report)
		s.end(out, err)
	})
}

func misunderstood(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge()
	}
	return fmt.Errorf("the program that runs does not understand this command (another version?): %w", err)
}

func errTooLarge() error {
	return Refuse("the command asks for too much at once: more than %d bytes", MaxRequest)
}

// ServeHTTP implements http.Handler.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.routes.ServeHTTP(w, r) }

// stream writes the lines of an answer.
type stream struct {
	mu sync.Mutex
	w  http.ResponseWriter
}

func (s *stream) report(p Progress) { s.write(line{Progress: &p}) }

func (s *stream) end(out any, err error) {
	if err != nil {
		refused, ok := errors.AsType[*Error](err)
		if !ok {
			refused = &Error{Message: err.Error()}
		}
		s.write(line{Error: refused})
		return
	}
	text, err := json.Marshal(out)
	if err != nil {
		s.write(line{Error: &Error{Message: err.Error()}})
		return
	}
	s.write(line{Result: text})
}

// write ignores that the caller has gone: the request's context tells the operation.
func (s *stream) write(l line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if json.NewEncoder(s.w).Encode(l) == nil {
		_ = http.NewResponseController(s.w).Flush()
	}
}

// Client calls the operations of a program.
type Client struct {
	http  *http.Client
	Local bool // the program does not run: its handlers run in this process
}

// Call runs an operation and waits for its end. in and out are what Handle was given; out may be nil. report may be nil. The
// error of an operation is an *Error; any other says that it is not known whether and how far the operation was done.
func (c *Client) Call(ctx context.Context, name string, in, out any, report Report) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if len(body) > MaxRequest {
		return errTooLarge()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://kabar/"+name, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return cut(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the program that runs has no operation %q: is it another version?", name)
	}
	return read(ctx, resp.Body, out, report)
}

func read(ctx context.Context, r io.Reader, out any, report Report) error {
	d := json.NewDecoder(r)
	for {
		var l line
		if err := d.Decode(&l); err != nil {
			return cut(ctx, err)
		}
		switch {
		case l.Error != nil:
			return l.Error
		case l.Progress != nil:
			if report != nil {
				report(*l.Progress)
			}
		case out == nil:
			return nil
		default:
			return json.Unmarshal(l.Result, out)
		}
	}
}

// cut says why there is no answer: the caller gave up, or the program did not live to give one.
func cut(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("given up before the program answered: %w", ctx.Err())
	}
	if broken, ok := errors.AsType[*url.Error](err); ok { // its address is made up
		err = broken.Err
	}
	return fmt.Errorf("the program has ended before it answered: %w", err)
}
