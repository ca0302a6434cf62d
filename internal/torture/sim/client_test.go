package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/engine"
)

// order is a message as an application asks for it, once or several times.
type order struct {
	*message
	phone   *phone
	key     string // none: it cannot be asked for again
	calls   int
	flying  int  // calls under way
	unknown bool // a call had no answer, and no other had one
}

// call is one request.
type call struct {
	*order
	name string
	sent *engine.Sent
	err  error
}

// answerLife is how long an application may repeat a request: a little less than the server remembers it.
const answerLife = 20 * time.Hour

// repeatable reports whether a request may be repeated now.
func (o *order) repeatable() bool {
	return o.key != "" && o.flying < 2 && o.begun > 0 && time.Since(o.asked) < answerLife
}

// do makes a request. What becomes of it is known to the server first; the answer waits at a gate.
func (o *order) do(w *world) *call {
	o.calls++
	o.flying++
	c := &call{order: o, name: fmt.Sprintf("%s.%d", o.label, o.calls)}
	w.calls = append(w.calls, c)
	w.model.begin(o.message)
	r := engine.Request{To: o.phone.handle, TTL: time.Until(o.expires), Content: o.content(),
		Answer: func(m *kabar.Message, to kabar.Customer) (int, []byte, error) {
			return 201, []byte(publicID(to.WaID, fmt.Sprintf("01%016x", m.Ref))), nil
		}}
	if w.mutant == ttlForgotten {
		r.TTL = 0
	}
	if o.key != "" && (w.mutant != keyForgotten || o.calls == 1) {
		r.Once = &engine.Once{Path: "/v1/messages", Key: o.key, Hash: o.label}
	}
	s := w.server
	go func() {
		c.sent, c.err = s.engine.Send(context.Background(), w.origin.number.ID, r)
		w.gates.wait(context.Background(), &gate{kind: "answer", name: c.name, server: s, call: c})
	}()
	return c
}

func (o *order) content() kabar.Content {
	if o.free {
		return &kabar.Text{Body: o.label}
	}
	return &kabar.Template{Name: "hello", Language: kabar.Language{Code: "en"}, Components: []kabar.Component{{
		Type: kabar.ComponentBody, Parameters: []kabar.Parameter{{Type: kabar.ParameterText, Text: o.label}}}}}
}

// answer gives the application its answer.
func (c *call) answer(w *world) string {
	c.flying--
	c.unknown = false
	var r *kabar.Error
	switch {
	case errors.As(c.err, &r):
		w.model.answered(c.message, "", r.Reason)
		return "refused"
	case c.err != nil:
		w.model.fault("I1: %s failed: %v", c.name, c.err)
		return "error"
	}
	w.model.answered(c.message, string(c.sent.Answer.Body), "")
	if c.sent.Replayed {
		return "replayed"
	}
	return "accepted"
}

// forgo leaves the application without an answer.
func (c *call) forgo() {
	c.flying--
	c.unknown = c.answered == 0 && !c.refused
}
