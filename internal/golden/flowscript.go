package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// FlowPath is where files have the endpoint of a flow, on the host [CDN].
const FlowPath = "/flow"

// FlowScript is the endpoint of a flow that answers whatever it is asked, pings too, as the lines "endpoint" of a file say.
type FlowScript struct {
	*FlowServer

	mu     sync.Mutex
	status int
	answer string
	heard  []map[string]any // since somebody looked
}

// NewFlowScript returns an endpoint of an app with a secret. It has no key until a line gives it one.
func NewFlowScript(secret string) *FlowScript {
	s := &FlowScript{status: 200}
	s.FlowServer = &FlowServer{Pings: true, Secret: secret, Answer: func(asked map[string]any) (int, string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard = append(s.heard, asked)
		return s.status, s.answer
	}}
	return s
}

// Follow does what a line says: "endpoint key NAME" gives the endpoint another key, whose public half is called <NAME>, as it stands
// in JSON; "endpoint 200 {…}" says what is answered from now on, in clear.
func (s *FlowScript) Follow(words []string, names *Names) error {
	if len(words) == 3 && words[1] == "key" {
		text, err := json.Marshal(s.Renew())
		names.Call(string(bytes.Trim(text, `"`)), "<"+words[2]+">")
		return err
	}
	if len(words) < 2 {
		return fmt.Errorf("the endpoint is told nothing by %q", words)
	}
	status, err := strconv.Atoi(words[1])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.answer = status, strings.Join(words[2:], " ")
	return err
}

// Heard shows what the endpoint was asked since it was last looked at, in clear: it could decrypt it, and it was signed.
func (s *FlowScript) Heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := s.heard
	s.heard = nil
	return show(heard)
}

// FlowPage is what a customer sees of a flow.
type FlowPage struct {
	Screen string         `json:"screen,omitempty"` // empty: it does not begin, or has ended
	Data   map[string]any `json:"data,omitempty"`
	Fault  string         `json:"fault,omitempty"` // away: the customer may try again; over: that is of no use
	Text   string         `json:"text,omitempty"`  // what the business says of it
	Sent   bool           `json:"sent,omitzero"`   // it has ended, with a message to the business
}

// Show shows the page as a file does.
func (p FlowPage) Show() string { return show([]FlowPage{p}) }

// show shows values as JSON, one behind the other.
func show[T any](all []T) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	for _, v := range all {
		if err := e.Encode(v); err != nil {
			panic(err) // there is nothing in it that JSON has not
		}
	}
	return b.String()
}
