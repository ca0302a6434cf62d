package sim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing/iotest"
	"time"

	"kabar"
)

// sink is the application's side of the webhooks: an HTTP client whose requests wait at a gate.
type sink struct {
	w      *world
	server *server
}

// posting is one webhook.
type posting struct {
	id, body string
	told
}

// body is what the application reads of a webhook.
type body struct {
	Messages []struct {
		From string
		Text struct{ Body string }
	}
	Statuses []struct {
		ID, Status  string
		RecipientID string `json:"recipient_id"`
		Errors      []struct{ Code int }
	}
}

// Do implements webhook.Client.
func (s *sink) Do(req *http.Request, _ int64) (*http.Response, error) {
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	p := posting{id: req.Header.Get("Webhook-Id"), body: string(raw)}
	if err := s.read(&p); err != nil {
		return nil, err
	}
	s.disturb(&p)
	g := &gate{kind: "post", name: p.customer, server: s.server, hook: p, seen: func() { s.w.model.posting(p.id, p.body, p.told) }}
	v := s.w.gates.wait(req.Context(), g)
	if (s.w.mutant == failureTakenForSuccess || s.w.mutant == retryOvertakes) && v != dead {
		v = taken
	}
	switch v {
	case taken:
		return response(req, http.StatusOK, strings.NewReader("thanks")), nil
	case lost:
		return response(req, http.StatusOK, iotest.ErrReader(errLost)), nil
	case failed:
		return response(req, http.StatusInternalServerError, strings.NewReader("sorry")), nil
	default:
		// Of requests that have waited equally long, one comes back after the other.
		time.Sleep(time.Duration(1+s.w.byName[p.customer].index) * time.Nanosecond)
		return nil, errors.Join(errLost, req.Context().Err())
	}
}

func (s *sink) read(p *posting) error {
	var b body
	if err := json.Unmarshal([]byte(p.body), &b); err != nil {
		return err
	}
	for _, x := range b.Messages {
		p.told = told{customer: s.w.byHandle[x.From].name, inbound: x.Text.Body}
	}
	for _, x := range b.Statuses {
		p.told = told{customer: s.w.byHandle[x.RecipientID].name, id: x.ID, status: statuses[x.Status]}
		for _, e := range x.Errors {
			p.code = e.Code
		}
	}
	return nil
}

var statuses = map[string]kabar.Status{"sent": kabar.Sent, "delivered": kabar.Delivered, "read": kabar.Read, "failed": kabar.Failed}

// disturb is what mutants do to a webhook.
func (s *sink) disturb(p *posting) {
	switch s.w.mutant {
	case idChanges:
		p.id += strconv.FormatInt(time.Now().Unix(), 10)
	case bodyChanges:
		p.body += strconv.FormatInt(time.Now().Unix(), 10)
	}
}

func response(req *http.Request, status int, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), Request: req}
}
