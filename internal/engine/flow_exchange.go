package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"kabar"
	"kabar/internal/flowdata"
	"kabar/internal/lanes"
	"kabar/internal/store"
)

// A flow that exchanges data asks on its way how it goes on. The customer's handset asks as it says that something was read: no message,
// no event, in the same commit as everything that follows. The endpoint is asked beside the lanes of the conversations, since it may
// take its time, and what it says goes to the customer in the lane.

const (
	exchangeConcurrency = 16
	// askingLife is how long a question is worth bringing to an endpoint: what has waited while the server was down was given up by
	// the customer long ago. No handset waits so long; the rest is for clocks that differ.
	askingLife = 5 * time.Minute
)

// asking is the body of an exchange.
type asking struct {
	kabar.FlowQuestion
	At time.Time `json:"at"`
}

// asked has the server of the business asked. What a customer asks about no message of ours with such a flow is nobody's question, and
// to keys that wait to be acknowledged nothing is said.
func (d *delivery) asked(tx *store.Tx) error {
	m, err := d.sent(tx, d.u.Asked.Message)
	if err != nil || m == nil || withheld(d.line, d.conv) {
		return err
	}
	f := kabar.FlowOf(m.Content)
	if f == nil {
		return nil
	}
	if _, exchanges := f.Exchanges(); !exchanges {
		return nil
	}
	if err := tx.AddRef(d.line.number, d.u.Ref, 0, d.now); err != nil {
		return err
	}
	return d.e.addJob(tx, d.conv, jobExchange, m.ID, asking{*d.u.Asked, d.at()})
}

// exchange asks the endpoint once, and commits what it has said.
func (e *Engine) exchange(ctx context.Context, id int64) lanes.Next {
	job, l, err := e.fetchJob(ctx, id)
	if store.IsNotFound(err) {
		return lanes.Idle
	}
	if err != nil {
		return e.later(ctx, "read a question of a flow", err)
	}
	x := &exchange{e: e, line: l, job: job}
	err = x.ask(ctx)
	if ctx.Err() != nil {
		return lanes.Idle // the next start asks again
	}
	if _, down := errors.AsType[*store.UnavailableError](err); down {
		return e.later(ctx, "ask the endpoint of a flow", err)
	}
	if err := x.tell(ctx, err); err != nil {
		return e.later(ctx, "answer a question of a flow", err)
	}
	return lanes.Idle
}

// exchange is one question on its way to the endpoint and back.
type exchange struct {
	e    *Engine
	line *line
	job  *store.Job

	q       asking
	flow    *kabar.FlowDef // nil while it is not known
	said    *flowdata.Answer
	reached bool // the endpoint was asked
}

// Why a question is not brought to an endpoint.
var (
	errStale    = errors.New("it was asked too long ago")
	errFlowOver = errors.New("the flow cannot be opened any more")
)

// ask finds the flow and asks its endpoint.
func (x *exchange) ask(ctx context.Context) error {
	if err := json.Unmarshal(x.job.Body, &x.q); err != nil { // it is made here, so it can be read
		return err
	}
	if x.e.now().Sub(x.q.At) > askingLife {
		return errStale
	}
	m, err := x.e.db.Message(ctx, x.job.Number, x.job.Message)
	if store.IsNotFound(err) {
		return errFlowOver
	}
	if err != nil {
		return err
	}
	f := kabar.FlowOf(m.Content)
	form, _ := f.Exchanges() // it does: that was looked at when the question came
	id, _ := strconv.ParseInt(f.ID, 10, 64)
	x.flow, err = x.e.db.Flow(ctx, x.line.number.Account, kabar.FlowID(id))
	if store.IsNotFound(err) || err == nil && (x.flow.Status == kabar.FlowDeprecated || x.flow.Status == kabar.FlowBlocked) {
		return errFlowOver
	}
	if err != nil {
		return err
	}
	if err := x.call(ctx, f); err != nil {
		return err
	}
	if x.said.Screen != kabar.FlowSuccess && form.Screen(x.said.Screen) == nil {
		return fmt.Errorf("the answer of the endpoint leads to the screen %.80q, which the flow has not", x.said.Screen)
	}
	return nil
}

