package main

import (
	"encoding/json"
	"errors"

	"kabar/internal/golden"
)

// message waits until the message that the last answer names is as a file says, and shows both. GET /kabar/v1/messages tells
// all but the keys of media and what a template was filled in with.
func (p *goldenPlayer) message(text string) (want, got string) {
	p.t.Helper()
	p.names.Reserve(text)
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		p.t.Fatal(err)
	}
	if content, ok := m["content"].(map[string]any); ok {
		delete(content, "components")
	}
	withoutKeys(m)
	want = pretty(m)
	id := golden.OnPremID(golden.FindID(string(p.body)))
	p.eventually("the message to be as it should", func() error {
		told := p.server.trace(id)
		content := told.Content
		if told.Type == "template" {
			delete(content, "id") // each store has its own
		}
		if told.Target != "" {
			content["target"] = told.Target
		}
		shown := map[string]any{"to": told.WaID, "kind": told.Type, "content": content, "ttl": told.Expires.Sub(told.At).String(), "status": told.Status}
		if told.ReplyTo != "" {
			shown["context"] = map[string]any{"reply_to": told.ReplyTo}
		}
		if got = p.called(p.names.Hide(pretty(shown))); got != want {
			return errors.New("it is not yet")
		}
		return nil
	})
	return want, got
}

// withoutKeys takes the keys of media out of what a file shows of a message.
func withoutKeys(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			withoutKeys(e)
		}
	case map[string]any:
		if _, key := v["media"].(string); key {
			delete(v, "media")
		}
		for _, e := range v {
			withoutKeys(e)
		}
	}
}
