package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"
)

// The ceilings are the least that a Go program with net/http could do for the same requests. They are programs of their own,
// hidden commands of this one, and they do not change with the product.

// sendRequest is the body of POST /v1/messages, as internal/onprem reads it.
type sendRequest struct {
	To            string         `json:"to"`
	Type          string         `json:"type"`
	RecipientType string         `json:"recipient_type"`
	PreviewURL    bool           `json:"preview_url"`
	TTL           jsontext.Value `json:"ttl"`
	Context       *struct {
		MessageID string `json:"message_id"`
	} `json:"context"`
	Text *struct {
		Body string `json:"body"`
	} `json:"text"`
	Image       jsontext.Value `json:"image"`
	Audio       jsontext.Value `json:"audio"`
	Video       jsontext.Value `json:"video"`
	Document    jsontext.Value `json:"document"`
	Location    jsontext.Value `json:"location"`
	Reaction    jsontext.Value `json:"reaction"`
	Interactive jsontext.Value `json:"interactive"`
	Template    jsontext.Value `json:"template"`
	Sticker     jsontext.Value `json:"sticker"`
	Contacts    jsontext.Value `json:"contacts"`
	HSM         jsontext.Value `json:"hsm"`
}

// Ceiling is the server that the product is compared with.
type Ceiling struct {
	Answer int    // bytes of an answer
	Dir    string // for media
	Hook   string // where each message is told of by three webhooks; empty: nowhere
}

// Serve serves until ctx ends: POST /v1/messages reads and decodes the body, answers 201, and has the webhooks posted; POST
// /v1/media writes the body to a file, which is on disk before the answer, and GET /v1/media answers the last one. It prints
// its address to out.
func (c *Ceiling) Serve(ctx context.Context, out io.Writer) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	told := make(chan string, toldQueue)
	medium := filepath.Join(c.Dir, "ceiling.bin")
	mux := http.NewServeMux()
	mux.Handle("POST /v1/messages", c.messages(told))
	mux.HandleFunc("POST /v1/media", func(w http.ResponseWriter, r *http.Request) {
		if err := keepFile(medium, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("GET /v1/media", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, medium) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // what is under way is of no importance
	if _, err := fmt.Fprintf(out, "answers at http://%s\n", ln.Addr()); err != nil {
		return errors.Join(err, ln.Close())
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	if c.Hook != "" {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}}
		for range concurrency {
			g.Go(func() error { return tellAll(ctx, client, c.Hook, told) })
		}
	}
	return g.Wait()
}

// toldQueue is more than there can be messages under way.
const toldQueue = 10_000

// messages answers POST /v1/messages with an id that fills the answer.
func (c *Ceiling) messages(told chan<- string) http.Handler {
	var count atomic.Int64
	width := max(1, c.Answer-len(`{"messages":[{"id":""}]}`))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var into sendRequest
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &into)
		}
		if err != nil || into.Text == nil {
			http.Error(w, "not a text message", http.StatusBadRequest)
			return
		}
		id := fmt.Sprintf("%0*d", width, count.Add(1))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"messages":[{"id":"`+id+`"}]}`) // the client may have gone
		if c.Hook != "" {
			told <- id
		}
	})
}

// statusBody is a webhook of about the length that the product's have.
const statusBody = `{"statuses":[{"id":"%[1]s","recipient_id":"34600000000","message":{"recipient_id":"34600000000"},"status":"%[2]s",` +
	`"timestamp":"1790000000","type":"message","conversation":{"id":"00000000000000000000000000000000","expiration_timestamp":1790000000,` +
	`"origin":{"type":"service"}},"pricing":{"pricing_model":"CBP","billable":false,"category":"service"}}]}`

// tellAll posts the webhooks of messages until ctx ends.
func tellAll(ctx context.Context, client *http.Client, hook string, told <-chan string) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case id := <-told:
			for _, status := range []string{"sent", "delivered", "read"} {
				if err := postOnce(ctx, client, hook, fmt.Appendf(nil, statusBody, id, status)); err != nil {
					if ctx.Err() != nil {
						return nil // the end has broken it off
					}
					return err
				}
			}
		}
	}
}

// keepFile writes a file that is whole and on disk when it has its name.
func keepFile(name string, from io.Reader) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "upload-*")
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, from); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), name)
}

// PostCeiling posts the bodies in a file, one a line, over and over to a URL until ctx ends, from so many goroutines: what a
// plain Go client can post at most.
func PostCeiling(ctx context.Context, url, file string, concurrency int) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	bodies := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}}
	var wg sync.WaitGroup
	errs := make([]error, concurrency)
	for i := range concurrency {
		wg.Go(func() {
			for n := i; ctx.Err() == nil && errs[i] == nil; n++ {
				errs[i] = postOnce(ctx, client, url, bodies[n%len(bodies)])
			}
			if ctx.Err() != nil {
				errs[i] = nil // it is the end that broke the last one off
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func postOnce(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}
