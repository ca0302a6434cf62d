package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kabar/internal/golden"
)

// traced is what GET /kabar/v1/messages/{id} tells.
type traced struct {
	ID, Type, Direction, Status string
	WaID                        string `json:"wa_id"`
	ReplyTo                     string `json:"reply_to"`
	Target                      string
	Content                     map[string]any
	At, Expires                 time.Time
	Timeline                    []struct{ Status string }
}

// reached reports whether a message has been there.
func (m *traced) reached(status string) bool {
	return slices.ContainsFunc(m.Timeline, func(s struct{ Status string }) bool { return s.Status == status })
}

// trace asks for a message.
func (s *goldenServer) trace(id string) (m traced) {
	s.t.Helper()
	s.read("/kabar/v1/messages/"+id, &m)
	return m
}

// lastFrom returns the last message of a customer.
func (s *goldenServer) lastFrom(wa string) (m traced) {
	s.t.Helper()
	var page struct{ Data []traced }
	s.read("/kabar/v1/messages?number="+golden.Ours+"&wa_id="+url.QueryEscape(wa), &page)
	for _, m := range page.Data {
		if m.Direction == "inbound" {
			return m
		}
	}
	return m
}

// read asks with the operator's key.
func (s *goldenServer) read(path string, into any) {
	s.t.Helper()
	s.readAs(s.reader, path, into)
}

func (s *goldenServer) readAs(token, path string, into any) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	status, _, body, err := s.ask(r)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%d %s", status, body)
	}
	if err = errors.Join(err, json.Unmarshal(body, into)); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
}

// health returns the state of the first number's connection.
func (s *goldenServer) health(token string) string {
	s.t.Helper()
	var answer struct {
		Health struct {
			Status string `json:"gateway_status"`
		}
	}
	s.readAs(token, "/v1/health", &answer)
	return answer.Health.Status
}

// judge decides upon a template.
func (s *goldenServer) judge(id, decision string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "/kabar/v1/templates/"+id+"/review", strings.NewReader(decision))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.reader)
	r.Header.Set("Content-Type", "application/json")
	if status, _, body, err := s.ask(r); err != nil || status != http.StatusOK {
		s.t.Fatalf("judge %s: %d %s %v", decision, status, body, err)
	}
}
