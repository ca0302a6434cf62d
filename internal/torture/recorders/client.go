//go:build unix

package recorders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"kabar/internal/torture/history"
)

// Client uses the /v1 API. It has a worker for each customer it writes to: one message after another, each repeated with
// its idempotency key until there is a final answer.
type Client struct {
	Name     string
	API      string // http://127.0.0.1:9090
	APIKey   string
	Open     []string // customers who have written: anything may go to them
	Closed   []string // customers who never write: free texts to them must fail
	History  string
	Think    time.Duration // between two messages of a worker
	Template string        // an approved template whose body has one parameter; empty: texts in its place
}

// Run writes messages until ctx ends; what is under way then gets its final answer, within patience.
func (c *Client) Run(ctx context.Context) error {
	past, err := history.ReadOne(c.History, c.Name)
	if err != nil {
		return err
	}
	var workers sync.WaitGroup
	errs := make(chan error, len(c.Open)+len(c.Closed))
	for _, to := range append(append([]string(nil), c.Open...), c.Closed...) {
		rec, err := history.Open(c.History, c.Name)
		if err != nil {
			return err
		}
		w := &worker{c: c, to: to, rec: rec, http: newCaller(), closed: !slices.Contains(c.Open, to)}
		w.resume(past)
		workers.Go(func() { errs <- w.run(ctx) })
	}
	workers.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// worker writes to one customer.
type worker struct {
	c      *Client
	to     string
	closed bool
	rec    *history.Recorder
	http   *caller
	number int      // of the last message that has a final answer
	open   *request // what an earlier process has left without one
}

// request is what is asked, again and again with the same bytes.
type request struct {
	call, key, token, kind string
	body                   []byte
	header                 map[string]string
}

// resume finds in the history what the worker's earlier life has come to.
func (w *worker) resume(past []history.Record) {
	for _, r := range past {
		by, to, n, ok := history.ParseToken(r.Token)
		if !ok || by != w.c.Name || to != w.to || r.Call != callMessage {
			continue
		}
		switch {
		case r.Op == history.Ask:
			w.open = &request{call: r.Call, key: r.Key, token: r.Token, kind: r.Kind, body: []byte(r.Detail)}
			w.number = max(w.number, n-1)
		case r.Op == history.Answer && final(r.HTTP):
			w.open = nil
			w.number = max(w.number, n)
		}
	}
}

// The calls.
const (
	callMessage = "message"
	callMedia   = "media"
)

// Step is a client's worker that somebody else leads, message by message.
type Step struct {
	w       *worker
	r       *request
	uploads int
}

// NewStep returns a worker of the client that writes to a customer.
func (c *Client) NewStep(to string) (*Step, error) {
	rec, err := history.Open(c.History, c.Name)
	if err != nil {
		return nil, err
	}
	return &Step{w: &worker{c: c, to: to, rec: rec, http: newCaller(), closed: !slices.Contains(c.Open, to)}}, nil
}

// Next makes the next message. Its medium is uploaded.
func (s *Step) Next(ctx context.Context) error {
	r, err := s.w.next(ctx)
	if err == nil && r == nil {
		err = errors.New("the upload of its medium was refused")
	}
	s.r = r
	return err
}

// NextUpload makes an upload that no message is going to use.
func (s *Step) NextUpload() {
	s.uploads++
	s.r = s.w.image(history.Token(s.w.c.Name, "media", s.uploads))
}

// Once asks once for the message and returns the status of the answer; 0 for none.
func (s *Step) Once(ctx context.Context) (int, error) {
	status, _, err := s.w.attempt(ctx, s.r)
	return status, err
}

// Finish asks until there is a final answer.
func (s *Step) Finish(ctx context.Context) error {
	_, err := s.w.ask(ctx, s.r)
	if s.r.call == callMessage {
		s.w.number++
	}
	return err
}

// final says whether a status ends a request: an answer that will stay the same.
func final(status int) bool {
	return status/100 == 2 || status/100 == 4 && status != 429 && status != 408
}

func (w *worker) run(ctx context.Context) error {
	for ctx.Err() == nil {
		r := w.open
		if w.open = nil; r == nil {
			var err error
			if r, err = w.next(ctx); err != nil || r == nil {
				return err
			}
		}
		if _, err := w.ask(ctx, r); err != nil {
			return err
		}
		w.number++
		pause(ctx, w.c.Think/2+rand.N(w.c.Think+1))
	}
	return nil
}

// next makes the next message; nil when the end came before its medium was there.
func (w *worker) next(ctx context.Context) (*request, error) {
	token := history.Token(w.c.Name, w.to, w.number+1)
	r := &request{call: callMessage, key: "m/" + token, token: token, kind: "text", header: map[string]string{}}
	message := map[string]any{"to": w.to}
	switch {
	case w.number%7 == 3 && w.c.Template != "":
		r.kind = "template"
		message["template"] = map[string]any{"name": w.c.Template, "language": map[string]string{"policy": "deterministic", "code": "en"},
			"components": []any{map[string]any{"type": "body", "parameters": []any{map[string]string{"type": "text", "text": token}}}}}
	case w.number%7 == 5 && !w.closed:
		r.kind = "image"
		id, err := w.upload(ctx, token)
		if err != nil || id == "" {
			return nil, err
		}
		message["image"] = map[string]string{"id": id, "caption": token}
	default:
		message["text"] = map[string]string{"body": "A message " + token + strings.Repeat(" of some length", w.number%20)}
	}
	message["type"] = r.kind
	var err error
	r.body, err = json.Marshal(message)
	return r, err
}

// image is an upload.
func (w *worker) image(token string) *request {
	return &request{call: callMedia, key: "u/" + token, token: token, kind: "image", body: Image(token), header: map[string]string{"Content-Type": "image/png"}}
}

// upload stores an image and returns its id.
func (w *worker) upload(ctx context.Context, token string) (string, error) {
	answer, err := w.ask(ctx, w.image(token))
	if err != nil {
		return "", err
	}
	var got struct {
		Media []struct{ ID string }
	}
	if err := json.Unmarshal(answer, &got); err != nil || len(got.Media) != 1 {
		return "", nil // refused; the checker sees with what
	}
	return got.Media[0].ID, nil
}

// ask repeats a request until it has a final answer, which it returns. The end of ctx allows some more tries.
func (w *worker) ask(ctx context.Context, r *request) ([]byte, error) {
	for begun := time.Now(); ; {
		status, body, err := w.attempt(ctx, r)
		if err != nil || final(status) {
			return body, err
		}
		if !pause(ctx, 10*time.Millisecond+rand.N(20*time.Millisecond)) {
			if time.Since(begun) > lastTry {
				return nil, nil
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// attempt asks once.
func (w *worker) attempt(ctx context.Context, r *request) (status int, body []byte, err error) {
	ask := history.Record{Op: history.Ask, Call: r.call, Key: r.key, To: w.to, Token: r.token, Kind: r.kind, Closed: w.closed, Hash: hash(r.body)}
	if r.call == callMessage {
		ask.Detail = string(r.body) // a client that goes on after its death needs the bytes
	}
	if err := w.rec.Write(ask); err != nil {
		return 0, nil, err
	}
	url := w.c.API + map[string]string{callMessage: "/v1/messages", callMedia: "/v1/media"}[r.call]
	header := map[string]string{"Authorization": "Bearer " + w.c.APIKey, "Idempotency-Key": r.key, "Content-Type": "application/json"}
	maps.Copy(header, r.header)
	status, body, head := w.http.do(context.WithoutCancel(ctx), "POST", url, r.body, header)
	answer := history.Record{Op: history.Answer, Call: r.call, Key: r.key, To: w.to, Token: r.token, HTTP: status, Hash: hash(body)}
	if status/100 == 2 {
		answer.ID, answer.Replayed = idIn(body), head.Get("Idempotent-Replayed") != ""
	} else {
		answer.Detail = fmt.Sprintf("%.300s", body)
	}
	return status, body, w.rec.Write(answer)
}

// lastTry is how long a request that the end has caught is still repeated.
const lastTry = 20 * time.Second

// idIn returns the id in an answer to a message or an upload.
func idIn(body []byte) string {
	var got struct {
		Messages []struct{ ID string }
		Media    []struct{ ID string }
	}
	if json.Unmarshal(body, &got) != nil {
		return ""
	}
	for _, m := range append(got.Messages, got.Media...) {
		return m.ID
	}
	return ""
}