// call asks the endpoint, and once more when it cannot read what was encrypted for a key that has been replaced meanwhile.
func (x *exchange) call(ctx context.Context, f *kabar.Flow) error {
	if x.e.endpoints == nil || x.flow.Endpoint == "" {
		return errors.New("the flow has no endpoint_uri that could be asked")
	}
	ctx, cancel := context.WithTimeout(ctx, endpointTime)
	defer cancel()
	var refused *flowdata.StatusError
	for key := ""; ; {
		s, err := x.e.Settings(x.line.number.ID)
		switch {
		case err != nil:
			return err
		case s.BusinessKey == "":
			return fmt.Errorf("the number %s has no business_public_key, %s", x.line.number.Digits, setKey)
		case s.BusinessKey == key:
			return refused
		}
		key = s.BusinessKey
		endpoint, err := x.e.endpoint(ctx, x.flow, key)
		if err != nil {
			return err
		}
		x.reached = true
		x.said, err = endpoint.Ask(ctx, flowdata.Request{Action: x.q.Action, Screen: x.q.Screen, Data: x.q.Data, Token: tokenOf(f)})
		if refused, _ = errors.AsType[*flowdata.StatusError](err); refused == nil || refused.Status != flowdata.StatusKey {
			return err
		}
	}
}

// tokenOf returns what the endpoint knows the customer by; the word is that of the API for none.
func tokenOf(f *kabar.Flow) string {
	if f.Token == "" {
		return "unused"
	}
	return f.Token
}

// step is what the customer is told, and why it is nothing better; nil when that is what the endpoint wants.
func (x *exchange) step(why error) (*kabar.FlowStep, error) {
	step := &kabar.FlowStep{Question: x.q.ID, Message: x.q.Message}
	refused, _ := errors.AsType[*flowdata.StatusError](why)
	switch {
	case why == nil:
		step.Screen, step.Data = x.said.Screen, x.said.Data
	case errors.Is(why, errFlowOver):
		step.Fault = kabar.FlowOver
	case refused != nil && refused.Status == flowdata.StatusOver:
		step.Fault, step.Text, why = kabar.FlowOver, refused.Text, nil
	default:
		step.Fault = kabar.FlowAway
	}
	if b, err := json.Marshal(step); err != nil || len(b) > kabar.MaxFlowStep {
		return &kabar.FlowStep{Question: x.q.ID, Message: x.q.Message, Fault: kabar.FlowAway},
			fmt.Errorf("the answer of the endpoint is too long: a customer gets up to %d bytes", kabar.MaxFlowStep)
	}
	return step, why
}

// tell commits that the question is answered: with a job that tells the customer, and what is known of the endpoint.
func (x *exchange) tell(ctx context.Context, why error) error {
	step, why := x.step(why)
	if why != nil {
		x.e.log.WarnContext(ctx, "a flow does not go on", "number", x.job.Number, "message", x.job.Message, "err", why)
	}
	return x.e.db.Write(ctx, func(tx *store.Tx) {
		tx.WantJob(x.job.ID)
		tx.WantConversation(x.job.Conversation)
	}, func(tx *store.Tx) error {
		if _, err := tx.Job(x.job.Number, x.job.ID); err != nil {
			return ignoreMissing(err)
		}
		if err := tx.RemoveJob(x.job.Number, x.job.ID); err != nil {
			return err
		}
		c, err := tx.Conversation(x.job.Number, x.job.Conversation)
		if err != nil {
			return err
		}
		if x.reached {
			if err := x.ail(tx, why); err != nil {
				return err
			}
		}
		return x.e.addJob(tx, c, jobStep, 0, step)
	})
}

// ail notes why the endpoint did not answer as it should, or that it does again: the flow's health_status tells it.
func (x *exchange) ail(tx *store.Tx, why error) error {
	d, err := tx.Flow(x.flow.Account, x.flow.ID)
	if err != nil {
		return ignoreMissing(err)
	}
	ailing := ""
	if why != nil {
		ailing = why.Error()
	}
	if d.Ailing == ailing {
		return nil
	}
	d.Ailing = ailing
	return tx.SaveFlow(d)
}
