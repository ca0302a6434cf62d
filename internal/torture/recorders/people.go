//go:build unix

package recorders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"kabar/internal/torture/history"
)

// People write messages on the customers' phones, each customer one after another, and at the end record what the phones
// show.
type People struct {
	Phone    string   // http://127.0.0.1:9091
	Writers  []string // customers who write
	Silent   []string // customers who do not
	History  string
	Think    time.Duration
	Business string
}

const byPeople = "people"

// Run has the customers write until ctx ends.
func (p *People) Run(ctx context.Context) error {
	past, err := history.ReadOne(p.History, byPeople)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make(chan error, len(p.Writers))
	for _, wa := range p.Writers {
		rec, err := history.Open(p.History, byPeople)
		if err != nil {
			return err
		}
		h := &hand{p: p, customer: wa, rec: rec, http: newCaller()}
		for _, r := range past {
			if r.Op == history.Say && r.Customer == wa {
				h.place = r.Place
			}
		}
		all.Go(func() { errs <- h.run(ctx) })
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// hand is a customer's.
type hand struct {
	p        *People
	customer string
	rec      *history.Recorder
	http     *caller
	place    int
}

func (h *hand) url() string { return h.p.Phone + "/api/customers/" + h.customer }

func (h *hand) run(ctx context.Context) error {
	for ctx.Err() == nil {
		h.place++
		if err := h.say(ctx); err != nil {
			return err
		}
		pause(ctx, h.p.Think/2+rand.N(h.p.Think+1))
	}
	return nil
}

// say writes one message. The phone has no idempotency keys, so what got no answer is not repeated: it may exist.
func (h *hand) say(ctx context.Context) error {
	token := history.Token(h.customer, h.p.Business, h.place)
	said := history.Record{Customer: h.customer, Token: token, Place: h.place, Kind: "text"}
	message := map[string]any{"type": "text", "text": map[string]string{"body": "I say " + token}}
	if h.place%9 == 4 {
		said.Kind, said.Hash = "image", hash(Image(token))
		status, body, _ := h.http.do(context.WithoutCancel(ctx), "POST", h.url()+"/media", Image(token), map[string]string{"Content-Type": "image/png"})
		var medium struct{ ID string }
		if status != 201 || json.Unmarshal(body, &medium) != nil {
			return nil // nothing has been said
		}
		message = map[string]any{"type": "image", "image": map[string]string{"id": medium.ID, "caption": token}}
	}
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	said.Op = history.Say
	if err := h.rec.Write(said); err != nil {
		return err
	}
	status, answer, _ := h.http.do(context.WithoutCancel(ctx), "POST", h.url()+"/messages", body, map[string]string{"Content-Type": "application/json"})
	said.Op, said.HTTP = history.Said, status
	var got struct{ ID string }
	if status == 201 && json.Unmarshal(answer, &got) == nil {
		said.ID = got.ID
	} else {
		said.Detail = fmt.Sprintf("%.200s", answer)
	}
	return h.rec.Write(said)
}

// Look records the threads of all customers.
func (p *People) Look(ctx context.Context) error {
	rec, err := history.Open(p.History, byPeople)
	if err != nil {
		return err
	}
	for _, wa := range append(append([]string(nil), p.Writers...), p.Silent...) {
		shown, err := p.thread(ctx, wa)
		if err != nil {
			return fmt.Errorf("read the thread of %s: %w", wa, err)
		}
		if err := rec.Write(history.Record{Op: history.Thread, Customer: wa, Shown: shown}); err != nil {
			return err
		}
	}
	return rec.Close()
}

// phoneMessage is a message in an answer of the phone's API.
type phoneMessage struct {
	ID, From, Type, Status string
	Image                  struct{ SHA256 string }
}

func (p *People) thread(ctx context.Context, wa string) ([]history.Shown, error) {
	status, body, _ := newCaller().do(ctx, "GET", p.Phone+"/api/customers/"+wa+"/messages?limit=100000", nil, nil)
	if status != 200 {
		return nil, fmt.Errorf("the phone answered %d %.200s", status, body)
	}
	var chat struct{ Messages []json.RawMessage }
	if err := json.Unmarshal(body, &chat); err != nil {
		return nil, err
	}
	if len(chat.Messages) == 100_000 {
		return nil, errors.New("the thread is longer than one answer of the phone")
	}
	var all []history.Shown
	for _, raw := range chat.Messages {
		var m phoneMessage
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, err
		}
		// Wherever the token stands: in a text, a caption, or a rendered template.
		s := history.Shown{ID: m.ID, Mine: m.From == wa, Kind: m.Type, Status: m.Status, Token: history.FindToken(unescape(raw)), Hash: m.Image.SHA256}
		all = append(all, s)
	}
	return all, nil
}

// unescape undoes what JSON does to a token.
func unescape(raw []byte) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(raw))
}
