package phone

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"kabar"
)

// step goes on with a flow as the business's server has said. An answer that nobody waits for any more is dropped.
func (a *arrival) step(in *incoming, step *kabar.FlowStep) error {
	m, err := scanMessage(a.QueryRow("SELECT "+messageColumns+" WHERE m.customer = ? AND m.business = ? AND m.wire = ? AND NOT m.mine", a.c.id, in.business, step.Message))
	if errors.Is(err, sql.ErrNoRows) || err == nil && (m.flow == nil || m.flow.Asked != step.Question) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	s := m.flow
	s.Asked = ""
	var data map[string]any
	if step.Data != nil {
		if err := json.Unmarshal(step.Data, &data); err != nil {
			return fmt.Errorf("read the data of a flow: %w", err) // payload.Decode has read them already
		}
	}
	form, _ := kabar.FlowOf(m.content).Exchanges()
	switch {
	case step.Fault == kabar.FlowOver:
		s.Over, s.Fault = true, cmp.Or(step.Text, flowOver)
	case step.Fault == "" && step.Screen == kabar.FlowSuccess:
		if err := a.ended(in, m, step); err != nil {
			return err
		}
	case step.Fault != "" || form.Screen(step.Screen) == nil:
		s.Fault = flowAway
	default:
		s.Fault, _ = data["error_message"].(string)
		delete(data, "error_message")
		s.enter(step.Screen, data)
	}
	return (&flowing{a.tx, a.c, m, publicID(a.c, m.business, m.wire)}).save()
}

// ended answers with what the business's server makes of the flow.
func (a *arrival) ended(in *incoming, m *message, step *kabar.FlowStep) error {
	response := step.Ended()
	if response == nil {
		response = map[string]any{}
	}
	content, err := m.answered("", response, nil, true)
	if err != nil {
		return err
	}
	reply := &message{business: in.business, wire: newWire(), mine: true, at: a.now.UnixMilli(), kind: content.Kind(), content: content, replyTo: m.wire, status: kabar.Accepted}
	if err := a.insert(a.c, reply); err != nil {
		return err
	}
	m.flow = &flowState{Reply: reply.wire}
	p, err := reply.posting(a.c)
	in.replies = append(in.replies, p)
	return err
}
