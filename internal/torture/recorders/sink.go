//go:build unix

package recorders

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"kabar/internal/torture/history"
)

// Sink is an application that is told of everything, and does not always behave: some requests it refuses, some it answers
// late, and of some it cuts the connection before or after it has taken them. It stands for two endpoints of the number: what comes to
// FlatPath is in the dialect kabar, anything else in that of /v1.
type Sink struct {
	Addr    string
	History string
	Trouble float64 // share of requests that do not go well
}

const bySink = "sink"

// hookMessage is what the checker needs of a message in it.
type hookMessage struct {
	From, ID, Type string
	Image          struct{ SHA256 string }
}

// hookBody is what the checker needs of a webhook body.
type hookBody struct {
	Messages []json.RawMessage
	Statuses []struct {
		ID, Status  string
		RecipientID string `json:"recipient_id"`
		Errors      []struct{ Code int }
	}
}

// Run serves until ctx ends.
func (s *Sink) Run(ctx context.Context) error {
	rec, err := history.Open(s.History, bySink)
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	h := &hooks{rec: rec, trouble: s.Trouble}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: patience}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type hooks struct {
	trouble float64
	mu      sync.Mutex // of rec
	rec     *history.Recorder
}

// ServeHTTP records what it is told before it answers, and then what it has answered.
func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the server was killed while it wrote
	}
	told := toldBy(r, body)
	h.write(told)
	status := 200
	answer := history.Record{Op: history.Answered, ID: told.ID, Endpoint: told.Endpoint, Replayed: told.Replayed}
	switch chance := rand.Float64() / h.trouble; {
	case chance < 0.4:
		status = []int{500, 503, 302, 404, 429}[rand.IntN(5)]
	case chance < 0.6:
		time.Sleep(rand.N(300 * time.Millisecond))
	case chance < 0.8: // taken, and the answer is lost
		h.write(answer)
		panic(http.ErrAbortHandler)
	}
	answer.HTTP = status
	h.write(answer) // before the answer: whoever reads it may be recorded as the next thing
	w.WriteHeader(status)
}

// toldBy is what a request tells.
func toldBy(r *http.Request, body []byte) history.Record {
	told := history.Record{Op: history.Hook, ID: r.Header.Get("Webhook-Id"), Hash: hash(body), Replayed: r.Header.Get("Kabar-Replay") == "true"}
	if r.URL.Path == FlatPath {
		readFlat(&told, body)
	} else {
		told.Items = itemsIn(body)
	}
	return told
}

func (h *hooks) write(r history.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.rec.Write(r); err != nil {
		panic(err) // a sink that cannot write its history is of no use: the harness sees it end
	}
}

// itemsIn lists what a body tells.
func itemsIn(body []byte) (items []history.Item) {
	var b hookBody
	if json.Unmarshal(body, &b) != nil {
		return nil
	}
	for _, raw := range b.Messages {
		var m hookMessage
		if json.Unmarshal(raw, &m) != nil {
			return nil
		}
		items = append(items, history.Item{ID: m.ID, Customer: m.From, Kind: m.Type, Token: history.FindToken(unescape(raw)), Hash: m.Image.SHA256})
	}
	for _, s := range b.Statuses {
		it := history.Item{ID: s.ID, Customer: s.RecipientID, Status: s.Status}
		if len(s.Errors) > 0 {
			it.Failure = s.Errors[0].Code
		}
		items = append(items, it)
	}
	return items
}
