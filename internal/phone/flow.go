package phone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"kabar"
	"kabar/internal/payload"
)

// A flow that exchanges data or branches is gone through screen by screen. Where the customer is lies beside the message. When the
// business's server has to say how it goes on, a question leaves through the outbox, as a receipt does, and what comes back moves the flow
// on.

// flowWait is how long a handset waits for the business's server: longer than the business does.
const flowWait = 15 * time.Second

// What the customer is told when a flow does not go on.
const (
	flowAway = "Something went wrong. Try again."
	flowOver = "This form cannot be filled in any more."
)

// flowState is how far the customer has come.
type flowState struct {
	Places  []flowPlace       `json:"places,omitempty"` // the screens that were gone through; the last is the present one
	Answers kabar.FlowAnswers `json:"answers,omitempty"`
	Asked   string            `json:"asked,omitempty"` // id of the question that waits for its answer
	Fault   string            `json:"fault,omitempty"` // what the customer is told
	Over    bool              `json:"over,omitempty"`  // it cannot be filled in any more
	Reply   string            `json:"reply,omitempty"` // wire id of the message that it has ended with
}

type flowPlace struct {
	Screen string         `json:"screen"`
	Data   map[string]any `json:"data,omitempty"`
}

// place is the present one; nil before the first.
func (s *flowState) place() *flowPlace {
	if len(s.Places) == 0 {
		return nil
	}
	return &s.Places[len(s.Places)-1]
}

// page is what the customer sees.
func (s *flowState) page(c *customer, business string) *FlowPage {
	if s == nil {
		return nil
	}
	page := &FlowPage{Waiting: s.Asked != "", Fault: s.Fault, Over: s.Over, Back: len(s.Places) > 1}
	if s.Reply != "" {
		page.Reply = publicID(c, business, s.Reply)
	}
	if at := s.place(); at != nil {
		page.Screen, page.Data, page.Answers, page.All = at.Screen, at.Data, s.Answers[at.Screen], s.Answers
	}
	return page
}

// enter goes to a screen: back to it, if the customer has been there. What is shown again keeps what is not said anew.
func (s *flowState) enter(screen string, data map[string]any) {
	i := slices.IndexFunc(s.Places, func(p flowPlace) bool { return p.Screen == screen })
	if i < 0 {
		s.Places = append(s.Places, flowPlace{screen, data})
		return
	}
	s.Places = s.Places[:i+1]
	if s.Places[i].Data == nil {
		s.Places[i].Data = map[string]any{}
	}
	maps.Copy(s.Places[i].Data, data)
}

// FlowMove is what a customer does in a flow: nothing opens it.
type FlowMove struct {
	Screen string         `json:"screen"` // the present one, which is filled in
	Values map[string]any `json:"values"` // by the name of the component
	Stay   bool           `json:"stay"`   // the screen is not left: what was chosen decides what else it shows
	Back   bool           `json:"back"`
}

// Flow opens a flow that exchanges data or branches, fills in or leaves the present screen, or goes back, and returns what the customer
// sees then. It waits while the business's server is asked.
func (p *Phone) Flow(ctx context.Context, handle, id string, move FlowMove) (*FlowPage, error) {
	wait, stop := context.WithTimeout(context.WithoutCancel(ctx), flowWait)
	defer stop()
	changes := p.Watch(wait)
	var page *FlowPage
	var asked string
	err := p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		f := &flowing{t, c, m, id}
		if err := f.move(ctx, move); err != nil {
			return err
		}
		page, asked = m.flow.page(c, m.business), m.flow.Asked
		return f.save()
	})
	for open := true; err == nil && asked != "" && page.Waiting; {
		if !open {
			return p.flowLost(ctx, handle, id, asked)
		}
		_, open = <-changes
		var m Message
		if m, err = p.Find(ctx, handle, id); err == nil {
			page = m.Flow
		}
	}
	return page, err
}

// flowLost ends the wait for an answer.
func (p *Phone) flowLost(ctx context.Context, handle, id, asked string) (page *FlowPage, err error) {
	err = p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		if m.flow.Asked == asked {
			m.flow.Asked, m.flow.Fault = "", flowAway
		}
		page = m.flow.page(c, m.business)
		return (&flowing{t, c, m, id}).save()
	})
	return page, err
}

// flowing is a move in the flow of a message, within an operation.
type flowing struct {
	*tx
	c  *customer
	m  *message
	id string // public, of the message
}

func (f *flowing) save() error {
	state, err := writeJSON(f.m.flow)
	if err != nil {
		return err
	}
	f.note(f.c, f.id)
	return f.exec("UPDATE messages SET flow = ? WHERE seq = ?", state, f.m.seq)
}

func (f *flowing) move(ctx context.Context, move FlowMove) error {
	flow := kabar.FlowOf(f.m.content)
	if flow == nil || f.m.mine || f.m.deleted {
		return refuse(CodeConflict, "The message %s opens no flow. Open that of one that does.", f.id)
	}
	form, paged := flow.Paged()
	if !paged {
		return refuse(CodeConflict, `The flow of the message %s is not gone through screen by screen. Give its answers: POST …/answer.`, f.id)
	}
	if f.m.flow != nil && f.m.flow.Over {
		return refuse(CodeConflict, "The flow is over; wait for another one. It said: %s", f.m.flow.Fault)
	}
	if move.Screen == "" && (move.Stay || move.Values != nil) {
		return refuse(CodeInvalid, `The move has "stay" or "values" and no "screen". Give the present screen, or {} to open the flow anew.`)
	}
	if move.Screen == "" && !move.Back {
		return f.open(flow, form)
	}
	if f.m.flow == nil || f.m.flow.place() == nil {
		return refuse(CodeConflict, "The flow of the message %s is not open. Open it: POST …/flow {}.", f.id)
	}
	f.m.flow.Fault = ""
	if at := f.m.flow.place(); !move.Back && at.Screen != move.Screen {
		return refuse(CodeConflict, "The flow is at the screen %s, not at %.80q. Fill in that one.", at.Screen, move.Screen)
	}
	if move.Back {
		return f.back(form)
	}
	if move.Stay {
		return f.fill(form, move.Values)
	}
	return f.leave(ctx, form, move.Values)
}

// open begins the flow, whether it was begun before or not.
func (f *flowing) open(flow *kabar.Flow, form *kabar.FlowForm) error {
	f.m.flow = &flowState{}
	screen, data := flow.Opened()
	if flow.Action == kabar.FlowExchange {
		return f.ask(kabar.FlowInit, screen, data)
	}
	first, data := form.Begin(screen, data)
	if first == nil {
		return refuse(CodeConflict, "The flow of the message %s has no screen %.80q. It cannot be opened.", f.id, screen)
	}
	f.m.flow.enter(first.ID, data)
	return nil
}

func (f *flowing) back(form *kabar.FlowForm) error {
	s := f.m.flow
	if len(s.Places) < 2 {
		return refuse(CodeConflict, "The flow is at its first screen. Open it anew: POST …/flow {}.")
	}
	if screen := form.Screen(s.place().Screen); screen.Refresh {
		return f.ask(kabar.FlowBack, screen.ID, nil)
	}
	s.Places, s.Asked = s.Places[:len(s.Places)-1], ""
	return nil
}

// fill does what the present screen says about what was chosen.
func (f *flowing) fill(form *kabar.FlowForm, values map[string]any) error {
	asked := f.choose(form, values)
	if asked == nil {
		return nil
	}
	return f.ask(kabar.FlowExchange, f.m.flow.place().Screen, asked)
}

// choose notes what the present screen is filled in with, and returns what the business's server is to be asked about it; nil for
// nothing.
func (f *flowing) choose(form *kabar.FlowForm, values map[string]any) (asked map[string]any) {
	s, at := f.m.flow, f.m.flow.place()
	at.Data, asked = form.Screen(at.Screen).Choose(at.Data, s.Answers, values)
	if s.Answers == nil {
		s.Answers = kabar.FlowAnswers{}
	}
	s.Answers[at.Screen] = values
	return asked
}

// leave does what the end of the present screen says.
func (f *flowing) leave(ctx context.Context, form *kabar.FlowForm, values map[string]any) error {
	s, at := f.m.flow, f.m.flow.place()
	f.choose(form, values)
	s.Asked = "" // what is answered now would lead back here
	click, given, err := form.Screen(at.Screen).Leave(at.Data, s.Answers)
	if fault, ok := errors.AsType[*kabar.Error](err); ok {
		return refuse(CodeInvalid, "The screen cannot be left: %s. Correct it.", fault.Explanation())
	}
	switch {
	case err != nil:
		return err
	case click.Name == kabar.FlowComplete:
		return f.end(ctx, given)
	case click.Name == kabar.FlowExchange:
		return f.ask(kabar.FlowExchange, at.Screen, given)
	case click.Name == kabar.FlowNavigate:
		next, data := form.Navigate(click.Next.Name, given)
		s.enter(next.ID, data) // there is one: the flow has no faults
		return nil
	}
	return refuse(CodeConflict, "The screen leads on by %.40q, which is not known here. Give the answers of the flow: POST …/answer.", click.Name)
}

// end sends what the customer has filled in.
func (f *flowing) end(ctx context.Context, response map[string]any) error {
	content, err := f.m.answered(f.id, response, nil, true)
	if err != nil {
		return err
	}
	reply, err := f.write(ctx, f.c, f.m.business, Draft{Content: content, ReplyTo: f.id})
	if err != nil {
		return err
	}
	m, err := messageByID(ctx, f.tx, f.c, reply)
	if err == nil {
		f.m.flow = &flowState{Reply: m.wire}
	}
	return err
}

// ask has the business's server asked.
func (f *flowing) ask(action, screen string, data map[string]any) error {
	if !f.c.online {
		return refuse(CodeConflict, `The customer is offline, and the flow has to ask the business. Connect first: PATCH /api/customers/%s {"online": true}.`, f.c.handle)
	}
	ch, err := f.chat(f.c, f.m.business)
	if err != nil {
		return err
	}
	if ch.blocked {
		return refuse(CodeConflict, `The customer has blocked %s. Unblock it first: PATCH /api/customers/%s {"blocked": false}.`, f.m.business, f.c.handle)
	}
	q := &kabar.FlowQuestion{ID: newWire(), Message: f.m.wire, Action: action, Screen: screen}
	if data != nil {
		if q.Data, err = json.Marshal(data); err != nil {
			return fmt.Errorf("write the data of a flow: %w", err)
		}
	}
	f.m.flow.Asked = q.ID
	return f.post(f.c, ch, posting{payload: &payload.Payload{Asked: q}})
}
